"""Rounding noise decides nothing: 0.1 + 0.2 ranks with 0.3, and equal values keep their order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.agreement.correlation import spearman
from core.agreement.grades.kappa import kappas
from core.progression.arms.rank_ancova import rank_ancova
from core.progression.arms.van_elteren import van_elteren
from core.progression.probability import cumulative_probability
from core.progression.progressors import beyond
from core.ties import in_order, is_above, is_below, is_same, mid_ranks, tied

TENTHS = st.lists(st.integers(-30, 30), min_size=4, max_size=30)


def noisy(tenths, seed):
    """The same tenths, each summed from pieces in an order of its own, so that noise differs."""
    rng = np.random.default_rng(seed)
    values = []
    for tenth in tenths:
        pieces = rng.multinomial(abs(tenth) + 40, [0.3, 0.3, 0.4]) / 10
        values.append(float(np.copysign(1, tenth) * (sum(rng.permutation(pieces).tolist()) - 4.0)))
    return np.array(values)


def test_a_sum_that_is_off_by_noise_ties_with_the_plain_number():
    assert 0.1 + 0.2 != 0.3
    assert tied([0.3, 0.1 + 0.2, 0.3 + 2e-9]).tolist() == [0.3, 0.3, 0.3 + 2e-9]
    assert mid_ranks([0.1 + 0.2, 0.3, 0.2]).tolist() == [2.5, 2.5, 1]


def test_small_units_keep_their_differences():
    assert len(np.unique(tied([1e-12, 2e-12, 3e-12]))) == 3


def test_missing_values_stay_missing_and_come_last():
    assert np.isnan(tied([np.nan, 1.0])[0])
    assert in_order([np.nan, 0.1 + 0.2, 0.3, 0.2]).tolist() == [3, 1, 2, 0]


def test_cut_offs_take_noise_as_equal():
    assert not is_above(0.1 + 0.2, 0.3) and not is_below(0.3, 0.1 + 0.2) and is_same(0.3, 0.1 + 0.2)
    assert not beyond(0.1 + 0.2, ">", 0.3) and beyond(0.3, ">=", 0.1 + 0.2)
    assert not beyond(np.nan, ">=", 0) and not beyond(np.nan, "<=", 0)
    assert not is_above(1e8 * (0.1 + 0.2), 1e8 * 0.3)


@settings(max_examples=60, deadline=None)
@given(TENTHS, st.integers(0, 10**6))
def test_ranks_and_orders_do_not_see_noise(tenths, seed):
    exact, other = np.array(tenths) / 10, noisy(tenths, seed)
    assert mid_ranks(other).tolist() == mid_ranks(np.array(tenths)).tolist()
    for first in (False, True):
        assert in_order(other, largest_first=first).tolist() == in_order(exact, largest_first=first).tolist()


@settings(max_examples=60, deadline=None)
@given(TENTHS, st.integers(0, 10**6))
def test_no_rank_statistic_sees_noise(tenths, seed):
    exact, other = np.array(tenths) / 10, noisy(tenths, seed)
    rng = np.random.default_rng(seed)
    second, base = rng.random(len(exact)) < 0.5, rng.integers(0, 5, len(exact)) / 10
    for test in (
        lambda change: van_elteren(change, second, np.zeros(len(change))).p,
        lambda change: rank_ancova(change, base, second).p,
        lambda change: spearman(change, base)["estimate"],
    ):
        plain, again = test(exact), test(other)
        assert (plain is None and again is None) or plain == pytest.approx(again, nan_ok=True, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(TENTHS, st.integers(0, 10**6))
def test_ties_of_the_cumulative_plot_stand_in_file_order(tenths, seed):
    subjects = pd.Series([f"P{place}" for place in range(len(tenths))])
    arm = pd.Series(["A", "B"] * len(tenths)).iloc[: len(tenths)]
    plain = cumulative_probability(subjects, arm, np.array(tenths) / 10)
    again = cumulative_probability(subjects, arm, noisy(tenths, seed))
    assert again["subject"].tolist() == plain["subject"].tolist()
    assert again["x"].tolist() == plain["x"].tolist()


def test_grades_that_were_computed_are_grades():
    first = np.array([0.1 * 3 / 0.3, 0.0, 2.0, 1.0])
    assert first[0] != 1.0
    assert kappas(first, [1.0, 0.0, 2.0, 2.0]) == kappas(np.round(first), [1.0, 0.0, 2.0, 2.0])
