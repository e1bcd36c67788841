"""Which slices of STIR stacks are trained on, how often, and on which side of a fold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from models.sparcc.oedema.slices import FoldBy, Slice, drawn, fold_of, on_both_sides, to_train_on


def study(patients=20, frames=18, positive=(5, 6)):
    """One stack a patient; every second patient has no oedema."""
    return [
        Slice(f"P{number}", f"P{number}-lumbar", frame, number % 2 == 0 and frame in positive)
        for number in range(patients)
        for frame in range(frames)
    ]


def test_patients_without_oedema_can_be_left_out_whole():
    slices = study()
    assert to_train_on(slices) == slices
    kept = to_train_on(slices, negative_patients=False)
    assert {one.patient for one in kept} == {f"P{number}" for number in range(0, 20, 2)}
    assert len(kept) == 10 * 18


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_positive_slices_are_drawn_as_often_as_set(share):
    found = drawn(study(), 4000, np.random.default_rng(0), positive=share)
    assert np.mean([one.positive for one in found]) == pytest.approx(share, abs=0.03)


def test_every_slice_of_a_kind_can_be_drawn():
    slices = study(patients=4, frames=5, positive=(1, 2))
    assert set(drawn(slices, 2000, np.random.default_rng(1))) == set(slices)


def test_slices_of_one_kind_are_all_that_is_drawn_and_none_are_refused():
    slices = [Slice("P1", "a", frame, False) for frame in range(3)]
    assert len(drawn(slices, 7, np.random.default_rng(0), positive=1.0)) == 7
    with pytest.raises(InputError, match="no slices"):
        drawn([], 7, np.random.default_rng(0))


@given(st.integers(0, 5), st.integers(2, 10))
def test_folds_by_patient_leak_nobody(seed, count):
    slices = study()
    fold = fold_of(slices, count=count, seed=seed)
    assert set(fold.tolist()) == set(range(count))
    assert on_both_sides(slices, fold) == []


def test_folds_by_image_are_even_and_leak_nearly_everybody():
    slices = study()
    fold = fold_of(slices, by=FoldBy.IMAGE)
    assert np.ptp(np.bincount(fold)) == 0
    assert len(on_both_sides(slices, fold)) == 20


@given(st.randoms(use_true_random=False), st.sampled_from(FoldBy))
def test_a_slice_is_in_the_same_fold_whatever_the_order(order, by):
    slices = study(patients=12, frames=4)
    straight = dict(zip(slices, fold_of(slices, by=by, count=3).tolist(), strict=True))
    order.shuffle(slices)
    assert dict(zip(slices, fold_of(slices, by=by, count=3).tolist(), strict=True)) == straight


def test_more_folds_than_slices_or_patients_are_refused():
    with pytest.raises(InputError, match="10 folds need at least 10"):
        fold_of(study(patients=1, frames=5), by=FoldBy.IMAGE)
    with pytest.raises(InputError, match="10 folds need at least 10"):
        fold_of(study(patients=9))
