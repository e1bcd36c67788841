"""Benchmark figures of grades against scikit-learn, and intervals that resample patients."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.agreement.grades.benchmark import (
    MEASURES,
    by_joint,
    compared,
    counted,
    mean_of_joints,
    measures,
    total_error,
)

grades = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=60)


@settings(max_examples=25, deadline=None)
@given(grades)
def test_figures_are_those_of_scikit_learn(pairs):
    from sklearn import metrics

    own, true = np.array(pairs).T
    found = measures(counted(own, true, 6))
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(true, own))
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(true, own))
    assert found["rmse"] == pytest.approx(np.sqrt(metrics.mean_squared_error(true, own)))
    recall = metrics.recall_score(true, own, labels=sorted(set(true)), average="macro", zero_division=0)
    assert found["balanced_accuracy"] == pytest.approx(recall)
    if len({*own, *true}) > 1:
        kappa = metrics.cohen_kappa_score(own, true, weights="quadratic", labels=range(6))
        assert found["kappa_quadratic"] == pytest.approx(kappa)
    present = metrics.f1_score(true > 0, own > 0, zero_division=np.nan)
    assert found["present.f1"] == pytest.approx(present, nan_ok=True)


def test_every_true_grade_weighs_alike():
    own, true = [0] * 9 + [1], [0] * 9 + [3]  # nine healthy sites right, one damaged site two off
    found = measures(counted(own, true, 4))
    assert (found["mae"], found["error_by_grade"]) == (pytest.approx(0.2), pytest.approx(1.0))
    assert found["rmse_by_grade"] == pytest.approx(np.sqrt(2))


def test_what_does_not_exist_is_missing():
    same = measures(counted([2, 2], [2, 2], 4))
    assert np.isnan(same["kappa_quadratic"]) and np.isnan(same["present.specificity"])
    rows = pd.DataFrame({"subject": ["a", "b"], "given": [2, 2], "true": [2, 2]})
    found = compared(rows, 4)
    assert found["kappa_quadratic"] == {"estimate": None, "ci": [None, None]}
    assert found["accuracy"]["estimate"] == 1.0 and found["patients"] == 2


def test_intervals_hold_the_estimate_and_resample_patients():
    rng = np.random.default_rng(3)
    true = rng.integers(0, 4, 300)
    own = np.clip(true + rng.integers(-2, 3, 300), 0, 3)
    rows = pd.DataFrame({"subject": rng.integers(0, 30, 300).astype(str), "given": own, "true": true})
    found = compared(rows, 4)
    for name in MEASURES:
        low, high = found[name]["ci"]
        assert low <= found[name]["estimate"] <= high and low < high
    one = compared(rows.assign(subject="x"), 4)
    assert one["mae"]["ci"] == [None, None]
    doubled = compared(pd.concat([rows, rows]), 4)  # the same patients, each row twice
    assert doubled["mae"]["ci"] == pytest.approx(found["mae"]["ci"])


def test_the_mean_of_joints_is_plain():
    rows = pd.DataFrame(
        {"subject": list("abcd"), "joint": ["A", "A", "A", "B"], "given": [1, 1, 1, 0], "true": [1, 1, 1, 2]}
    )
    joints = by_joint(rows, 3)
    assert (joints["A"]["n"], joints["B"]["mae"]) == (3, 2.0)
    assert mean_of_joints(joints)["mae"] == 1.0


def test_errors_of_sums():
    assert total_error([3, 5], [1, 6]) == {"n": 2, "mae": 1.5, "rmse": pytest.approx(2.5**0.5), "bias": 0.5}
    assert total_error([], [])["mae"] is None
