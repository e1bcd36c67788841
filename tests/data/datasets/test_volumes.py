"""Volumes as sagittal slices, and the gradings of discs."""

import io

import numpy as np
import pydicom
import pytest

from data.datasets.examine import examine
from data.datasets.frame import FilmFile
from data.datasets.registry import get
from data.datasets.sources import sources_of
from data.datasets.volumes import slice_of, slices_of
from data.dicom.read import Refusal
from tests.data.datasets import layouts


@pytest.mark.parametrize("packed", [True, False])
def test_a_slice_has_the_head_at_the_top_and_the_back_at_the_right(packed, tmp_path):
    values = np.arange(3 * 5 * 4).reshape(3, 5, 4) - 7  # left, head, back
    path = layouts.volume(tmp_path / "1_t1.mha", values, packed=packed)
    assert slices_of(path) == 3
    with path.open("rb") as stream:
        pixels, where = slice_of(stream, 1)
    assert np.array_equal(pixels, values[1, ::-1, :] + 7)
    assert where["orientation"] == [0, 1, 0, 0, 0, -1]
    assert where["spacing"] == [0.75, 0.5] and where["between"] == [4]
    assert where["position"] == [-10 + 4, -20, -30 + 4 * 0.75]


def test_slices_of_a_volume_are_one_series_of_files(tmp_path):
    layouts.volume(tmp_path / "1_t2.mha", np.arange(60).reshape(3, 5, 4))
    film = FilmFile("1_t2.mha", "1", "BL", "LSPINE", slices=3, sequence="T2")
    found = [pydicom.dcmread(source.open()) for source in sources_of(tmp_path, [film], "spider")]
    assert (
        len({one.SeriesInstanceUID for one in found}) == 1 and len({one.SOPInstanceUID for one in found}) == 3
    )
    assert [float(one.ImagePositionPatient[0]) for one in found] == [-10, -6, -2]
    assert {(one.Modality, one.SeriesDescription) for one in found} == {("MR", "sag T2")}


@pytest.mark.parametrize("kept", [0, 40, 250, 300])
def test_a_volume_cut_short_is_refused(kept, tmp_path):
    path = layouts.volume(tmp_path / "1_t1.mha", np.arange(600).reshape(3, 20, 10))
    with pytest.raises(Refusal):
        slice_of(io.BytesIO(path.read_bytes()[:kept]), 0)


def test_gradings_out_of_range_and_of_no_disc_are_told(tmp_path):
    folder = layouts.spider(tmp_path)
    path = folder / "radiological_gradings.csv"
    path.write_text(path.read_text() + "\n1,0,0,0,0,0,0,0,0,1\n1,3,7,0,0,0,0,0,0,3\n")
    contents = examine(get("spider"), folder)
    assert contents.patients["1"] == {
        "Modic type, disc 1": 1,
        "Pfirrmann grade, disc 1": 4,
        "Modic type, disc 2": 0,
        "Pfirrmann grade, disc 2": 2,
        "Pfirrmann grade, disc 3": 3,
    }
    assert [one.reason for one in contents.odd if one.left_out] == [
        "row 4: no disc has the label 0; it was left out",
        "row 5: Modic 7 is outside 0-3; it was left out",
    ]
