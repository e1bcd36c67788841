"""Regions of an ultrasound screen, as files state them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from core.domain import Box, ScanArea
from data.dicom.ultrasound.areas import areas_of, as_json, from_json


def region(box=(10, 20, 109, 219), data=1, layout=1, units=(3, 3), step=(0.01, 0.02)):
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType = layout, data
    item.RegionLocationMinX0, item.RegionLocationMinY0 = box[:2]
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box[2:]
    item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX, item.PhysicalDeltaY = step
    return item


def file_of(*regions):
    dataset = Dataset()
    dataset.SequenceOfUltrasoundRegions = Sequence(regions)
    return dataset


def test_a_region_has_its_box_its_millimetres_down_and_across_and_its_kind():
    assert areas_of(file_of(region())) == (ScanArea(Box(10, 20, 110, 220), (0.2, 0.1), "tissue"),)


@pytest.mark.parametrize(
    ("data", "layout", "kind"),
    [
        (1, 1, "tissue"),
        (2, 1, "doppler"),
        (3, 3, "spectral"),
        (1, 2, "other"),
        (13, 0, "other"),
        (10, 4, "other"),
    ],
)
def test_the_kind_follows_from_what_the_region_holds_and_how_it_is_laid_out(data, layout, kind):
    assert areas_of(file_of(region(data=data, layout=layout)))[0].kind == kind


@pytest.mark.parametrize("units", [(3, 4), (0, 0), (4, 3)])
def test_other_units_than_centimetres_are_no_spacing(units):
    assert areas_of(file_of(region(units=units)))[0].mm_per_pixel is None


def test_a_step_that_cannot_be_right_is_no_spacing_and_its_sign_does_not_count():
    assert areas_of(file_of(region(step=(-0.01, -0.01))))[0].mm_per_pixel == (0.1, 0.1)
    for step in ((0.0, 0.01), (50.0, 0.01), (float("nan"), 0.01)):
        assert areas_of(file_of(region(step=step)))[0].mm_per_pixel is None


def test_several_regions_stay_in_their_order_and_impossible_ones_are_left_out():
    dataset = file_of(region((0, 0, 9, 9)), region((9, 9, 0, 0)), region((20, 0, 29, 9), data=2))
    assert [area.box.x0 for area in areas_of(dataset)] == [0, 20]
    del dataset.SequenceOfUltrasoundRegions[0].RegionLocationMinX0
    assert [area.box.x0 for area in areas_of(dataset)] == [20]
    assert areas_of(Dataset()) == ()


numbers = st.floats(0.001, 20, allow_nan=False)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.builds(
            ScanArea,
            st.builds(Box, *(st.integers(0, 2000).map(float),) * 4),
            st.none() | st.tuples(numbers, numbers),
            st.sampled_from(["tissue", "doppler", "spectral", "other"]),
        )
    ).map(tuple)
)
def test_areas_come_back_from_json(areas):
    assert from_json(json.loads(json.dumps(as_json(areas)))) == areas
