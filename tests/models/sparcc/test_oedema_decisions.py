"""Fake-colour triples, and decisions about slices and segments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from models.sparcc.oedema.decisions import (
    Confusion,
    ImageRule,
    SegmentRule,
    confusion,
    positive_images,
    stack_confusion,
)
from models.sparcc.triples import Edge, triple, triples


def numbered(count):
    """Slices whose every pixel is the slice's number."""
    return np.broadcast_to(np.arange(count, dtype=np.float32)[:, None, None], (count, 4, 5))


def seen(found):
    return [tuple(int(value) for value in one[:, 0, 0]) for one in found.pixels]


def test_red_is_the_previous_slice_green_the_current_and_blue_the_next():
    found = triples(numbered(4), np.arange(4) * 3.5)
    assert seen(found) == [(0, 0, 1), (0, 1, 2), (1, 2, 3), (2, 3, 3)]
    assert found.frames.tolist() == [0, 1, 2, 3]


def test_slices_with_one_neighbour_can_be_dropped():
    found = triples(numbered(4), np.arange(4) * 3.5, Edge.DROP)
    assert seen(found) == [(0, 1, 2), (1, 2, 3)]
    assert found.frames.tolist() == [1, 2]


def test_a_gap_is_an_end_of_the_stack():
    places = np.array([0.0, 3.5, 7.0, 14.0, 17.5, 21.0])
    assert seen(triples(numbered(6), places))[2:4] == [(1, 2, 2), (3, 3, 4)]
    assert triples(numbered(6), places, Edge.DROP).frames.tolist() == [1, 4]


@given(st.permutations(range(6)), st.sampled_from(Edge))
def test_triples_are_the_same_in_whatever_order_slices_come(order, edge):
    order = np.array(order)
    found = triples(numbered(6)[order], order * 4.0, edge)
    straight = triples(numbered(6), np.arange(6) * 4.0, edge)
    assert np.array_equal(found.pixels, straight.pixels)
    assert order[found.frames].tolist() == straight.frames.tolist()


def test_one_slice_stands_for_its_neighbours_or_is_dropped():
    assert seen(triples(numbered(1), np.zeros(1))) == [(0, 0, 0)]
    assert len(triples(numbered(1), np.zeros(1), Edge.DROP).frames) == 0
    assert triple(numbered(3), 2)[:, 0, 0].tolist() == [1, 2, 2]


def masks(*slices):
    """Masks of 2 x 2 pixels, one a slice, from the indices of their positive pixels."""
    made = np.zeros((len(slices), 4), bool)
    for number, pixels in enumerate(slices):
        made[number, list(pixels)] = True
    return made.reshape(-1, 2, 2)


def test_a_mask_beside_the_lesion_does_not_find_it_by_overlap():
    found, reference = masks([0], [1], [], [2], []), masks([0, 1], [2], [3], [], [])
    assert positive_images(found).tolist() == [True, True, False, True, False]
    by_overlap = positive_images(found, ImageRule.OVERLAP, reference)
    assert by_overlap.tolist() == [True, False, False, True, False]


def test_overlap_needs_a_reference_of_the_same_size():
    with pytest.raises(InputError, match="the rule overlap without reference masks"):
        positive_images(masks([0]), ImageRule.OVERLAP)
    with pytest.raises(InputError, match="reference masks of shape"):
        positive_images(masks([0]), ImageRule.OVERLAP, masks([0], [1]))


def slices(*positive, count=18):
    flags = np.zeros(count, bool)
    flags[list(positive)] = True
    return flags


def test_a_segment_is_positive_with_two_slices_wherever_they_lie():
    rule = SegmentRule()
    assert not rule.is_positive(slices(7))
    assert rule.is_positive(slices(3, 11))
    assert not rule.is_positive(slices())
    assert SegmentRule(min_slices=1).is_positive(slices(7))
    assert not SegmentRule(min_slices=3).is_positive(slices(3, 11))


def test_a_segment_rule_can_ask_for_neighbours_in_space():
    rule = SegmentRule(contiguous=True)
    assert not rule.is_positive(slices(3, 11))
    assert rule.is_positive(slices(3, 4))
    assert rule.is_positive(slices(16, 17))
    places = np.arange(18)[::-1].copy()
    places[[3, 11]] = 100, 101
    assert rule.is_positive(slices(3, 11), places)


def test_a_segment_rule_without_slices_is_refused():
    with pytest.raises(InputError, match="min_slices 0"):
        SegmentRule(min_slices=0)


@given(st.lists(st.booleans(), max_size=20), st.integers(1, 4))
def test_neighbours_are_never_easier_than_any_slices(flags, least):
    positive = np.array(flags, bool)
    if SegmentRule(least, contiguous=True).is_positive(positive):
        assert SegmentRule(least).is_positive(positive)


def test_counts_of_slices_and_of_the_segment():
    found, reference = masks([0], [1], [], [2], []), masks([0, 1], [2], [3], [], [])
    assert stack_confusion(found, reference) == (Confusion(2, 1, 1, 1), Confusion(1, 0, 0, 0))
    assert stack_confusion(found, reference, image_rule=ImageRule.OVERLAP) == (
        Confusion(1, 2, 1, 1),
        Confusion(1, 0, 0, 0),
    )
    none = stack_confusion(masks([], [], []), masks([0], [1], []))
    assert none == (Confusion(0, 2, 0, 1), Confusion(0, 1, 0, 0))
    assert none[0] + none[1] == Confusion(0, 3, 0, 1)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30))
def test_the_four_counts_add_up(pairs):
    decided, truth = ([pair[place] for pair in pairs] for place in (0, 1))
    counts = confusion(np.array(decided, bool), np.array(truth, bool))
    assert counts.true_positive + counts.false_negative == sum(truth)
    assert counts.true_positive + counts.false_positive == sum(decided)
    assert counts.false_positive + counts.true_negative == len(pairs) - sum(truth)
