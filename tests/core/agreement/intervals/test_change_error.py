"""Intervals of SDC and change ICC: what they must be, whatever the draws; the bench counts coverage."""

import math

import numpy as np
import pytest

from core.agreement.icc import FORMS, icc, mean_squares
from core.agreement.intervals.change_error import RESIDUAL, change_intervals
from core.agreement.intervals.change_model import fit
from core.agreement.intervals.parts import Parts
from core.agreement.intervals.studentised import limits, widest
from core.agreement.sem import chi_square_limits


def changes(n: int = 40, k: int = 2, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    true = np.where(rng.random(n) < 0.65, 0, rng.lognormal(0.3, 0.9, n))
    return true[:, None] + rng.normal(size=(n, k))


@pytest.mark.parametrize("k", [2, 3])
def test_logs_are_those_of_the_mean_squares(k):
    table = changes(k=k)
    squares = mean_squares(table)
    parts = Parts.of(table.mean(axis=1), table - table.mean(axis=1, keepdims=True))
    assert parts.log_residual().value == pytest.approx(math.log(squares.residual))
    forms = icc(table)["forms"]
    for shape in "1AC":
        value = forms[f"ICC({shape},1)"]["estimate"]
        assert parts.log_ratio(shape).value == pytest.approx(math.log((1 + (k - 1) * value) / (1 - value)))


def test_standard_error_is_that_of_many_samples():
    rng = np.random.default_rng(3)
    tables = rng.normal(size=(1500, 200, 1)) * 2 + rng.normal(size=(1500, 200, 2))
    mean = tables.mean(axis=2)
    parts = Parts.of(mean, tables - mean[..., None])
    for logs in (parts.log_residual(), parts.log_ratio("A"), parts.log_ratio("C")):
        assert logs.se.mean() == pytest.approx(logs.value.std(), rel=0.06)


@pytest.mark.parametrize("k", [2, 3])
def test_estimates_lie_in_their_intervals(k):
    table = changes(k=k)
    found = change_intervals(table)
    for form in FORMS:
        low, high = found.of_form(form)
        assert low < icc(table)["forms"][form]["estimate"] < high <= 1
    low, high = found.around(1.0)
    assert low < 1 < high


def test_unit_order_and_shift_change_nothing():
    table = changes()
    found = change_intervals(table)
    scaled = change_intervals(table * 4)
    assert scaled.around(4.0) == pytest.approx([4 * limit for limit in found.around(1.0)])
    assert scaled.icc["ICC(A,1)"] == pytest.approx(found.icc["ICC(A,1)"])
    assert change_intervals(table) == found
    biased = change_intervals(table + np.array([0, 3.0]))
    assert biased.by_patients[RESIDUAL] == pytest.approx(found.by_patients[RESIDUAL])
    assert change_intervals(-table).spread == pytest.approx(found.spread)


def test_wider_than_the_textbook_where_half_do_not_disagree():
    table = changes(60)
    table[::2, 1] = table[::2, 0]
    low, high = change_intervals(table).around(1.0)
    textbook = chi_square_limits(1.0, 59)
    assert low < textbook[0] and high > textbook[1]


def test_one_patient_with_disagreement_leaves_the_limit_open():
    table = np.repeat(np.arange(12.0)[:, None], 2, axis=1)
    table[3, 1] += 2
    assert change_intervals(table).around(1.0) == [None, None]
    assert change_intervals(table).of_form("ICC(A,1)") == [None, None]


def test_no_disagreement_and_no_change_have_no_interval():
    same = np.repeat(np.arange(12.0)[:, None], 2, axis=1)
    assert change_intervals(same).around(0.0) == [None, None]
    assert change_intervals(np.zeros((12, 2))).of_form("ICC(A,1)") == [None, None]


@pytest.mark.parametrize("shape", [(2, 2), (5, 1), (0, 2)])
def test_too_little_has_none(shape):
    assert change_intervals(np.zeros(shape)) is None


def test_status_has_no_model():
    found = change_intervals(changes() + 20, is_status=True)
    assert all(math.isnan(limit) for pair in found.by_model.values() for limit in pair)
    assert found.around(1.0) == change_intervals(changes() + 20, is_status=True).around(1.0)


def test_model_finds_the_share_without_change_and_the_growth():
    rng = np.random.default_rng(5)
    true = np.where(rng.random(4000) < 0.65, 0, rng.lognormal(0.3, 0.9, 4000))
    model = fit(true[:, None] + rng.normal(size=(4000, 2)) * (0.3 + 0.4 * true[:, None]))
    assert model.progressing == pytest.approx(0.35, abs=0.06)
    assert model.spread == pytest.approx(0.9, abs=0.15)
    assert model.growth > 0.25


def test_truth_of_the_model_is_that_of_its_samples():
    model = fit(changes(500))
    mean, off = model.draw(np.random.default_rng(1), 40, 20_000)
    parts = Parts.of(mean, off)
    ratio, noise = model.truth
    assert np.median(parts.log_residual().value) == pytest.approx(noise, abs=0.05)
    assert np.median(parts.log_ratio("C").value) == pytest.approx(ratio, abs=0.35)


def test_limits_turn_the_distances_around():
    low, high = limits(1.0, 0.5, np.linspace(-4, 2, 1001))
    assert (low, high) == (pytest.approx(1 - 0.5 * 1.85), pytest.approx(1 + 0.5 * 3.85))
    assert widest((0, 1), (np.nan, np.nan), (-1, 0.5)) == (-1, 1)
    assert all(math.isnan(limit) for limit in widest((np.nan, np.nan)))
