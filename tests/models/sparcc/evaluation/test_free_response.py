"""Lesions and marks of stacks drawn by hand, whose curve can be counted."""

import numpy as np
import pytest

from models.sparcc.evaluation.free_response import Mark, Marked, counts_at, curve, marked


def stack():
    reference, chances = np.zeros((4, 8, 8), int), np.zeros((4, 8, 8), np.float32)
    reference[0:2, 1:3, 1:3] = 1  # one lesion on two slices
    reference[3, 6, 6] = 1  # another
    chances[1, 2:4, 2:4] = 0.6  # meets the first
    chances[1, 2, 2] = 0.9
    chances[2, 6, 1] = 0.4  # meets none
    chances[3, 5:8, 5:8] = 0.3  # meets the second
    return chances, reference


def test_parts_over_slices_are_one_lesion_and_a_mark_is_as_sure_as_its_surest_pixel():
    found = marked(*(stack()[0], 0.2, stack()[1]))
    assert found.lesions == 2
    assert sorted((round(mark.peak, 4), mark.hits) for mark in found.marks) == [
        (0.3, (2,)), (0.4, ()), (0.9, (1,)),
    ]  # fmt: skip


def test_corners_touch_within_a_slice_but_not_over_slices():
    reference = np.zeros((2, 4, 4), int)
    reference[0, 1, 1] = reference[0, 2, 2] = 1
    assert marked(np.zeros(reference.shape), 0.5, reference).lesions == 1
    reference[0, 2, 2], reference[1, 2, 2] = 0, 1
    assert marked(np.zeros(reference.shape), 0.5, reference).lesions == 2


def test_a_lesion_hit_twice_counts_once_and_one_mark_may_hit_two():
    twice = Marked((Mark(0.9, (1,)), Mark(0.8, (1,)), Mark(0.7, (1, 2)), Mark(0.6, ())), 3)
    assert counts_at(twice, 0.75) == (1, 0)
    assert counts_at(twice, 0.7) == (2, 0)
    assert counts_at(twice, 0.0) == (2, 1)


def test_the_curve_gives_sensitivity_at_false_marks_a_stack():
    first = Marked((Mark(0.9, (1,)), Mark(0.5, ()), Mark(0.3, (2,))), 2)
    second = Marked((Mark(0.8, ()), Mark(0.4, (1,))), 1)
    found = curve([first, second], [first, Marked((), 1)], ["A", "B"], draws=50)
    assert (found["lesions"], found["stacks"], found["patients"]) == (3, 2, 2)
    at = {one["false_marks"]: one for one in found["at_false_marks"]}
    assert at[0.25]["sensitivity"]["estimate"] == pytest.approx(1 / 3)  # only marks of 0.9 and more
    assert at[0.5]["sensitivity"]["estimate"] == pytest.approx(1 / 3)
    assert at[1.0]["sensitivity"]["estimate"] == 1
    assert at[1.0]["limit"] == 0.3
    assert at[1.0]["false_marks_a_stack"]["estimate"] == 1
    assert found["operating_point"]["sensitivity"]["estimate"] == pytest.approx(2 / 3)
    false, hits, limits = (list(column) for column in zip(*found["curve"], strict=True))
    assert false == sorted(false) and hits == sorted(hits) and limits == sorted(limits, reverse=True)
    assert (false[0], hits[0], false[-1], hits[-1]) == (0, 0, 1, 1)


def test_without_a_mark_nothing_is_hit():
    found = curve([Marked((), 2)], [Marked((), 2)], ["A"], draws=50)
    assert found["at_false_marks"][0]["sensitivity"]["estimate"] == 0
    assert found["at_false_marks"][0]["limit"] is None
