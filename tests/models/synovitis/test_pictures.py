"""Pictures to train on: of drawn patients, kept patient by patient, and of a folder of exports."""

import cv2
import numpy as np
import pytest

from core.errors import InputError
from models.synovitis.networks import PIXELS
from models.synovitis.pictures import FIELDS, Drawn, Folder
from tests.helpers.drawn_ultrasound import Screen, draw

ROW = {
    "file": "a.png", "patient": "P1", "visit": "BL", "disease": "PsA", "device": "A", "side": "R",
    "joint": "MCP2", "mode": "PD", "grade": "2",
}  # fmt: skip


def export(folder, *rows):
    """A folder with one drawn screen a row, and the table."""
    for row in rows:
        picture = draw(Screen(flow=40))
        cv2.imwrite(str(folder / row["file"]), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    lines = [",".join(FIELDS), *(",".join(row[name] for name in FIELDS) for row in rows)]
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")
    return Folder(folder)


def test_exported_pictures_are_cut_out_with_their_colours(tmp_path):
    found = export(tmp_path, ROW, ROW | {"file": "b.jpg", "grade": "0"}).material()
    assert found.pictures.shape == (2, PIXELS, PIXELS, 3) and found.about["grade"].tolist() == [2, 0]
    red, green, blue = (found.pictures[0][..., place].astype(int) for place in range(3))
    assert ((red - blue) > 60).sum() > 100 and (green - red).max() < 30
    assert found.about.loc[1, ["image", "patient", "joint", "mode"]].tolist() == ["b.jpg", "P1", "MCP2", "PD"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"grade": "4"}, "row 2; grade is '4'"),
        ({"joint": "HIP"}, "row 2; joint is 'HIP'"),
        ({"mode": "CD"}, "mode is 'CD', not one of B, PD"),
        ({"disease": "RA"}, "disease is 'RA'"),
        ({"side": ""}, "side is ''"),
        ({"patient": ""}, "it names no patient"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path, change, fault):
    with pytest.raises(InputError, match=fault):
        export(tmp_path, ROW | change).material()


def test_a_folder_without_table_or_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="a table of file, patient"):
        Folder(tmp_path).material()
    folder = export(tmp_path, ROW)
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="no picture that can be read"):
        folder.material()
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match="there is no file a"):
        folder.material()
    (tmp_path / "cases.csv").write_text("file,patient\n")
    with pytest.raises(InputError, match="it has no column visit"):
        folder.material()


def test_drawn_patients_are_kept_and_are_the_same_whoever_else_is_drawn(tmp_path):
    found = Drawn(2, tmp_path).material()
    assert set(found.about["mode"]) == {"B", "PD"} and found.about["patient"].nunique() == 2
    kept = sorted(tmp_path.iterdir())
    before = [path.stat().st_mtime_ns for path in kept]
    again = Drawn(2, tmp_path).material()
    assert [path.stat().st_mtime_ns for path in kept] == before and len(kept) == 2
    assert np.array_equal(again.pictures, found.pictures) and again.about.equals(found.about)
    second = Drawn(1, tmp_path / "second", first=2).material()
    assert np.array_equal(second.pictures, found.of(set(second.about["patient"])).pictures)
