"""Limits that follow size, ratios, percentiles, and repeated pairs."""

import numpy as np
import pytest
from scipy import stats

from core.agreement.limits.bland_altman import bland_altman
from core.agreement.limits.ratio_and_rank import percentile_limits, ratio_limits
from core.agreement.limits.regression import at, regression_limits
from core.agreement.limits.repeated import repeated_limits


def growing(n: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    """Ratings whose difference has bias 0.1 A and SD 0.2 A."""
    rng = np.random.default_rng(2)
    mean = rng.uniform(1, 50, n)
    difference = 0.1 * mean + rng.normal(size=n) * 0.2 * mean
    return mean + difference / 2, mean - difference / 2


def test_regression_limits_find_bias_and_spread_that_grow():
    found = regression_limits(*growing())
    lower, bias, upper = at(found, [10.0, 40.0])
    assert bias == pytest.approx([1, 4], abs=0.4)
    assert upper - bias == pytest.approx([1.96 * 2, 1.96 * 8], rel=0.06)
    assert bias - lower == pytest.approx(upper - bias)
    assert found["spread"]["p"] < 1e-6


def test_regression_limits_hold_95_percent_at_every_size():
    first, second = growing()
    found = regression_limits(first, second)
    lower, _, upper = at(found, (first + second) / 2)
    inside = (first - second > lower) & (first - second < upper)
    small = (first + second) / 2 < 20
    assert inside[small].mean() == pytest.approx(0.95, abs=0.015)
    assert inside[~small].mean() == pytest.approx(0.95, abs=0.015)


def test_regression_limits_without_different_means_are_none():
    found = regression_limits([1, 2], [2, 1])
    assert found["lower"] == {"intercept": None, "slope": None}


def test_ratio_limits_are_bland_altman_of_logarithms():
    first, second = growing(50)
    found = ratio_limits(first, second)
    logs = bland_altman(np.log(first), np.log(second))
    assert np.log(found["bias"]["estimate"]) == pytest.approx(logs["bias"]["estimate"])
    assert np.log(found["loa"]["upper"]["ci"]) == pytest.approx(logs["loa"]["upper"]["ci"])


def test_ratio_limits_of_a_zero_are_none_with_a_reason():
    found = ratio_limits([0, 1], [1, 2])
    assert found["bias"]["estimate"] is None and found["notes"]["ratio_limits"]


def test_percentile_limits_are_type_7_quantiles():
    d = np.arange(41.0)
    assert percentile_limits(d, np.zeros(41)) == {"median": 20.0, "lower": 1.0, "upper": 39.0}
    assert percentile_limits([], [])["lower"] is None


def test_one_pair_a_subject_is_ordinary_bland_altman():
    first, second = growing(30)
    found, plain = repeated_limits(range(30), first, second), bland_altman(first, second)
    assert found["sd"] == pytest.approx(plain["sd"])
    assert found["bias"]["ci"] == pytest.approx(plain["bias"]["ci"])
    assert found["within"] is None and found["notes"]["within"]


def test_components_of_variance_are_those_of_the_analysis_of_variance():
    rng = np.random.default_rng(4)
    subject = np.repeat(np.arange(20), 5)
    difference = rng.normal(size=20)[subject] * 2 + rng.normal(size=100)
    found = repeated_limits(subject, difference, np.zeros(100))
    groups = difference.reshape(20, 5)
    within = groups.var(axis=1, ddof=1).mean()
    assert found["within"] == pytest.approx(within)
    assert found["between"] == pytest.approx(groups.mean(axis=1).var(ddof=1) - within / 5)
    assert found["sd"] ** 2 == pytest.approx(found["within"] + found["between"])
    f = stats.f_oneway(*groups).statistic
    assert f == pytest.approx((5 * found["between"] + within) / within)


def test_interval_of_repeated_limits_holds_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(8)
    subject = np.repeat(np.arange(25), 4)
    truth = 1.96 * np.sqrt(2)
    held = []
    for _ in range(400):
        difference = rng.normal(size=25)[subject] + rng.normal(size=100)
        low, high = repeated_limits(subject, difference, np.zeros(100))["loa"]["upper"]["ci"]
        held.append(low < truth < high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.035)


def test_one_subject_has_no_repeated_limits():
    found = repeated_limits([1, 1], [1, 2], [2, 2])
    assert found["loa"]["lower"]["estimate"] is None and found["notes"]["repeated_limits"]
