"""Two one-sided tests of a bias: by hand, against simulation, and by patient."""

import numpy as np
import pytest
from scipy import stats

from core.agreement.verdicts.bias import SMALLEST, bias_equivalence, power, tost


def test_p_is_the_larger_of_two_one_sided_t_tests():
    gap = np.random.default_rng(1).normal(0.2, 1, 30)
    found = tost(gap, margin=0.6)
    one = stats.ttest_1samp(gap, -0.6, alternative="greater").pvalue
    other = stats.ttest_1samp(gap, 0.6, alternative="less").pvalue
    assert found["p"] == pytest.approx(max(one, other))
    low, high = found["bias"]["ci"]
    assert (low, high) == pytest.approx(stats.ttest_1samp(gap, 0).confidence_interval())
    assert found["equivalent"] is (low > -0.6 and high < 0.6)


@pytest.mark.parametrize(("n", "margin"), [(12, 0.8), (60, 0.4)])
def test_power_is_how_often_no_bias_is_called_equivalent(n, margin):
    gaps = np.random.default_rng(2).normal(size=(20000, n))
    mean, half = gaps.mean(axis=1), stats.t.ppf(0.975, n - 1) * gaps.std(axis=1, ddof=1) / np.sqrt(n)
    seen = (np.abs(mean) + half < margin).mean()
    assert power(margin * np.sqrt(n), n - 1) == pytest.approx(seen, abs=0.012)


def test_rows_of_one_patient_count_once():
    gap = np.random.default_rng(3).normal(0, 1, 20)
    found = tost(np.repeat(gap, 5), margin=1, clusters=np.repeat(np.arange(20), 5))
    alone = tost(gap, margin=1)
    assert found["bias"]["ci"] == pytest.approx(alone["bias"]["ci"])
    assert found["patients"] == 20 and found["p"] == pytest.approx(alone["p"])


def test_few_patients_and_no_spread_have_no_verdict():
    few = tost(np.arange(SMALLEST - 1) / 10.0, margin=9)
    assert few["equivalent"] is None and str(SMALLEST) in few["notes"]["equivalent"]
    same = tost(np.full(40, 0.1), margin=9)
    assert same["equivalent"] is None and same["bias"]["estimate"] == pytest.approx(0.1)
    assert tost([], margin=1)["patients"] == 0


def test_who_is_compared_with_whom():
    table = np.random.default_rng(4).normal(size=(20, 4))
    rows = bias_equivalence(table, ["A", "B", "C", "net"], margin=1, model="net")["rows"]
    assert [(r["first"], r["second"]) for r in rows][:2] == [
        ("net", "mean of A, B, C"),
        ("A", "mean of B, C"),
    ]
    assert rows[0]["bias"]["estimate"] == pytest.approx((table[:, 3] - table[:, :3].mean(axis=1)).mean())
    two = bias_equivalence(table[:, [0, 1, 3]], ["A", "B", "net"], margin=1, model="net")["rows"]
    assert [(r["first"], r["second"]) for r in two] == [("net", "mean of A, B"), ("A", "B")]
    assert len(bias_equivalence(table, list("ABCD"), margin=1)["rows"]) == 6
