"""The table of abstention: counts of a scorer that is known, pictures as they are read, and the page."""

import gzip
import struct

import cv2
import numpy as np
import pytest

from core.domain import Abstained, Box, Finding, Image, Scored
from core.errors import InputError
from models.evaluation.markdown import into_page
from models.ood import abstention
from models.ood.check import Check, Part
from models.ood.real_images import LONG_SIDE, Group, bare, groups, read_nifti


class Picky:
    """Abstains on MR, and on whatever is darker than 100."""

    reader, weights_hash = "picky", "x"

    def score(self, films):
        return [self._one(film) for film in films]

    def _one(self, film):
        if film.modality == "MR":
            return Abstained("modality MR is not a radiograph")
        if film.pixels.mean() < 100:
            return Abstained(f"too dark (mean {film.pixels.mean():.0f}): nothing to see")
        return Scored(())


def film(value, modality=""):
    return Image(f"f{value}", np.full((40, 20), value, np.uint16), (1.0, 1.0), modality)


def test_pixels_alone_hide_modality_and_millimetres():
    row = abstention.try_group(Picky(), Group("g", (film(50, "MR"), film(200, "MR"), film(60)), 2))
    assert (row.images, row.refused, row.abstained, row.abstained_bare) == (3, 2, 3, 2)
    assert row.reasons == ("too dark",)
    alone = bare(film(50, "MR"))
    assert (alone.modality, alone.spacing_mm) == ("", None)
    assert alone.pixels.shape == (LONG_SIDE, LONG_SIDE // 2)


def test_tables_name_every_count_and_keep_the_page():
    rows = [abstention.Row("MRI", 43, 0, 43, 40, ("levels cannot be named",), 41)]
    card = {
        "networks": {"finder": {"sha256": "a"}},
        "evaluation": {
            "first domain": {
                "abstention": {"good": 160, "wrong": 40, "good_abstained": [0.0, 0.0, 0.0876],
                               "wrong_abstained": [1.0, 0.9124, 1.0]}
            }
        },
    }  # fmt: skip
    text = abstention.as_text("msasss", "demo", card, rows)
    assert "| first domain, good and poor images, to be scored | 160 | 0.0% (0.0 to 8.8) |" in text
    assert (
        "43 of 43 (92 to 100%) | 40 of 43 (81 to 98%) | 41 of 43 (85 to 99%) | levels cannot be named |"
        in text
    )
    begin, end = "<!-- table msasss -->", "<!-- /table msasss -->"
    page = f"a\n{begin}\n{end}\nb\n<!-- table mtss -->\nc\n<!-- /table mtss -->\n"
    assert into_page(page, abstention.mark("msasss"), text) == page.replace(begin, f"{begin}\n{text.strip()}")
    with pytest.raises(InputError, match="table mtss"):
        into_page("nothing", abstention.mark("mtss"), text)


def test_wrong_films_of_limbs_are_shown_by_what_they_were_scored_as():
    class Feet(Picky):
        def _one(self, film):
            done = super()._one(film)
            box = Box(0, 0, 1, 1)
            feet = Finding("LF.E.MTP1", "erosion", 0, (1.0,), 1.0, box)
            return done if isinstance(done, Abstained) else Scored((feet,))

    row = abstention.try_wrong(Feet(), Group("feet filed as hands", (film(50), film(200), film(220))))
    assert (row.films, row.scored, row.unlike, row.reasons) == (3, {"feet": 2}, None, ("too dark",))
    assert "| feet filed as hands | 3 | 1 of 3 (6 to 79%) | 0 | 2 | - | too dark |" in abstention.wrong_text(
        [row]
    )


def test_films_that_were_not_scored_anyway_count_as_abstained():
    measured = {"films": 9, "not_scored_anyway": 1, "abstained": {"estimate": 0.2, "ci": [0.1, 0.3]}}
    (line,) = abstention.phantom_rows({}, {"measured": {"first domain": measured}})
    assert line == ["first domain, good and poor images, to be scored", "10", "20.0% (10.0 to 30.0)"]
    assert abstention.phantom_rows({}, None) == []


def test_check_alone_is_counted_and_its_false_alarms_are_shown():
    class Checks(Picky):
        check = Check({"mean": Part(np.array([[100.0]]), np.eye(1), 10.0, limit=2.0)})

        def ood_features(self, film):
            return {"mean": np.array([float(film.pixels.mean())])}

    films = (film(90), film(115), film(200))
    assert abstention.try_group(Checks(), Group("g", films)).unlike == 1
    assert abstention.try_group(Picky(), Group("g", films)).unlike is None
    measured = {
        "films": 80, "patients": 40, "refused": 2, "share": {"estimate": 0.025, "ci": [0.0, 0.06]},
        "by_part": {"mean": 2},
    }  # fmt: skip
    stored = {
        "fitted": {"films": 100, "patients": 50}, "tuned": {"films": 120, "patients": 60}, "alarm": 0.01,
        "parts": {"mean": {"limit": 2.0}}, "measured": {"second domain": measured},
    }  # fmt: skip
    text = abstention.check_text(stored)
    assert "| second domain | 80 (40) | 2: 2.5% (0.0 to 6.0) | mean 2 |" in text
    assert "at most 1% of false alarms" in text and "mean 2.00" in text
    assert "models.ood.fit" in abstention.check_text(None)


def test_volume_is_read_as_it_lies(tmp_path):
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 2, 3, 4, 1, 1, 1, 1)
    struct.pack_into("<h", header, 70, 4)
    struct.pack_into("<8f", header, 76, 1, 1.0, 1.5, 4.0, 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, 352.0)
    path = tmp_path / "v.nii.gz"
    path.write_bytes(gzip.compress(bytes(header) + values.tobytes(order="F")))
    found, spacing = read_nifti(path)
    np.testing.assert_array_equal(found, values)
    assert spacing == (1.0, 1.5, 4.0)


def test_groups_are_those_of_the_folder(tmp_path):
    (tmp_path / "hand-thumbnails" / "CXR").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "hand-thumbnails" / "CXR" / "1.jpeg"), np.full((64, 64), 9, np.uint8))
    (found,) = groups(tmp_path)
    assert found.name == "CXR, 64 x 64" and found.films[0].pixels.shape == (64, 64)


def test_a_missing_folder_is_named():
    from click.testing import CliRunner

    done = CliRunner().invoke(abstention.main, ["--real", "nowhere", "--system", "msasss"])
    assert done.exit_code != 0 and "folder of real images is needed" in str(done.exception)


@pytest.mark.real
def test_no_real_image_is_scored_as_a_spine_film():
    from pathlib import Path

    from models.msasss.scorer import build

    folder = Path("../shared/real")
    if not folder.is_dir():
        pytest.skip("../shared/real is absent")
    scorer = build(threads=1)
    for group in groups(folder):
        few = group.films[:2]
        results = scorer.score([bare(film) for film in few])
        assert all(isinstance(result, Abstained) for result in results), group.name
