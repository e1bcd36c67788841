"""Which units a stack shows, on which three slices they are read, and why one is not read."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Abstained
from core.errors import InputError
from core.imaging.spine import UNITS
from core.imaging.stacks import matched_frames
from models.sparcc.rule.score import score_stack
from models.sparcc.rule.stack import Anatomy
from models.sparcc.rule.visits import windows_like
from tests.helpers.drawn_spine import DrawnSpine


def read(spine, **changed):
    return score_stack(replace(spine.image, **changed), spine.anatomy, spine.oedema)


@pytest.fixture
def spine():
    return DrawnSpine(top="L3", bottom="S1", slices=7)


def test_there_are_23_units_from_neck_to_sacrum():
    assert len(UNITS) == 23
    assert next(iter(UNITS)) == "C2C3"
    assert list(UNITS)[-1] == "L5S1"
    assert UNITS["C7T1"] == ("C7", "T1")
    assert UNITS["T12L1"] == ("T12", "L1")


def test_a_unit_is_read_on_the_three_slices_with_most_oedema(spine):
    spine.corner("L4", "lower anterior", (4, 5), side=5)
    spine.corner("L4", "lower posterior", (1,), side=5)
    spine.corner("L5", "lower anterior", (0,), side=5)
    score = read(spine)
    assert score.units["L4L5"].frames in {(3, 4, 5), (4, 5, 6)}
    assert score.units["L4L5"].frames == (3, 4, 5)
    assert score.units["L5S1"].frames == (0, 1, 2)


def test_the_first_slice_is_the_one_furthest_to_the_patients_left(spine):
    spine.corner("L4", "lower anterior", (1,))
    left = read(spine).units["L4L5"].frames
    right = read(spine, positions_mm=spine.image.positions_mm[::-1]).units["L4L5"].frames
    assert left[0] < left[2]
    assert right[0] > right[2]


def test_a_unit_without_oedema_is_read_in_the_middle_of_its_bodies(spine):
    spine.labels[:2] = 0
    score = read(spine)
    assert {unit.frames for unit in score.units.values()} == {(3, 4, 5)}


def places(*numbers):
    return tuple((-float(number), 0.0, 0.0) for number in numbers)


def test_slices_on_both_sides_of_a_gap_are_not_consecutive(spine):
    spine.corner("L4", "lower anterior", (2, 3, 4))
    whole = read(spine, positions_mm=places(0, 4, 8, 12, 16, 20, 24))
    assert whole.units["L4L5"].frames == (2, 3, 4)
    gap = read(spine, positions_mm=places(0, 4, 8, 12, 20, 24, 28))
    assert gap.units["L4L5"].frames in {(1, 2, 3), (4, 5, 6)}
    assert gap.units["L4L5"].frames == (1, 2, 3)


def test_a_unit_whose_slices_are_not_three_in_a_row_is_missing_with_why(spine):
    spine.labels[[0, 1, 4]] = 0
    score = read(spine, positions_mm=places(0, 4, 8, 12, 16, 24, 28))
    assert isinstance(score, Abstained)
    assert score.reason == ("no unit can be read; L2L3: no body is named L2")
    spine = DrawnSpine(top="L3", bottom="S1", slices=7)
    spine.labels[4][spine.labels[4] == spine.label_of["S1"]] = 0
    spine.labels[2][spine.labels[2] == spine.label_of["S1"]] = 0
    score = read(spine)
    assert score.missing["L5S1"] == (
        "the slices that show both bodies are not consecutive: one is missing between them"
    )
    spine.labels[3:][spine.labels[3:] == spine.label_of["S1"]] = 0
    assert read(spine).missing["L5S1"] == (
        "2 slices show both bodies: a unit is read on three consecutive ones"
    )


def test_a_body_without_a_name_takes_its_units_with_it(spine):
    names = {number: name for number, name in spine.anatomy.levels.items() if name != "L4"}
    score = score_stack(spine.image, Anatomy(spine.labels, names), spine.oedema)
    assert set(score.units) == {"L5S1"}
    assert score.missing == {
        "L2L3": "no body is named L2",
        "L3L4": "no body is named L4",
        "L4L5": "no body is named L4",
    }
    assert len(score.scored().unscorable) == 3 * 18
    assert score.scored().unscorable["L4L5.s3.DEP"] == "no body is named L4"


def test_a_body_cut_off_by_the_field_of_view_is_not_read():
    spine = DrawnSpine(top="L1", bottom="S1", slices=5, size=(185, 160))
    score = read(spine)
    assert score.missing["L1L2"] == "L1 is cut off by the field of view"
    assert score.missing["L5S1"] == "S1 is cut off by the field of view"
    assert set(score.units) == {"L2L3", "L3L4", "L4L5"}


def test_slices_beside_the_body_do_not_show_it(spine):
    top = spine.own("L4")[1] > -9
    spine.labels[0][(spine.labels[0] == spine.label_of["L4"]) & top] = 0
    spine.corner("L4", "lower anterior", (0,))
    score = read(spine)
    assert 0 not in score.units["L4L5"].frames


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"spacing_mm": None}, "the file does not say how large its pixels are, and depth is measured in mm"),
        ({"positions_mm": None}, "the files do not say where its slices lie"),
        ({"orientation": None}, "the files do not say where its slices lie"),
        ({"orientation": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))}, "its slices are not sagittal"),
        ({"orientation": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))}, "its slices are not sagittal"),
        ({"positions_mm": places(0, 4, 8, 8, 12, 16, 20)}, "two slices lie at one place"),
    ],
)
def test_a_stack_without_geometry_is_not_scored(spine, changed, reason):
    assert read(spine, **changed) == Abstained(reason)


def test_two_slices_are_no_unit():
    spine = DrawnSpine(top="L4", bottom="L5", slices=2)
    assert read(spine) == Abstained("2 slices: a unit is read on three consecutive ones")


def test_names_that_cannot_be_right_are_not_scored(spine):
    levels = spine.anatomy.levels
    assert score_stack(spine.image, Anatomy(spine.labels, {}), spine.oedema) == Abstained(
        "no vertebral body has a name"
    )
    swapped = levels | {spine.label_of["L4"]: "L5", spine.label_of["L5"]: "L4"}
    assert score_stack(spine.image, Anatomy(spine.labels, swapped), spine.oedema) == Abstained(
        "the levels are out of order: L5 lies above L4"
    )
    twice = levels | {spine.label_of["L4"]: "L5"}
    with pytest.raises(InputError, match="two bodies named L5"):
        score_stack(spine.image, Anatomy(spine.labels, twice), spine.oedema)


def test_masks_of_another_size_are_refused(spine):
    with pytest.raises(InputError, match=r"a mask of oedema of shape \(6,"):
        score_stack(spine.image, spine.anatomy, spine.oedema[:6])
    with pytest.raises(InputError, match="a mask of bodies"):
        score_stack(spine.image, Anatomy(spine.labels[:, 1:], spine.anatomy.levels), spine.oedema)


def test_a_finding_is_as_sure_as_the_less_sure_name_of_its_unit(spine):
    anatomy = replace(spine.anatomy, confidence={"L4": 0.9, "L5": 0.6})
    findings = score_stack(spine.image, anatomy, spine.oedema).scored().findings
    sure = {finding.site[:4]: finding.confidence for finding in findings}
    assert sure == {"L3L4": 0.9, "L4L5": 0.6, "L5S1": 0.6}


def test_slices_of_two_visits_are_matched_by_place_and_not_by_number():
    first, second = [0.0, 4.0, 8.0, 12.0], [12.3, -3.9, 0.2, 4.1, 8.2]
    assert matched_frames(first, second, within=2.0) == {0: 2, 1: 3, 2: 4, 3: 0}
    assert matched_frames(first, [1.9, 6.1], within=2.0) == {0: 0, 2: 1}
    assert matched_frames(first, [100.0, 104.0], within=2.0) == {}
    assert matched_frames(first, [100.0, 104.0], shift=-100.0, within=2.0) == {0: 0, 1: 1}
    assert matched_frames(first, [], within=2.0) == {}


@settings(max_examples=50, deadline=None)
@given(
    count=st.integers(3, 20),
    step=st.floats(2.0, 5.0),
    off=st.floats(-0.45, 0.45),
    order=st.randoms(use_true_random=False),
    lost=st.integers(0, 19),
)
def test_matching_survives_shuffled_and_lost_slices(count, step, off, order, lost):
    first = [number * step for number in range(count)]
    there = [number for number in range(count) if number != lost]
    order.shuffle(there)
    second = [(number + off) * step for number in there]
    expected = {number: place for place, number in enumerate(there)}
    assert matched_frames(first, second, within=step / 2) == expected


def test_a_later_visit_is_read_where_the_first_one_was():
    first = DrawnSpine(top="L3", bottom="S1", slices=9)
    first.corner("L4", "lower anterior", (5, 6, 7))
    score = score_stack(first.image, first.anatomy, first.oedema)
    assert score.units["L4L5"].frames == (5, 6, 7)
    later = DrawnSpine(top="L3", bottom="S1", slices=9)
    order = np.array([3, 0, 8, 1, 7, 2, 6, 4, 5])
    there = tuple((x + 31.0, y, z) for x, y, z in np.array(later.image.positions_mm)[order])
    image = replace(later.image, frames=later.frames[order], positions_mm=there)
    anatomy = Anatomy(later.labels[order], later.anatomy.levels)
    windows = windows_like(score, (first.image, first.anatomy), (image, anatomy))
    assert windows["L4L5"] == tuple(int(np.flatnonzero(order == frame)[0]) for frame in (5, 6, 7))
    again = score_stack(image, anatomy, later.oedema[order], windows=windows)
    assert again.units["L4L5"].frames == windows["L4L5"]
    assert again.units["L4L5"].total == 0


def test_a_later_visit_that_ends_before_the_slices_of_the_first_is_missing_there():
    first = DrawnSpine(top="L3", bottom="S1", slices=9)
    first.corner("L4", "lower anterior", (6, 7, 8))
    score = score_stack(first.image, first.anatomy, first.oedema)
    later = DrawnSpine(top="L3", bottom="S1", slices=7)
    windows = windows_like(score, (first.image, first.anatomy), (later.image, later.anatomy))
    again = score_stack(later.image, later.anatomy, later.oedema, windows=windows)
    assert "L4L5" not in windows
    assert again.missing["L4L5"] == "the other visit has no slices for it"
    other = DrawnSpine(top="C2", bottom="C4", slices=7)
    assert windows_like(score, (first.image, first.anatomy), (other.image, other.anatomy)) == {}
