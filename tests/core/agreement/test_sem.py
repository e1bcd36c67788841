"""Measurement error: domain.md B2 and F3."""

import numpy as np
import pytest

from core.agreement.icc import icc
from core.agreement.sem import (
    LIMITS_80,
    chi_square_limits,
    mdc,
    sdc,
    sem_agreement,
    sem_consistency,
    standard_errors,
)

CHANGE = np.array([[0, 2, 1, 0, 0, 6, 2, 0, 3, 0], [1, 1, 3, -1, 0, 4, 0, 1, 1, 0]]).T
BASELINE = np.array([[0, 4, 12, 22, 2, 35, 0, 8, 16, 5], [0, 5, 10, 24, 2, 33, 1, 7, 15, 6]]).T


def test_sdc_of_f3():
    residual = icc(CHANGE)["mean_squares"]["EMS"]
    assert round(sdc(residual), 6) == 1.981658
    assert round(sdc(residual, readers=2), 6) == 1.401244
    assert round(sdc(residual, readers=2, multiplier=LIMITS_80), 6) == 0.916242


def test_mdc_of_f3_baseline():
    squares = icc(BASELINE)["mean_squares"]
    assert round(sem_agreement(squares["WMS"]), 6) == 0.921954
    consistency = sem_consistency(squares["EMS"])
    assert round(consistency, 6) == 0.968963
    assert (round(mdc(consistency), 6), round(mdc(consistency, readers=2), 6)) == (2.685828, 1.899167)


def test_two_readers_are_the_textbook_form():
    d = CHANGE[:, 0] - CHANGE[:, 1]
    residual = icc(CHANGE)["mean_squares"]["EMS"]
    for k in (1, 2, 3):
        assert sdc(residual, readers=k) == pytest.approx(1.96 * d.std(ddof=1) / np.sqrt(2) / np.sqrt(k))


def test_interval_holds_the_true_value_95_times_in_100():
    rng = np.random.default_rng(0)
    found = np.array([chi_square_limits(s, 9) for s in rng.normal(size=(4000, 10)).std(axis=1, ddof=1)])
    assert np.mean((found[:, 0] < 1) & (found[:, 1] > 1)) == pytest.approx(0.95, abs=0.01)


def test_missing_mean_squares_give_none():
    found = standard_errors(None, None, 1, 2)
    assert found["sem"] == {"agreement": None, "consistency": None}
    assert found["mdc95"] is None and found["mdc95_ci"] == [None, None]
