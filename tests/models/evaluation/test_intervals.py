"""Intervals of evaluation figures draw patients; a proportion of 0 or 1 has Wilson's limits over patients."""

import numpy as np
import pytest

from models.evaluation.intervals import mean_by_patient, predictive_value, proportion, ratio


def test_interval_resamples_patients_not_rows():
    subjects = ["A"] * 50 + ["B"] * 50
    values = np.array([0.0] * 50 + [1.0] * 50)
    found = mean_by_patient(values, subjects, draws=200)
    assert found["ci"] == [0.0, 1.0]  # a draw holds both, or one patient twice
    assert mean_by_patient(values[:50], subjects[:50])["ci"] == [None, None]


def test_mean_by_patient_draws_patients():
    subjects = np.repeat(["a", "b", "c", "d"], 50)
    wide = mean_by_patient(np.repeat([0.0, 0.0, 4.0, 4.0], 50), subjects, draws=500)["ci"]
    assert wide[0] < 1.2
    assert wide[1] > 2.8
    assert mean_by_patient(np.zeros(0), np.zeros(0, str))["estimate"] is None


def test_proportion_of_all_or_none_gets_wilson_limits_over_patients():
    of_four = mean_by_patient(np.ones(12, bool), list("ABCD" * 3), is_proportion=True)
    assert of_four["estimate"] == 1
    assert of_four["ci"] == pytest.approx([0.5101, 1.0], abs=1e-4)  # Wilson, 4 of 4: rows do not count
    none = proportion(np.zeros(4, bool), np.array([1, 1, 1, 0], bool), list("AABC"))
    assert none["ci"] == pytest.approx([0.0, 0.6576], abs=1e-4)  # 0 of the 2 patients with a case
    assert mean_by_patient([1.0, 1.0], ["A", "B"])["ci"] == [1.0, 1.0]  # a mean of 1 is no proportion


def test_proportion_counts_hits_among_cases_alone():
    hit, cases = np.array([1, 1, 0, 1], bool), np.array([1, 0, 1, 1], bool)
    assert proportion(hit, cases, list("ABCD"))["estimate"] == pytest.approx(2 / 3)
    assert proportion(hit, np.zeros(4, bool), list("ABCD"))["estimate"] is None


def test_ratio_equals_a_bootstrap_row_by_row():
    rng = np.random.default_rng(3)
    subjects = np.repeat(list("abcde"), 4)
    above, below = rng.integers(0, 3, 20), rng.integers(1, 4, 20)
    found = ratio(above, below, subjects, draws=50)
    from core.agreement.bootstrap import draw_counts

    drawn = []
    for counts in draw_counts(5, draws=50):
        rows = np.concatenate([np.flatnonzero(subjects == s) for s, n in zip("abcde", counts, strict=True)
                               for _ in range(n)])  # fmt: skip
        drawn.append(above[rows].sum() / below[rows].sum())
    assert found["ci"] == pytest.approx(np.quantile(drawn, [0.025, 0.975]))


def test_predictive_value_follows_bayes_at_any_prevalence():
    truth = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], bool)
    decided = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0], bool)
    found = predictive_value(decided, truth, list("ABCDEFGHIJ"), 0.1, draws=200)
    assert found["estimate"] == pytest.approx(0.75 * 0.1 / (0.75 * 0.1 + 0.9 / 6))
    assert found["ci"][0] < found["estimate"] <= found["ci"][1]
    at_own = predictive_value(decided, truth, list("ABCDEFGHIJ"), 0.4)
    assert at_own["estimate"] == pytest.approx(3 / 4)
    assert predictive_value(decided, np.ones(10, bool), list("ABCDEFGHIJ"), 0.1)["estimate"] is None
