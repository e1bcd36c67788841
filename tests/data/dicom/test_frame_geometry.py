"""Where frames lie and when they were taken, by the header."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from data.dicom.frame_geometry import FrameGeometry, from_columns, from_fields, geometry_of
from tests.helpers.small_films import film
from tests.helpers.small_frames import cine, enhanced, slices


def test_a_slice_has_the_position_of_its_file():
    found = geometry_of(slices((7.5,))[0], 1)
    assert found.orientation == ((0, 1, 0), (0, 0, -1))
    assert found.positions_mm == ((7.5, -60, 90),)
    assert found.slice_spacing_mm is None


def test_an_enhanced_file_has_the_positions_of_its_frames():
    found = geometry_of(enhanced(), 3)
    assert found.orientation == ((0, 1, 0), (0, 0, -1))
    assert [place[0] for place in found.positions_mm] == [4, 0, -4]
    assert found.slice_spacing_mm == 4


def test_orientation_of_frames_that_differ_is_unknown():
    dataset = enhanced()
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        item = Dataset()
        item.ImageOrientationPatient = [[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1]][number % 2]
        group.PlaneOrientationSequence = [item]
    assert geometry_of(dataset, 3).orientation is None


def test_a_film_states_no_geometry():
    assert geometry_of(film(), 1) == FrameGeometry()


@pytest.mark.parametrize("directions", [[1, 0, 0, 1, 0, 0], [2, 0, 0, 0, 1, 0], [1, 0, 0], ["x"] * 6])
def test_impossible_directions_are_unknown(directions):
    dataset = Dataset()
    dataset.add_new("ImageOrientationPatient", "LO", [str(value) for value in directions])
    assert geometry_of(dataset, 1).orientation is None


def test_one_position_for_many_frames_is_not_the_position_of_each():
    assert geometry_of(cine(ImagePositionPatient=[0, 0, 0]), 3).positions_mm is None


def test_times_follow_from_the_time_of_a_frame_or_the_steps_between_them():
    assert geometry_of(cine(), 3).times_ms == (0, 40, 80)
    assert geometry_of(cine(FrameTimeVector=[0, 30, 45.5]), 3).times_ms == (0, 30, 75.5)
    assert geometry_of(cine(FrameTime=None), 3).times_ms is None
    assert geometry_of(cine(FrameTime=None, FrameTimeVector=[0, 30]), 3).times_ms is None


def test_geometry_survives_row_and_description():
    found = geometry_of(enhanced(), 3)
    row = {name: value if value is None else np.array(value) for name, value in found.columns().items()}
    row["spacing_slice_mm"] = 4.0
    assert from_columns(row) == found
    assert from_fields(found.fields() | {"colour": False}) == found
    assert from_fields({}) == FrameGeometry()
