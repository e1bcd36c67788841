"""Limits of agreement against domain.md F2 and scipy (F2 through the command is in the command's test)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.agreement.limits.bland_altman import bland_altman, exact_factors, limits_of_agreement

WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
pairs = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=0, max_size=12)


def test_exact_factors_of_domain_f2():
    assert [round(float(c), 5) for c in exact_factors(17)] == [1.31506, 3.14832]


@pytest.mark.parametrize("n", [2, 3, 10, 1000, 1_000_000])
def test_exact_factors_are_quantiles_of_the_noncentral_t(n):
    for factor, p in zip(exact_factors(n), (0.025, 0.975), strict=True):
        assert stats.nct.cdf(factor * np.sqrt(n), n - 1, 1.96 * np.sqrt(n)) == pytest.approx(p, abs=1e-6)


def test_exact_interval_holds_the_true_limit_95_times_in_100():
    rng = np.random.default_rng(5)
    differences = rng.normal(size=(20_000, 9))
    limits = limits_of_agreement(differences.mean(axis=1), differences.std(axis=1, ddof=1), 9)
    _, low, high = limits["upper"]
    assert np.mean((low < 1.96) & (high > 1.96)) == pytest.approx(0.95, abs=0.006)


def test_se_and_95_percent_interval_of_bias():
    found = bland_altman(WRIGHT, MINI)
    d = np.subtract(WRIGHT, MINI)
    assert found["bias"]["ci"] == pytest.approx(stats.t.interval(0.95, 16, d.mean(), stats.sem(d)))


def test_proportional_bias_is_the_regression_on_the_mean():
    found = bland_altman(WRIGHT, MINI)["proportional_bias"]
    line = stats.linregress(np.add(WRIGHT, MINI) / 2, np.subtract(WRIGHT, MINI))
    assert (found["slope"], found["intercept"]) == pytest.approx((line.slope, line.intercept))
    assert (found["se"], found["p"]) == pytest.approx((line.stderr, line.pvalue))


def test_swapping_the_raters_mirrors_everything():
    ahead, back = bland_altman(WRIGHT, MINI), bland_altman(MINI, WRIGHT)
    assert back["bias"]["estimate"] == -ahead["bias"]["estimate"]
    lower, upper = back["loa"]["lower"], ahead["loa"]["upper"]
    assert lower["estimate"] == pytest.approx(-upper["estimate"])
    assert lower["ci"] == pytest.approx([-upper["ci"][1], -upper["ci"][0]])


@given(pairs)
def test_never_nan(values):
    first, second = [a for a, _ in values], [b for _, b in values]
    for method in ("exact", "approximate"):
        found = bland_altman(first, second, loa_ci=method)
        numbers = [found["sd"], *found["bias"]["ci"], *found["proportional_bias"]["ci"]]
        numbers += [x for side in found["loa"].values() for x in (side["estimate"], *side["ci"])]
        assert all(x is None or np.isfinite(x) for x in numbers)
        if None in numbers:
            assert found["notes"]


def test_equal_differences_have_no_spread_and_no_test():
    found = bland_altman([0.1, 1.1, 2.3, 7.7], [0.4, 1.4, 2.6, 8.0])
    assert found["sd"] == 0
    assert found["loa"]["upper"]["ci"] == pytest.approx([-0.3, -0.3])
    assert found["proportional_bias"]["slope"] == 0 and found["proportional_bias"]["p"] is None
    assert "nothing to test" in found["notes"]["proportional_bias"]


def test_unknown_method_is_refused():
    with pytest.raises(ValueError, match="'bayes'; one of exact, approximate is needed"):
        bland_altman([1, 2], [2, 3], loa_ci="bayes")
