"""SPARCC items from solids: each follows its definition, for lesions of known place, size and brightness."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from core import scores
from core.scores.sparcc import REGIONS as UNITS_OF
from data.phantom.mri.anatomy import UNITS, whole_spine
from data.phantom.mri.files import visit_truth
from data.phantom.mri.lesions import CORNER, FACET, PLATE, Lesion
from data.phantom.mri.patients import make_patient
from data.phantom.mri.population import MIXED, TRIAL
from data.phantom.mri.slices import oedema_of_slices
from data.phantom.mri.truth import ITEMS, sparcc_items, three_slices, unit_evidence, unit_points
from data.phantom.seeds import StudyRole, StudySeed

STUDY = StudySeed(StudyRole.TEST, 5)
# a corner of 9 x 7 mm in front, at the upper plate of L3, 8 mm to either side of the midline, not bright
CORNER_OF_L3 = Lesion("L3", CORNER, "upper", -1.0, 0.0, 9.0, 7.0, 8.0, 0.6)


@cache
def plan():
    return make_patient(STUDY, 2).plan(0, "lumbar")


def best(*lesions, unit="L2L3"):
    """Items of the unit's three slices, one row a slice."""
    points = unit_points(plan(), unit, lesions)
    first = three_slices(points, plan().grid.z)
    return [dict(zip(ITEMS, row, strict=True)) for row in points[first : first + 3].astype(int)]


def test_a_corner_in_front_of_the_lower_vertebra_is_one_quadrant_in_three_slices():
    for items in best(CORNER_OF_L3):
        assert items == {"UA": 0, "UP": 0, "LA": 1, "LP": 0, "INT": 0, "DEP": 0}


@pytest.mark.parametrize(
    ("changes", "unit", "item"),
    [
        ({"place": 1.0}, "L2L3", "LP"),
        ({"plate": "lower"}, "L3L4", "UA"),
        ({"plate": "lower", "place": 1.0}, "L3L4", "UP"),
    ],
)
def test_the_quadrant_follows_plate_and_side(changes, unit, item):
    for items in best(replace(CORNER_OF_L3, **changes), unit=unit):
        assert [name for name in ITEMS if items[name]] == [item]


@pytest.mark.parametrize(("brightness", "point"), [(0.6, 0), (0.85, 0), (0.95, 1), (1.2, 1)])
def test_intensity_needs_the_brightness_of_csf(brightness, point):
    assert all(items["INT"] == point for items in best(replace(CORNER_OF_L3, brightness=brightness)))


@pytest.mark.parametrize(("deep", "point"), [(6.0, 0), (9.0, 0), (13.0, 1), (20.0, 1)])
def test_depth_needs_a_centimetre_from_the_plate(deep, point):
    found = best(replace(CORNER_OF_L3, deep=deep, wide=14.0))
    assert all(items["DEP"] == point for items in found)


def test_a_plate_lesion_along_the_whole_plate_is_two_quadrants():
    v = whole_spine(make_patient(STUDY, 2).body)[0]["L3"]
    for items in best(Lesion("L3", PLATE, "upper", 0.0, 0.0, v.depth, 5.0, 9.0, 0.6)):
        assert (items["LA"], items["LP"]) == (1, 1)


@pytest.mark.parametrize(
    "lesion",
    [
        replace(CORNER_OF_L3, kind=FACET, lateral=12.0),
        replace(CORNER_OF_L3, fatty=True),
        replace(CORNER_OF_L3, level="T12"),
    ],
    ids=["facet", "fat", "another level"],
)
def test_what_is_not_oedema_of_the_unit_gives_no_point(lesion):
    assert np.nansum(unit_points(plan(), "L2L3", (lesion,))) == 0


def test_slices_are_consecutive_and_follow_the_lesion_to_its_side():
    points = unit_points(plan(), "L2L3", (replace(CORNER_OF_L3, lateral=12.0, wide=6.0),))
    first = three_slices(points, plan().grid.z - plan().spine.placed["L2"].centre[2])
    assert abs(plan().grid.z[first + 1] - plan().spine.placed["L3"].centre[2] - 12.0) < 3.6


def test_without_a_point_the_slices_are_the_middle_ones():
    lateral = np.array([-8.75, -5.25, -1.75, 1.75, 5.25])
    assert three_slices(np.zeros((5, 6)), lateral) == 1
    cut_off = np.zeros((5, 6))
    cut_off[[1, 4]] = np.nan
    assert three_slices(cut_off, lateral) is None


def test_no_bright_or_deep_point_without_a_quadrant():
    patient = make_patient(STUDY, 4, population=TRIAL)
    for region, units in UNITS_OF.items():
        for unit in units:
            points = unit_points(patient.plan(0, region), unit, patient.lesions(0))
            cut = np.isfinite(points[:, 0])
            some = points[cut, :4].any(axis=1)
            assert not points[cut, 4:][~some].any()


def test_the_truth_of_a_visit_has_every_site_of_the_score_once():
    truth = visit_truth(make_patient(STUDY, 3, population=TRIAL), 0)
    assert list(truth["site"]) == [site.code for site in scores.get("sparcc").sites]
    assert truth["grade"].notna().all()
    assert truth["grade"].isin([0, 1]).all()


def test_a_full_unit_has_eighteen_points():
    v = whole_spine(make_patient(STUDY, 2).body)[0]
    everything = tuple(
        Lesion(level, PLATE, plate, 0.0, 0.0, 2 * v[level].depth, 14.0, 2 * v[level].width, 1.1)
        for level, plate in (("L2", "lower"), ("L3", "upper"))
    )
    assert sparcc_items(plan(), ("L2L3",), everything)["grade"].sum() == 18


def test_areas_of_slices_agree_with_the_units():
    area, bright = oedema_of_slices(plan(), (CORNER_OF_L3,))
    unit = unit_evidence(plan(), "L2L3", (CORNER_OF_L3,))
    np.testing.assert_allclose(area, unit.area.sum(axis=1), atol=9.0)
    assert set(np.unique(bright)) == {0.0, 0.6}


def test_masks_hold_the_areas_of_the_solids():
    """But for voxels that are partly covered: to 15% of all, slice by slice correlated."""
    patient = make_patient(StudySeed(StudyRole.DEMO, 33), 1, population=TRIAL)
    stack = patient.stack(0, "lumbar")
    area, _ = oedema_of_slices(stack.plan, patient.lesions(0))
    drawn = stack.oedema.sum(axis=(1, 2)) * stack.scan.pixel**2
    assert area.sum() > 100
    assert drawn.sum() == pytest.approx(area.sum(), rel=0.15)
    assert np.corrcoef(area, drawn)[0, 1] > 0.95


def test_half_of_the_mixed_cohort_has_oedema():
    patients = [
        make_patient(StudySeed(StudyRole.TUNE, 3), number, population=MIXED) for number in range(1, 61)
    ]
    inflamed = [any(not one.fatty for one in patient.lesions(0)) for patient in patients]
    assert 0.35 < np.mean(inflamed) < 0.65


def test_oedema_falls_within_24_weeks_and_more_under_treatment():
    patients = [
        make_patient(StudySeed(StudyRole.TUNE, 3), number, population=TRIAL) for number in range(1, 81)
    ]
    size = np.array(
        [
            [sum(one.brightness for one in p.lesions(week) if not one.fatty) for week in (0, 12, 24)]
            for p in patients
        ]
    )
    from data.phantom.spine.course import arm_of

    active = np.array([arm_of(p.study, p.number) == 1 for p in patients])
    placebo, treated = size[~active].mean(axis=0), size[active].mean(axis=0)
    assert treated[1] < 0.75 * treated[0]
    assert treated[2] < treated[1]
    assert treated[2] / treated[0] < 0.75 * placebo[2] / placebo[0]


def test_units_are_those_of_the_score():
    assert tuple(unit for units in UNITS_OF.values() for unit in units) == UNITS
