"""Two arms compared: van Elteren (domain.md F6), rank ANCOVA, Hodges-Lehmann, ANCOVA."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.progression.arms.ancova import ancova
from core.progression.arms.hodges_lehmann import hodges_lehmann
from core.progression.arms.rank_ancova import rank_ancova, residual_ranks
from core.progression.arms.van_elteren import rank_sum_distribution, van_elteren

F6_VALUE = [0, 0, 0.5, 2, 0, 1, 3, 4.5, 0, 0.5, 1, 0, 2, 2.5, 6]
F6_ARM = [False] * 4 + [True] * 4 + [False] * 3 + [True] * 4
F6_STRATUM = [1] * 8 + [2] * 7


def test_van_elteren_of_two_strata():
    found = van_elteren(F6_VALUE, F6_ARM, F6_STRATUM, exact=True)
    assert found.statistic == pytest.approx(0.881944, abs=5e-7)
    assert found.variance == pytest.approx(0.263861, abs=5e-7)
    assert found.z == pytest.approx(1.716933, abs=5e-7)
    assert found.z**2 == pytest.approx(2.947859, abs=5e-7)
    assert found.p == pytest.approx(0.085991, abs=5e-7)
    assert found.exact_p == pytest.approx(0.082041, abs=5e-7)
    assert (found.strata, found.n) == (2, 15)


def test_one_stratum_is_the_rank_sum_test():
    rng = np.random.default_rng(0)
    value, arm = rng.integers(0, 8, 30) / 2, np.arange(30) % 2 == 1
    found = van_elteren(value, arm, np.zeros(30))
    expected = stats.mannwhitneyu(value[arm], value[~arm], use_continuity=False, method="asymptotic")
    assert found.p == pytest.approx(expected.pvalue)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=3, max_size=9), st.integers(1, 4))
def test_rank_sums_are_those_of_all_choices(values, count):
    ranks = stats.rankdata(values)
    count = min(count, len(values))
    sums = [sum(chosen) for chosen in combinations(ranks, count)]
    found = dict(zip(*rank_sum_distribution(ranks, count), strict=True))
    assert found == {total: sums.count(total) for total in set(sums)}


def test_swapping_the_arms_turns_the_sign():
    plain = van_elteren(F6_VALUE, F6_ARM, F6_STRATUM)
    turned = van_elteren(F6_VALUE, np.logical_not(F6_ARM), F6_STRATUM)
    assert turned.z == pytest.approx(-plain.z)
    assert turned.p == pytest.approx(plain.p)


def test_a_stratum_with_one_arm_adds_nothing():
    more = van_elteren([*F6_VALUE, 3, 4], [*F6_ARM, True, True], [*F6_STRATUM, 3, 3])
    assert (more.z, more.strata, more.n) == (van_elteren(F6_VALUE, F6_ARM, F6_STRATUM).z, 2, 15)


def test_equal_values_have_no_z():
    assert np.isnan(van_elteren([1, 1, 1, 1], [0, 0, 1, 1], [0] * 4).p)
    assert np.isnan(rank_ancova([1, 1, 1, 1], [1, 2, 3, 4], [0, 0, 1, 1]).p)


def test_rank_ancova_without_a_spread_of_baseline_is_van_elteren():
    found = rank_ancova(F6_VALUE, np.ones(15), F6_ARM, F6_STRATUM)
    expected = van_elteren(F6_VALUE, F6_ARM, F6_STRATUM)
    assert [found.z, found.p] == pytest.approx([expected.z, expected.p])


def test_rank_ancova_has_the_variance_of_all_assignments():
    rng = np.random.default_rng(4)
    change, baseline = rng.normal(size=8), rng.integers(0, 4, 8)
    residual = residual_ranks(change, baseline)
    sums = [residual[list(chosen)].sum() for chosen in combinations(range(8), 3)]
    arm = np.isin(np.arange(8), [1, 4, 5])
    found = rank_ancova(change, baseline, arm)
    assert found.variance == pytest.approx(np.var(sums))
    assert found.statistic == pytest.approx(residual[arm].sum())
    assert found.chi_square == pytest.approx(found.z**2)


def test_rank_ancova_ignores_any_rising_transformation():
    rng = np.random.default_rng(6)
    change, baseline, arm = rng.normal(size=40), rng.exponential(size=40), np.arange(40) % 2 == 0
    plain = rank_ancova(change, baseline, arm, np.arange(40) % 3)
    bent = rank_ancova(np.exp(change), baseline**3, arm, np.arange(40) % 3)
    assert bent.z == pytest.approx(plain.z)


def test_rank_ancova_gains_from_baseline():
    rng = np.random.default_rng(2)
    baseline, arm = rng.normal(size=80), np.arange(80) % 2 == 1
    change = 3 * baseline + 0.8 * arm + rng.normal(size=80)
    assert rank_ancova(change, baseline, arm).p < van_elteren(change, arm, np.zeros(80)).p


def test_hodges_lehmann_equals_wilcox_test():
    """wilcox.test(b, a, conf.int = TRUE, exact = TRUE) in R 4.2.2."""
    a, b = [0.13, 0.5, 1.21, 2.05, -0.31, 3.4, 0.77, 1.9], [1.02, 2.44, 0.91, 4.6, 3.33, 2.71, 5.05]
    found = hodges_lehmann(a, b)
    assert [found["estimate"], *found["ci"]] == pytest.approx([1.575, -0.07, 3.39])


def test_hodges_lehmann_moves_with_a_shift():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=70), rng.normal(size=60)
    plain, moved = hodges_lehmann(a, b), hodges_lehmann(a, b + 5)
    assert moved["estimate"] == pytest.approx(plain["estimate"] + 5)
    assert moved["ci"] == pytest.approx([limit + 5 for limit in plain["ci"]])
    assert plain["ci"][0] < plain["estimate"] < plain["ci"][1]


def test_too_few_for_an_interval():
    assert hodges_lehmann([0.4, 1.6], [1.1, 2.2, 3.3]) == {"estimate": pytest.approx(1.2), "ci": [None, None]}
    assert hodges_lehmann([], [1.0]) == {"estimate": None, "ci": [None, None]}


def test_ancova_equals_statsmodels():
    import pandas as pd
    from statsmodels.formula.api import ols

    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"baseline": rng.exponential(10, 50), "arm": np.arange(50) % 2})
    frame["change"] = 0.1 * frame["baseline"] - 0.7 * frame["arm"] + rng.normal(size=50)
    found = ancova(frame["change"], frame["baseline"], frame["arm"])
    fit = ols("change ~ baseline + arm", frame).fit()
    limits = fit.conf_int().loc["arm"]
    assert [
        found.difference,
        found.se,
        found.p,
        found.low,
        found.high,
        found.slope,
        found.df,
    ] == pytest.approx(
        [fit.params["arm"], fit.bse["arm"], fit.pvalues["arm"], *limits, fit.params["baseline"], fit.df_resid]
    )
    assert found.adjusted_means[1] - found.adjusted_means[0] == pytest.approx(found.difference)


@pytest.mark.parametrize(
    ("change", "baseline", "arm"),
    [
        ([1, 2, 3], [1, 2, 3], [0, 1, 0]),
        ([1, 2, 3, 4], [5, 5, 5, 5], [0, 1, 0, 1]),
        ([1, 2, 3, 4], [1, 2, 3, 5], [0] * 4),
    ],
)
def test_ancova_that_the_rows_do_not_allow(change, baseline, arm):
    assert ancova(change, baseline, arm) is None
