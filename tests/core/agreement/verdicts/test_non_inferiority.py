"""Non-inferiority of a model's ICC and kappa: estimates by the single functions, verdicts by simulation."""

import numpy as np
import pytest

from core.agreement.correlation import concordance
from core.agreement.grades.kappa import kappas
from core.agreement.icc import icc
from core.agreement.intervals.pairwise import ICC, Pairwise
from core.agreement.reader_model import Bootstrap
from core.agreement.verdicts.non_inferiority import SMALLEST, non_inferiority

PAIRS = [(0, 1), (0, 2), (1, 2)]


def reads(n: int, seed: int = 0, model_error: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    true = np.where(rng.random(n) < 0.4, 0, rng.lognormal(0.8, 0.9, n))
    return true[:, None] + rng.normal(size=(n, 3)) * np.array([1, 1, model_error])


def test_pairs_are_those_of_the_single_functions():
    table, weights = reads(30), np.ones((1, 30))
    seen, _ = Pairwise.of(table).values(weights)
    assert seen[0] == pytest.approx([concordance(table[:, i], table[:, j])["estimate"] for i, j in PAIRS])
    seen, _ = Pairwise.of(table).values(weights, ICC)
    expected = [icc(table[:, [i, j]])["forms"]["ICC(A,1)"]["estimate"] for i, j in PAIRS]
    assert seen[0] == pytest.approx(expected)
    grades = np.clip(np.round(table), 0, 3)
    seen, _ = Pairwise.of(grades).values(weights)
    expected = [kappas(grades[:, i], grades[:, j])["quadratic"]["estimate"] for i, j in PAIRS]
    assert seen[0] == pytest.approx(expected)


def test_influence_is_what_a_little_more_weight_does():
    sums, weights = Pairwise.of(reads(12)), np.ones((1, 12))
    value, own = sums.values(weights)
    assert own.sum(axis=1) == pytest.approx(0, abs=1e-12)
    for patient in (0, 5):
        more = weights.copy()
        more[0, patient] += 1e-6
        assert (sums.values(more)[0] - value)[0] * 12e6 == pytest.approx(own[0, patient], rel=1e-3, abs=1e-4)


def test_difference_is_model_with_readers_minus_readers_among_themselves():
    table = reads(40, model_error=2)
    one = [icc(table[:, [i, j]])["forms"]["ICC(A,1)"]["estimate"] for i, j in PAIRS]
    found = non_inferiority(table[:, :2], table[:, 2], margin=0.2, statistic="ICC(A,1)")
    assert found["model_reader"] == pytest.approx((one[1] + one[2]) / 2)
    assert found["difference"]["estimate"] == pytest.approx((one[1] + one[2]) / 2 - one[0])
    low, high = found["difference"]["ci"]
    assert low < found["difference"]["estimate"] < high
    assert found["non_inferior"] is (low > -0.2) and 0 < found["power"] < 1


def test_verdict_at_the_margin_is_rare():
    """The model has twice the SD of the readers' error; 10 of 150 are seen once in 500 times at 2.5%."""
    true = 0.6 * np.exp(2 * 0.8 + 2 * 0.81) - (0.6 * np.exp(0.8 + 0.405)) ** 2
    margin = true / (true + 1) - true / (true + 2.5)
    wrong = 0
    for seed in range(150):
        table = reads(30, seed, model_error=2)
        how = Bootstrap(None, 200, seed)
        found = non_inferiority(table[:, :2], table[:, 2], margin=margin, statistic="ICC(A,1)", bootstrap=how)
        wrong += bool(found["non_inferior"])
    assert wrong <= 10


def test_sites_of_a_patient_are_drawn_together():
    grades = np.clip(np.round(reads(40)), 0, 3)
    rows = np.repeat(np.arange(40), 6)
    alone = non_inferiority(grades[:, :2], grades[:, 2], margin=0.2, statistic="kappa.quadratic")
    together = non_inferiority(
        grades[rows, :2], grades[rows, 2], margin=0.2, statistic="kappa.quadratic", bootstrap=Bootstrap(rows)
    )
    assert together["difference"]["ci"] == pytest.approx(alone["difference"]["ci"], abs=1e-9)
    assert together["patients"] == 40


def test_no_verdict_where_nothing_is_known():
    table = reads(SMALLEST - 1)
    few = non_inferiority(table[:, :2], table[:, 2], margin=0.2, statistic="ICC(A,1)")
    assert few["non_inferior"] is None and str(SMALLEST) in few["notes"]["non_inferior"]
    same = np.repeat(reads(40)[:, :1], 3, axis=1)
    found = non_inferiority(same[:, :2], same[:, 2], margin=0.2, statistic="ICC(A,1)")
    assert found["non_inferior"] is None and found["difference"] == {"estimate": 0, "ci": [None, None]}
    assert non_inferiority(table[:, :1], table[:, 2], margin=0.2, statistic="ICC(A,1)")["notes"]
    decimals = non_inferiority(table[:, :2], table[:, 2], margin=0.2, statistic="kappa.quadratic")
    assert "grades" in decimals["notes"]["difference"]
