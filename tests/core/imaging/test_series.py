"""Slices sorted into stacks: the order of files says nothing, and what is wrong is said by name."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.imaging import series as kinds
from core.imaging.sequences import STIR, T1, Needs, Shown, why_not
from core.imaging.series import Slice, stacks_of

SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
CORONAL = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
STIR_OF_SPINE = Shown("MR", STIR, "lumbar", "lumbar spine")


def run(places=range(0, 40, 4), orientation=SAGITTAL, name="a", **tags):
    """Slices at these places along the normal."""
    normal = np.cross(*orientation)
    about = {"size": (64, 48), "spacing_mm": (0.7, 0.7), "thickness_mm": 3.5, **tags}
    return [
        Slice(f"{name}{number:03}", 0, tuple(float(x) for x in normal * place), orientation, **about)
        for number, place in enumerate(places)
    ]


def kinds_of(stack):
    return {problem.kind for problem in stack.problems}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(-60, 60), min_size=3, max_size=20, unique=True),
    st.sampled_from([SAGITTAL, CORONAL, AXIAL, ((0, 0.8, 0.6), (0, 0.6, -0.8))]),
    st.floats(0.5, 9),
    st.randoms(use_true_random=False),
)
def test_shuffled_and_renamed_slices_stand_by_their_places(steps, orientation, distance, chance):
    given_slices = run([step * distance for step in steps], orientation, thickness_mm=None)
    names = [f"{number}" for number in chance.sample(range(1000), len(given_slices))]
    renamed = [replace(one, image=name) for one, name in zip(given_slices, names, strict=True)]
    chance.shuffle(renamed)
    (stack,) = stacks_of(renamed)
    assert list(stack.places_mm) == sorted(stack.places_mm)
    assert [one.position for one in stack.slices] == [
        one.position for _, one in sorted(zip(steps, given_slices, strict=True), key=lambda pair: pair[0])
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(6, 20), st.floats(0.6, 9), st.data())
def test_a_missing_slice_is_named_by_its_place(count, distance, data):
    hole = data.draw(st.integers(1, count - 2))
    slices = run([distance * place for place in range(count) if place != hole], thickness_mm=distance * 0.9)
    (stack,) = stacks_of(slices)
    assert kinds_of(stack) == {kinds.MISSING}
    assert f"a slice is missing, at {distance * hole:.1f} mm" in stack.problems[0].words
    assert stack.spacing_mm == pytest.approx(distance, abs=1e-3)
    assert not stack.may_be_read


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(3, 20), st.floats(0.6, 9), st.floats(0, 1))
def test_even_slices_have_no_problem_and_their_spacing_and_gap(count, distance, share):
    thickness = distance * (0.6 + 0.4 * share)
    (stack,) = stacks_of(run([distance * place for place in range(count)], thickness_mm=thickness))
    assert stack.problems == () and stack.may_be_read
    assert stack.spacing_mm == pytest.approx(distance, abs=1e-3)
    assert stack.gap_mm == pytest.approx(distance - thickness, abs=2e-3)


def test_jitter_of_a_scanner_is_no_problem():
    chance = random.Random(1)
    (stack,) = stacks_of(run([4 * place + chance.uniform(-0.05, 0.05) for place in range(18)]))
    assert stack.problems == () and stack.spacing_mm == pytest.approx(4, abs=0.02)


def test_a_doubled_slice_is_named_and_stops():
    (stack,) = stacks_of([*run(), *run([8], name="b")])
    assert kinds_of(stack) == {kinds.DOUBLE}
    assert stack.problems[0].words == "two slices at one place, at 8.0 mm"
    assert len(stack.slices) == 11


def test_a_double_that_lies_a_hair_beside_is_a_double():
    (stack,) = stacks_of([*run(), *run([8.2], name="b")])
    assert kinds_of(stack) == {kinds.DOUBLE}


def test_two_runs_of_one_series_are_taken_apart_by_their_number():
    found = stacks_of([*run(repeat="1"), *run(name="b", repeat="2")])
    assert [len(stack.slices) for stack in found] == [10, 10]
    assert [len({one.repeat for one in stack.slices}) for stack in found] == [1, 1]
    assert all(kinds_of(stack) == {kinds.REPEATS} and stack.may_be_read for stack in found)


def test_numbers_of_runs_part_nothing_where_no_place_is_double():
    slices = [replace(one, repeat=str(number % 2)) for number, one in enumerate(run())]
    (stack,) = stacks_of(slices)
    assert stack.problems == ()


def test_two_contrasts_in_one_series_are_two_stacks_also_between_each_other():
    found = stacks_of([*run(contrast=STIR), *run(range(2, 42, 4), name="b", contrast=T1)])
    assert [{one.contrast for one in stack.slices} for stack in found] == [{STIR}, {T1}]
    assert all(kinds_of(stack) == {kinds.CONTRASTS} and stack.spacing_mm == 4 for stack in found)


def test_two_series_mixed_into_one_without_a_word_are_found_by_their_thickness():
    (stack,) = stacks_of([*run(), *run(range(2, 42, 4), name="b")])
    assert kinds_of(stack) == {kinds.OVERLAPPING} and not stack.may_be_read
    (volume,) = stacks_of([replace(one, is_volume=True) for one in run(range(0, 20, 2))])
    assert volume.problems == ()


@pytest.mark.parametrize(("other", "plane"), [(AXIAL, "axial"), (CORONAL, "coronal")])
def test_two_orientations_in_one_series_are_said_and_taken_apart(other, plane):
    found = stacks_of([*run(), *run([0, 9], other, name="b")])
    assert [(stack.plane, len(stack.slices)) for stack in found] == [("sagittal", 10), (plane, 2)]
    assert found[0].problems[0].words == f"two orientations in one series: 2 {plane} slices beside these"
    assert found[0].may_be_read


def test_three_planes_are_a_localiser():
    found = stacks_of([*run([0, 10]), *run([0, 10], AXIAL, name="b"), *run([0, 10], CORONAL, name="c")])
    assert all(kinds.LOCALISER in kinds_of(stack) and not stack.may_be_read for stack in found)


def test_what_a_header_calls_a_localiser_is_one():
    (stack,) = stacks_of(run(is_localiser=True))
    assert kinds_of(stack) == {kinds.LOCALISER}


@pytest.mark.parametrize("lost", ["position", "orientation"])
def test_slices_without_a_place_are_said_and_stop(lost):
    (stack,) = stacks_of([replace(one, **{lost: None}) for one in run()])
    assert kinds_of(stack) == {kinds.NO_POSITION} and not stack.may_be_read


def test_slices_without_millimetres_are_said_and_stop():
    (stack,) = stacks_of(run(spacing_mm=None))
    assert kinds_of(stack) == {kinds.NO_SPACING} and not stack.may_be_read


def test_sizes_that_differ_are_named():
    found = stacks_of([*run(), *run([40], name="b", size=(32, 32))])
    assert [len(stack.slices) for stack in found] == [10, 1]
    assert found[0].problems[0].words == "sizes differ in one series: 10 of 64 x 48, 1 of 32 x 32"


def test_uneven_distances_are_no_missing_slice():
    (stack,) = stacks_of(run([0, 4, 8, 13.5, 17.5]))
    assert kinds_of(stack) == {kinds.UNEVEN} and stack.spacing_mm is None


def test_slices_shifted_in_their_plane_stop():
    slices = run()
    x, y, z = slices[4].position
    slices[4] = replace(slices[4], position=(x, y + 6, z))
    (stack,) = stacks_of(slices)
    assert kinds_of(stack) == {kinds.SHIFTED}


def test_a_slanted_run_is_not_shifted():
    slices = [
        replace(one, position=(one.position[0], 0.3 * number, one.position[2]))
        for number, one in enumerate(run())
    ]
    (stack,) = stacks_of(slices)
    assert stack.problems == ()


@pytest.mark.parametrize(
    ("change", "shown", "reason"),
    [
        ({}, replace(STIR_OF_SPINE, sequence=T1), "its sequence is T1"),
        ({}, replace(STIR_OF_SPINE, sequence=""), "its sequence is not known"),
        ({}, replace(STIR_OF_SPINE, part="knee"), "shows the knee, not the spine"),
        ({}, replace(STIR_OF_SPINE, modality="CT"), "is CT, not MR"),
        ({"orientation": AXIAL}, STIR_OF_SPINE, "is axial, not sagittal"),
        ({"orientation": CORONAL}, STIR_OF_SPINE, "is coronal, not sagittal"),
        ({"places": [0, 4]}, STIR_OF_SPINE, "has 2 slices; 3 or more are needed"),
        ({"places": [0]}, STIR_OF_SPINE, "has 1 slice; 3 or more are needed"),
        ({"places": [0, 4, 12, 16]}, STIR_OF_SPINE, "a slice is missing, at 8.0 mm"),
        ({"spacing_mm": None}, STIR_OF_SPINE, "do not say how many millimetres"),
    ],
)
def test_why_a_scorer_may_not_read_it(change, shown, reason):
    (stack,) = stacks_of(run(**change))
    assert any(reason in words for words in why_not(stack, shown))


def test_a_scorer_may_read_a_sagittal_stir_of_the_spine_and_one_of_unknown_region():
    (stack,) = stacks_of(run())
    assert why_not(stack, STIR_OF_SPINE) == ()
    assert why_not(stack, Shown("MR", STIR)) == ()
    assert why_not(stack, replace(STIR_OF_SPINE, sequence=T1), Needs(sequences=frozenset({T1}))) == ()
