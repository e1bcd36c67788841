"""Pearson, Spearman and concordance against scipy and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.agreement.correlation import concordance, midranks, pearson, spearman

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=0, max_size=12)


@pytest.mark.parametrize("seed", range(5))
def test_equal_scipy_with_ties(seed):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 6, 40)
    second = first + rng.integers(-2, 3, 40)
    assert pearson(first, second)["estimate"] == pytest.approx(stats.pearsonr(first, second).statistic)
    expected = stats.pearsonr(first, second).confidence_interval()
    assert pearson(first, second)["ci"] == pytest.approx([expected.low, expected.high])
    assert spearman(first, second)["estimate"] == pytest.approx(stats.spearmanr(first, second).statistic)


def test_midranks_equal_scipy():
    values = [3, 1, 3, 2, 1, 1]
    assert midranks(values).tolist() == stats.rankdata(values).tolist()


def test_concordance_formula_of_lin_1989():
    first, second = np.array([1.0, 2, 3, 5]), np.array([1.5, 2, 4, 4])
    expected = (
        2
        * np.cov(first, second, ddof=0)[0, 1]
        / (first.var() + second.var() + (first.mean() - second.mean()) ** 2)
    )
    assert concordance(first, second)["estimate"] == pytest.approx(expected)


def test_concordance_interval_holds_the_truth_95_times_in_100():
    rng = np.random.default_rng(1)
    truth = 2 * 0.8 / (1 + 1 + 0.3**2)
    held = []
    for _ in range(1500):
        first, second = rng.multivariate_normal([0, 0.3], [[1, 0.8], [0.8, 1]], 60).T
        low, high = concordance(first, second)["ci"]
        held.append(low < truth < high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def test_a_rater_who_doubles_correlates_but_does_not_agree():
    first = np.arange(1.0, 9)
    assert pearson(first, 2 * first)["estimate"] == pytest.approx(1)
    assert spearman(first, 2 * first)["ci"] == [1, 1]
    assert concordance(first, 2 * first)["estimate"] < 0.6


@given(pairs)
def test_never_nan_and_within_one(values):
    first, second = [a for a, _ in values], [b for _, b in values]
    for statistic in (pearson, spearman, concordance):
        found = statistic(first, second)
        assert all(x is None or abs(x) <= 1 for x in (found["estimate"], *found["ci"]))


def test_constant_raters():
    for statistic in (pearson, spearman):
        assert statistic([1, 1, 1], [1, 2, 3])["estimate"] is None
    assert concordance([1, 1, 1], [1, 2, 3])["estimate"] == 0
    assert concordance([1, 1, 1], [1, 1, 1])["estimate"] is None
