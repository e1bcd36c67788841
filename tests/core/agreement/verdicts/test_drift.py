"""Drift between rounds: the vision data of Stuart 1955, exact p by hand, patients exchanged whole.

R: x <- matrix(c(1520,266,124,66, 234,1512,432,78, 117,362,1772,205, 36,82,179,492), 4, byrow=TRUE)
mcnemar.test(x)  # McNemar-Bowker 19.107, df 6, p 0.003987
d <- (rowSums(x)-colSums(x))[1:3]; S <- -(x+t(x)); diag(S) <- rowSums(x)+colSums(x)-2*diag(x)
d %*% solve(S[1:3,1:3]) %*% d  # 11.956569622983, df 3, p 0.007533425055
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.agreement.verdicts.drift import drift
from core.agreement.verdicts.rounds import drifts

VISION = np.array([[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]])


def of_table(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    q = len(counts)
    return np.repeat(np.repeat(range(q), q), counts.ravel()), np.repeat(np.tile(range(q), q), counts.ravel())


def test_vision_of_7477_women():
    found = drift(*of_table(VISION))
    assert found["counts"] == VISION.tolist()
    stuart, bowker = found["stuart_maxwell"], found["bowker"]
    assert (stuart["statistic"], stuart["p_chi_square"]) == pytest.approx((11.956569622983, 0.007533425055))
    assert bowker["statistic"] == pytest.approx(19.107, abs=5e-4) and bowker["df"] == 6
    assert bowker["p_chi_square"] == pytest.approx(0.003987, abs=5e-7)
    assert stuart["p"] == pytest.approx(stuart["p_chi_square"], abs=0.004)
    assert bowker["p"] == pytest.approx(bowker["p_chi_square"], abs=0.003)


def test_two_grades_are_the_exact_test_of_mcnemar():
    found = drift(*of_table(np.array([[10, 7], [1, 5]])))
    exact = stats.binomtest(1, 8, 0.5).pvalue
    assert found["stuart_maxwell"]["p"] == found["bowker"]["p"] == pytest.approx(exact)
    assert found["exact"] and found["bowker"]["statistic"] == pytest.approx(36 / 8)
    assert "p_chi_square" in found["notes"]


def test_patients_are_exchanged_whole():
    """Three patients with ten sites that all rise: 2 of 8 exchanges are as large, not 2 of 2^30."""
    first, second = np.zeros(30, dtype=int), np.ones(30, dtype=int)
    found = drift(first, second, np.repeat(range(3), 10))
    assert found["bowker"]["p"] == pytest.approx(2 / 8) and found["bowker"]["p_chi_square"] is None
    assert found["mean_change"] == 1 and found["patients"] == 3


def test_level_holds_with_few_cells():
    rng = np.random.default_rng(5)
    low = 0
    for _ in range(200):
        true = np.clip(np.round(rng.exponential(0.6, 20)), 0, 3)
        first, second = (np.clip(true + rng.choice([-1, 0, 0, 0, 1], 20), 0, 3) for _ in range(2))
        p = drift(first, second, exchanges=300)["stuart_maxwell"]["p"]
        low += p is not None and p <= 0.05
    assert low <= 20


def test_no_change_and_no_grades():
    assert drift([0, 1, 2], [0, 1, 2])["bowker"]["p"] is None
    assert drift([0.5, 1], [1, 2]) is None


def test_every_rater_from_the_first_round_to_each_later_one():
    rows = [(f"P{i}", r, k, (i + (k == "10")) % 3) for i in range(9) for r in "AB" for k in ("10", "2")]
    rows = [row for row in rows if not (row[1] == "B" and row[2] == "10" and row[0] != "P1")]
    found = drifts(pd.DataFrame(rows, columns=["subject", "rater", "round", "rating"]), seed=1)
    assert found["rounds"] == ["2", "10"]
    assert [(r["rater"], r["first"], r["second"], r["subjects"]) for r in found["rows"]] == [
        ("A", "2", "10", 9),
        ("B", "2", "10", 1),
    ]
