"""Folds of patients: nobody on two sides, every device and disease in each."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from models.synovitis.folds import FOLDS, Person, counts, folds, people, without_device

ROWS = st.lists(
    st.tuples(
        st.integers(0, 40).map("P{:03d}".format), st.sampled_from(["RA+", "RA-", "PsA", "SpA"]),
        st.sampled_from(["A", "B", "C"]),
    ),
    min_size=1, max_size=200,
)  # fmt: skip


def one_disease(rows):
    """The same pictures where each patient has the disease of the first of them."""
    first = {}
    for patient, disease, _ in rows:
        first.setdefault(patient, disease)
    return [(patient, first[patient], device) for patient, _, device in rows]


def spread(numbers):
    """Largest less smallest count over the folds."""
    found = Counter(numbers)
    return max(found[fold] for fold in range(FOLDS)) - min(found[fold] for fold in range(FOLDS))


@given(ROWS.map(one_disease), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_folds_are_alike_in_device_and_disease(rows, seed):
    persons = people(rows)
    if len(persons) < FOLDS:
        return
    fold_of = folds(persons, seed=seed)
    assert fold_of.keys() == {patient for patient, _, _ in rows}  # all pictures of a patient in one fold
    assert spread(fold_of.values()) <= 1
    for key in ("stratum", "devices"):
        for value in {getattr(person, key) for person in persons}:
            inside = [fold_of[one.patient] for one in persons if getattr(one, key) == value]
            assert spread(inside) <= 1, (key, value)
    for disease in {one.disease for one in persons}:
        strata = {one.stratum for one in persons if one.disease == disease}
        assert spread(fold_of[one.patient] for one in persons if one.disease == disease) <= len(strata)
    assert sum(counts(persons, fold_of).values()) == len(persons)


@given(ROWS.map(one_disease), st.randoms())
@settings(max_examples=20, deadline=None)
def test_folds_do_not_depend_on_the_order_of_pictures(rows, random):
    persons = people(rows)
    if len(persons) < FOLDS:
        return
    mixed = list(rows)
    random.shuffle(mixed)
    assert folds(people(mixed)) == folds(persons)


def test_another_seed_deals_otherwise():
    persons = [Person(f"P{number}", "RA+", frozenset("A")) for number in range(20)]
    assert folds(persons, seed=1) != folds(persons, seed=2)


def test_whoever_a_device_scanned_is_left_out_with_it():
    persons = people([("P1", "PsA", "A"), ("P2", "PsA", "B"), ("P3", "RA+", "A"), ("P3", "RA+", "B")])
    assert without_device(persons, "A") == {"P2"}


def test_too_few_patients_and_two_diseases_are_refused():
    with pytest.raises(InputError, match="5 folds need at least 5"):
        folds([Person("P1", "RA+", frozenset("A"))])
    with pytest.raises(InputError, match="patient P1 with RA\\+ and PsA"):
        people([("P1", "RA+", "A"), ("P1", "PsA", "A")])
