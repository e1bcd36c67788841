"""The model as a reader: definitions of the contract, computed by hand on small tables."""

import numpy as np
import pytest
from scipy import stats

from core.agreement.batch.comparisons import agree
from core.agreement.estimate import estimate
from core.agreement.reader_model import (
    Bootstrap,
    bias_to_mean,
    false_change,
    interchangeability,
    leave_one_out,
)


def reads(n: int = 60, model_error: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.gamma(1, 8, n)
    readers = truth[:, None] + rng.normal(size=(n, 2))
    return readers, truth + rng.normal(size=n) * model_error


def test_index_by_hand():
    readers = np.array([[0, 2], [1, 1], [4, 3]])
    model = np.array([1, 3, 3])
    # model-reader: (1+1)/2, (4+4)/2, (1+0)/2; reader-reader: 4, 0, 1
    found = interchangeability(readers, model)
    assert found["index"]["estimate"] == pytest.approx(np.mean([1 - 4, 4 - 0, 0.5 - 1]))
    assert found["model_reader"]["estimate"] == pytest.approx(np.mean([1, 4, 0.5]))
    assert found["reader_reader"]["estimate"] == pytest.approx(np.mean([4, 0, 1]))


def test_three_readers_average_over_their_pairs():
    readers, model = np.array([[0, 1, 3.0], [2, 2, 2]]), np.array([1.0, 2])
    found = interchangeability(readers, model)
    assert found["reader_reader"]["estimate"] == pytest.approx(((1 + 9 + 4) / 3 + 0) / 2)
    assert found["model_reader"]["estimate"] == pytest.approx((1 + 0 + 4) / 3 / 2)


def test_no_verdict_without_a_margin():
    assert interchangeability(*reads())["equivalent"] is None


def test_verdict_is_the_upper_limit_under_the_margin():
    like_a_reader = interchangeability(*reads(), margin=2.0)
    assert like_a_reader["equivalent"] is True and like_a_reader["index"]["ci"][1] < 2.0
    worse = interchangeability(*reads(model_error=4.0), margin=2.0)
    assert worse["equivalent"] is False and worse["index"]["ci"][0] > 2.0


def test_only_subjects_that_all_scored_count():
    readers, model = reads(20)
    readers[0, 1] = model[3] = np.nan
    found = interchangeability(readers, model)
    assert (found["subjects"], found["dropped_subjects"]) == (18, 2)
    kept = np.delete(np.arange(20), [0, 3])
    assert found["index"] == interchangeability(readers[kept], model[kept])["index"]


def test_patients_are_resampled_not_rows():
    readers, model = reads(40)
    rows = np.repeat(np.arange(40), 5)
    alone = interchangeability(readers[rows], model[rows])["index"]["ci"]
    clustered = interchangeability(readers[rows], model[rows], bootstrap=Bootstrap(rows))["index"]["ci"]
    assert np.diff(clustered) > 1.8 * np.diff(alone)


@pytest.mark.parametrize(("n", "k"), [(0, 2), (5, 1)])
def test_too_little_says_why(n, k):
    found = interchangeability(np.zeros((n, k)), np.zeros(n), margin=1)
    assert found["index"]["estimate"] is None and found["equivalent"] is None and found["notes"]["index"]
    assert leave_one_out(np.zeros((n, k)), np.zeros(n), ["R"] * k)["rows"] == []


def test_one_patient_has_no_interval_and_no_verdict():
    found = interchangeability([[1, 2.0]], [1.0], margin=5)
    assert found["index"]["estimate"] == -0.5 and found["equivalent"] is None


def test_leave_one_out_compares_both_with_the_same_mean():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(50, 1)) * 3
    readers, model = truth + rng.normal(size=(50, 3)), truth[:, 0] + rng.normal(size=50)
    rows = leave_one_out(readers, model, ["A", "B", "C"], bootstrap=Bootstrap(draws=200))["rows"]
    assert [row["left_out"] for row in rows] == ["A", "B", "C"]
    assert rows[1]["against"] == ["A", "C"]
    mean = readers[:, [0, 2]].mean(axis=1)
    for who, own in (("reader", readers[:, 1]), ("model", model)):
        expected = agree(np.column_stack([own, mean])[None], draws=0).estimate
        assert rows[1][who]["ICC(A,1)"]["estimate"] == pytest.approx(expected["ICC(A,1)"][0])
        assert rows[1][who]["bias"]["estimate"] == pytest.approx((own - mean).mean())
    low, high = rows[1]["icc_difference"]["ci"]
    assert low < rows[1]["icc_difference"]["estimate"] < high


def test_false_change_by_hand():
    readers = np.array([[0, 0], [0, 0], [0, 0], [0, 1], [2, 0], [0, 0]])
    model = np.array([0, 1, -1, 1, 0, 1e-12])
    found = false_change(readers, model, ["A", "B"])
    assert found["model"]["cases"] == 4  # rows where both readers see nothing
    assert found["model"]["false_change"]["estimate"] == pytest.approx(2 / 4)
    assert found["model"]["false_improvement"]["estimate"] == pytest.approx(1 / 4)
    assert found["readers"]["A"]["cases"] == 5  # B sees nothing in all but row 3
    assert found["readers"]["A"]["false_change"]["estimate"] == pytest.approx(1 / 5)
    assert found["readers"]["B"]["false_improvement"]["estimate"] == 0


def test_false_change_without_a_still_case_is_none():
    found = false_change(np.array([[1, 2], [3, 1]]), np.array([0, 0]), ["A", "B"])
    assert found["model"]["cases"] == 0 and found["model"]["false_change"]["estimate"] is None


def test_false_change_of_readers_alone():
    found = false_change(np.array([[0, 0, 1], [0, 0, 0]]), None, ["A", "B", "C"])
    assert "model" not in found
    assert found["readers"]["C"]["false_change"]["estimate"] == 0.5
    assert false_change(np.zeros((3, 1)), None, ["A"])["readers"]["A"]["cases"] == 0


def test_a_false_change_rate_of_nought_has_wilson_limits():
    still = np.zeros((8, 2))
    found = false_change(still, np.zeros(8), ["A", "B"])["model"]["false_change"]
    assert (found["estimate"], found["ci"][0]) == (0, 0)
    assert found["ci"][1] == pytest.approx(0.3244, abs=1e-4)  # 1.96^2 / (8 + 1.96^2)
    two_visits = Bootstrap(clusters=np.repeat(["a", "b", "c", "d"], 2))
    found = false_change(still, np.zeros(8), ["A", "B"], bootstrap=two_visits)["model"]["false_change"]
    assert found["ci"][1] == pytest.approx(0.4899, abs=1e-4)  # four patients


def test_bias_to_the_mean_of_the_readers_is_that_of_complete_patients():
    readers = np.array([[1.0, 3.0], [2.0, 2.0], [4.0, np.nan], [0.0, 2.0]])
    model = np.array([3.0, 1.0, 9.0, 2.0])
    found = bias_to_mean(readers, model)
    gaps = np.array([1.0, -1.0, 1.0])
    half = stats.t.ppf(0.975, 2) * gaps.std(ddof=1) / np.sqrt(3)
    assert found["n"] == 3
    assert found["bias"]["estimate"] == pytest.approx(gaps.mean())
    assert found["bias"]["ci"] == pytest.approx([gaps.mean() - half, gaps.mean() + half])
    assert bias_to_mean(readers[:1], model[:1]) == {"bias": estimate(None), "n": 1}
