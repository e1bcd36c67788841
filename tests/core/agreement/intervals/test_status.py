"""Intervals of SD, concordance and quadratic kappa that draw patients."""

import numpy as np
import pytest

from core.agreement.grades.kappa import kappas
from core.agreement.intervals.beside import better_intervals
from core.agreement.intervals.status import concordance_limits, spread_factors
from core.agreement.sem import chi_square_limits


def reads(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.gamma(1, 5, n)[:, None] + rng.normal(size=(n, 2))


def test_normal_errors_of_many_patients_have_the_chi_square_interval():
    low, high = spread_factors(reads(400), seed=1)
    assert (low, high) == pytest.approx(chi_square_limits(1.0, 399), abs=0.02)


def test_same_numbers_in_other_units_have_the_same_factors():
    table = reads(20)
    assert spread_factors(table * 1000 + 5e4, seed=1) == pytest.approx(
        spread_factors(table, seed=1), rel=1e-6
    )


def test_rows_of_a_patient_are_drawn_together():
    table, patient = reads(15), np.repeat(np.arange(15), 8)
    alone, together = spread_factors(table, seed=1), spread_factors(table[patient], patient, seed=1)
    assert together == pytest.approx(alone, rel=0.02)


def test_interval_of_the_sd_holds_with_ten_patients():
    """Percentiles of 10 patients whose errors differ hold in about 0.78."""
    held = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        patient = np.repeat(np.arange(10), 10)
        seen = rng.normal(size=(100, 2)) * rng.lognormal(0, 0.5, 10)[patient][:, None]
        sd = (seen[:, 0] - seen[:, 1]).std(ddof=1)
        low, high = spread_factors(seen, patient, draws=200, seed=seed)
        held += not sd * low > np.sqrt(2 * np.exp(0.5)) and not sd * high < np.sqrt(2 * np.exp(0.5))
    assert held >= 0.87 * 120


def test_concordance_near_one_has_limits_below_one():
    grades = np.tile([0, 1, 2, 3], 10)
    other = grades.copy()
    other[[0, 7]] = 1
    low, high = concordance_limits(np.column_stack([grades, other]), seed=1)
    textbook = kappas(grades, other)["quadratic"]
    assert low < textbook["ci"][0] and textbook["estimate"] < high < 1


def test_no_limits_without_disagreement_or_patients():
    same = np.repeat(reads(20)[:, :1], 2, axis=1)
    assert np.isnan(spread_factors(same, seed=1)).all()
    assert np.isnan(concordance_limits(same, seed=1)).all()
    assert np.isnan(spread_factors(reads(2), seed=1)).all()
    assert better_intervals(same, {"mdc95": 0.0}, None, changes=False, seed=1) is None


def test_what_stands_beside_the_textbook_forms():
    found = better_intervals(np.round(reads(30)), {"mdc95": 2.0, "x": None}, None, changes=False, seed=1)
    assert {"mdc95", "ccc", "kappa.quadratic", "readers", "method"} <= set(found) and "x" not in found
    assert {"kappa.unweighted", "kappa.linear"} <= set(found)
    assert found["mdc95"][0] < 2 < found["mdc95"][1]
    assert found["ccc"] == pytest.approx(found["kappa.quadratic"])
