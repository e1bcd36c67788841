"""Interval-censored curves: against R, a general optimiser, and cases that are known by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from core.progression.regression.npmle import npmle, progressed_interval
from tests.core.progression.regression.test_regression import read


@pytest.mark.parametrize("arm", ["A", "B"])
def test_curve_equals_survfit(arm):
    """R's search stops early (a share moves by 0.002), and steps inside intervals are its own choice."""
    rows = read("times").query("arm == @arm")
    found = npmle(rows["left"] / 365.25, rows["right"] / 365.25)
    theirs = read("r").query("model == @name", local_dict={"name": f"npmle {arm}"})
    low, high = found.bounds(theirs["term"].astype(float).to_numpy() / 365.25)
    assert found.converged
    assert (theirs["estimate"].to_numpy() >= low - 2e-3).all()
    assert (theirs["estimate"].to_numpy() <= high + 2e-3).all()


def test_exactly_known_intervals_are_shares():
    found = npmle([0, 0, 1, 1, 2], [1, 1, 2, 2, np.inf])
    assert found.progressed([1, 2]).tolist() == pytest.approx([0.4, 0.8])
    assert found.progressed([0.5]).tolist() == pytest.approx([0.2])  # spread evenly within (0, 1]
    assert [bound.tolist() for bound in found.bounds([0.5])] == [[0.0], pytest.approx([0.4])]


def test_nobody_progressed():
    found = npmle([1, 2, 2], [np.inf] * 3)
    assert found.progressed([1, 5]).tolist() == [0, 0]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.booleans()), min_size=2, max_size=15))
def test_no_general_optimiser_finds_a_larger_likelihood(rows):
    left = np.array([row[0] for row in rows], float)
    right = np.array([np.inf if row[2] else row[0] + row[1] for row in rows])
    found = npmle(left, right)
    inside = (found.start >= left[:, None]) & (found.end <= right[:, None])

    def loss(logits):
        mass = np.exp(logits - logits.max())
        return -np.log(np.maximum(inside @ (mass / mass.sum()), 1e-300)).sum()

    best = optimize.minimize(loss, np.zeros(len(found.mass)), method="BFGS").fun
    assert found.converged
    assert found.mass.sum() == pytest.approx(1)
    assert -np.log(inside @ found.mass).sum() <= best + 1e-6


def test_bootstrap_interval_holds_the_curve_and_repeats():
    rows = read("times")
    left, right = rows["left"] / 365.25, rows["right"] / 365.25
    years = np.array([0.75, 1.75])
    low, high = progressed_interval(left, right, years, draws=200)
    middle = npmle(left, right).progressed(years)
    assert (low < middle).all()
    assert (middle < high).all()
    again = progressed_interval(left, right, years, draws=200)
    np.testing.assert_array_equal(low, again[0])


def test_bootstrap_of_known_intervals_is_binomial():
    left, right = np.repeat([0.0, 1.0], [30, 70]), np.repeat([1.0, np.inf], [30, 70])
    low, high = progressed_interval(left, right, [1.0], draws=2000)
    half = 1.96 * np.sqrt(0.3 * 0.7 / 100)
    assert [low[0], high[0]] == pytest.approx([0.3 - half, 0.3 + half], abs=0.02)


@pytest.mark.parametrize("rows", [([0, 2], [1, 2]), ([0, np.nan], [1, 2]), ([-1], [2])])
def test_an_empty_interval_is_an_error(rows):
    with pytest.raises(ValueError, match="0 <= left < right"):
        npmle(*rows)


def test_no_interval_at_all():
    with pytest.raises(ValueError, match="no interval"):
        npmle(pd.Series([], dtype=float), pd.Series([], dtype=float))
