"""Intervals of kappas where almost all agree."""

import numpy as np
import pytest

from core.agreement.grades.kappa import WEIGHTS, shrunk_limits
from core.agreement.intervals.kappas import FEW, kappa_limits
from core.agreement.intervals.status import concordance_limits


def pair(n, differ):
    """Grades 0 to 3 in turn; the second reader sees a neighbour in the first ``differ`` patients."""
    first = np.arange(n) % 4
    second = first.copy()
    second[:differ] += np.where(first[:differ] == 3, -1, 1)
    return np.column_stack([first, second]).astype(float)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_no_disagreement_is_no_certainty(weights):
    few, many = (kappa_limits(pair(n, 0), seed=1)[weights] for n in (12, 200))
    assert few[1] == many[1] == 1 and few[0] < many[0] < 0.999


@pytest.mark.parametrize(
    ("table", "weights", "expected"),
    [
        ([[10, 2], [0, 8]], "unweighted", (0.3744925, 0.9588408)),
        ([[9, 1, 0], [0, 6, 0], [0, 0, 4]], "quadratic", (0.5455108, 1)),
    ],
)
def test_the_shrunk_interval_equals_the_formula_in_r(table, weights, expected):
    """R 4.2, the standard error of Fleiss, Cohen and Everitt 1969 of a table with four patients more:

    limits <- function(a, w) { n <- sum(a); p <- a / n; r <- rowSums(p); s <- colSums(p)
      pe <- sum(w * outer(r, s)); k <- (sum(w * p) - pe) / (1 - pe)
      m <- outer(as.vector(w %*% s), as.vector(t(w) %*% r), `+`)
      se <- sqrt((sum(p * (w - m * (1 - k))^2) - (k - pe * (1 - k))^2) / (n * (1 - pe)^2))
      c(k - qnorm(.975) * se, k + qnorm(.975) * se) }
    a <- matrix(c(10, 0, 2, 8), 2); limits(a + 4 * outer(rowSums(a), colSums(a)) / sum(a)^2, diag(2))
    The upper limit is cut at 1.
    """
    assert shrunk_limits(table, range(len(table)), weights) == pytest.approx(expected, abs=1e-7)


def test_quadratic_kappa_draws_patients_where_enough_disagree():
    many = pair(60, FEW)
    assert kappa_limits(many, seed=1)["quadratic"] == concordance_limits(many, seed=1)
    few = pair(60, FEW - 1)
    low, high = kappa_limits(few, seed=1)["quadratic"]
    drawn = concordance_limits(few, seed=1)
    assert low <= drawn[0] and high >= drawn[1]


def test_several_rows_of_a_patient_count_as_one_where_all_agree():
    grades = pair(48, 0)
    patients = np.repeat(np.arange(12), 4)
    each = kappa_limits(grades, patients, seed=1)["unweighted"]
    alone = kappa_limits(pair(12, 0), seed=1)["unweighted"]
    assert each == pytest.approx(alone)
    assert set(kappa_limits(pair(48, 6), patients, seed=1)) == {"quadratic"}


def test_one_grade_alone_has_no_kappa_and_no_limits():
    assert np.isnan(kappa_limits(np.zeros((20, 2)), seed=1)["linear"]).all()
