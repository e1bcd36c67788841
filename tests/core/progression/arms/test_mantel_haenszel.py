"""Shares by stratum: Cochran-Mantel-Haenszel against R, risk differences against published limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.progression.arms.mantel_haenszel import Tables, cmh_test, common_risk_difference, tables


def counts(*rows):
    """Tables from (cases, of, other cases, other of) of each stratum."""
    return Tables(*(np.array(column) for column in zip(*rows, strict=True)))


THREE = ((4, 20, 7, 20), (2, 12, 6, 11), (0, 6, 3, 8))


def test_cmh_equals_r():
    """mantelhaen.test(array(c(4,16,7,13, 2,10,6,5, 0,6,3,5), c(2,2,3)), correct = FALSE), exact = TRUE."""
    found = cmh_test(counts(*THREE))
    assert found.chi_square == pytest.approx(6.1073436198195)
    assert found.p == pytest.approx(0.013462131225958)
    assert found.exact_p == pytest.approx(0.022825983877954)
    assert (found.strata, found.n) == (3, 77)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0528, 0.3382),
        ((9, 10, 3, 10), 0.1700, 0.8406),
        ((6, 7, 2, 7), 0.0342, 0.8534),
        ((5, 56, 0, 29), -0.0326, 0.1933),
        ((0, 10, 0, 20), -0.1658, 0.2844),
        ((10, 10, 0, 20), 0.7156, 1.0),
    ],
)
def test_one_stratum_has_the_limits_of_miettinen_and_nurminen(table, low, high):
    """Newcombe 1998, Stat Med 17:873, method 6; the same from R 4.2 by maximising the likelihood:

    mn <- function(x, m, y, n) {
      z2 <- function(d) { l <- function(p) -(dbinom(y, n, p, log = TRUE) + dbinom(x, m, p + d, log = TRUE))
        p <- optimize(l, c(max(0, -d), min(1, 1 - d)), tol = 1e-12)$minimum; q <- p + d
        (x / m - y / n - d)^2 / ((q * (1 - q) / m + p * (1 - p) / n) * (m + n) / (m + n - 1)) }
      f <- function(d) z2(d) - qnorm(.975)^2; e <- x / m - y / n
      c(if (f(-1 + 1e-7) > 0) uniroot(f, c(-1 + 1e-7, e - 1e-9), tol = 1e-10)$root else -1,
        if (e < 1 && f(1 - 1e-7) > 0) uniroot(f, c(e + 1e-9, 1 - 1e-7), tol = 1e-10)$root else 1) }
    mn(56, 70, 48, 80); mn(9, 10, 3, 10); mn(6, 7, 2, 7); mn(5, 56, 0, 29); mn(0, 10, 0, 20)
    mn(10, 10, 0, 20)
    """
    assert common_risk_difference(counts(table))["ci"] == pytest.approx([low, high], abs=6e-5)


def test_estimate_is_that_of_mantel_and_haenszel():
    weights = np.array([20 * 20 / 40, 12 * 11 / 23, 6 * 8 / 14])
    gaps = np.array([4 / 20 - 7 / 20, 2 / 12 - 6 / 11, 0 - 3 / 8])
    found = common_risk_difference(counts(*THREE))
    assert found["estimate"] == pytest.approx(weights @ gaps / weights.sum())


arms = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))


@settings(max_examples=60, deadline=None)
@given(st.lists(arms, min_size=1, max_size=4))
def test_interval_excludes_0_where_the_test_rejects(strata):
    rows = [(a, a + b, c, c + d) for a, b, c, d in strata if a + b and c + d]
    if not rows:
        return
    test, found = cmh_test(counts(*rows)), common_risk_difference(counts(*rows))
    low, high = found["ci"]
    assert -1 <= low <= found["estimate"] <= high <= 1
    if np.isfinite(test.p) and abs(test.p - 0.05) > 1e-6:
        assert (test.p < 0.05) == (low > 0 or high < 0)
    turned = common_risk_difference(counts(*[(c, n2, a, n1) for a, n1, c, n2 in rows]))
    assert turned["ci"] == pytest.approx([-high, -low], abs=1e-7)


def test_a_stratum_with_one_arm_adds_nothing():
    flag, second, stratum = [1, 0, 1, 1, 0, 0, 1, 1], [1, 1, 0, 0, 1, 0, 1, 1], list("aaaaaabb")
    assert tables(flag, second, stratum).n.tolist() == [6]
    assert common_risk_difference(tables([1, 0], [1, 0], ["a", "b"]))["estimate"] is None


def test_nobody_progressed_gives_an_interval_and_no_p():
    found = counts((0, 8, 0, 9))
    assert np.isnan(cmh_test(found).p) and cmh_test(found).exact_p is None
    low, high = common_risk_difference(found)["ci"]
    assert low < 0 < high


def test_interval_holds_in_two_strata():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        stratum, second = rng.integers(0, 2, 40), rng.permutation(40) < 20
        flag = rng.random(40) < np.array([0.1, 0.3])[stratum] + 0.2 * second
        low, high = common_risk_difference(tables(flag, second, stratum))["ci"]
        held += low <= 0.2 <= high
    assert 0.92 <= held / 300 <= 0.985
