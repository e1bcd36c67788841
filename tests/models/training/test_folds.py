"""No patient is on both sides of a split, and folds differ by one patient at most."""

from collections import Counter

import pytest

from core.errors import InputError
from models.training.folds import folds, keep_apart, kept_patients, split

PATIENTS = [f"P{i % 12}" for i in range(30)]


def test_folds_are_of_equal_size_and_do_not_depend_on_the_order():
    of = folds(PATIENTS)
    assert sorted(Counter(of.values()).values()) == [2, 2, 2, 3, 3]
    assert folds(PATIENTS[::-1]) == of
    train, test = split(PATIENTS, 1)
    assert sorted(train + test) == list(range(30))
    assert not {PATIENTS[i] for i in train} & {PATIENTS[i] for i in test}
    with pytest.raises(InputError, match="5 folds need at least 5"):
        folds(["P1", "P2"])


def test_some_patients_are_kept_for_tuning():
    kept = kept_patients(PATIENTS, seed=1, proportion=0.25)
    assert len(kept) == 3
    assert kept == kept_patients(PATIENTS[::-1], seed=1, proportion=0.25)
    with pytest.raises(InputError, match="at least two patients"):
        kept_patients(["P1", "P1"], seed=0)


def test_a_patient_on_both_sides_is_named():
    keep_apart(["P1"], ["P2"])
    with pytest.raises(InputError, match=r"2 patients for training and for test \(P1 \.\.\.\)"):
        keep_apart(["P2", "P1", "P3"], ["P1", "P2"], "test")
