"""Limits of the interchangeability index, and the verdict that they carry."""

import numpy as np
import pytest

from core.agreement.intervals.index import SMALLEST, index_limits
from core.agreement.plain_words import index_sentence
from core.agreement.reader_model import Bootstrap, interchangeability


def study(n: int, seed: int, *, silent: float = 0.5, margin: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Readers and a model whose index is the margin times the readers' error variance."""
    rng = np.random.default_rng(seed)
    sd = (rng.random(n) >= silent).astype(float)
    readers = rng.normal(size=(n, 2)) * sd[:, None]
    return readers, rng.normal(size=n) * sd * np.sqrt(1 + margin)


@pytest.mark.parametrize(("silent", "margin"), [(0.0, 0.5), (0.5, 0.25)])
def test_at_the_margin_few_are_called_equivalent(silent, margin):
    """2.5% of 400 studies are 10; the percentile limit called 30 of them and more equivalent."""
    called = 0
    for seed in range(400):
        readers, model = study(SMALLEST, seed, silent=silent)
        found = interchangeability(readers, model, margin=margin, bootstrap=Bootstrap(draws=300, seed=seed))
        called += found["equivalent"] is True
    assert called <= 18


def test_far_below_the_margin_is_called_equivalent():
    called = 0
    for seed in range(20):
        found = interchangeability(*study(100, seed, silent=0, margin=0), margin=2.0)
        called += found["equivalent"] is True
    assert called == 20


def test_no_verdict_below_the_smallest_size_and_it_says_so():
    readers, model = study(SMALLEST - 1, 1, silent=0)
    found = interchangeability(readers, model, margin=50.0)
    assert found["index"]["ci"][1] < 50 and found["equivalent"] is None
    assert found["notes"]["equivalent"] == f"a verdict needs {SMALLEST} patients, here are {SMALLEST - 1}"
    assert f"No verdict: a verdict needs {SMALLEST} patients" in index_sentence(found, "units")
    assert "equivalent" not in interchangeability(readers, model)["notes"]
    enough = interchangeability(*study(SMALLEST, 1, silent=0), margin=50.0)
    assert enough["equivalent"] is True and "grow with change" in index_sentence(enough, "units")


def test_one_patient_who_differs_gives_no_limits():
    readers, model = np.zeros((30, 2)), np.zeros(30)
    model[4] = 3.0
    found = interchangeability(readers, model, margin=5.0)
    assert found["index"]["ci"] == [None, None] and found["equivalent"] is None
    assert "too few patients differ" in found["notes"]["index"]


def test_no_limits_where_nobody_differs():
    found = interchangeability(np.ones((30, 2)), np.ones(30), margin=5.0)
    assert found["index"] == {"estimate": 0.0, "ci": [None, None]} and found["equivalent"] is None


def test_many_patients_come_near_the_plain_interval():
    rng = np.random.default_rng(0)
    first, second = rng.chisquare(1, 20_000) * 3, rng.chisquare(1, 20_000) * 2
    low, high = index_limits(first, second, np.ones(20_000), draws=200, seed=1)
    gap = first - second
    half = 1.96 * gap.std() / np.sqrt(20_000)
    assert (low, high) == (
        pytest.approx(gap.mean() - half, abs=0.2 * half),
        pytest.approx(gap.mean() + half, abs=0.2 * half),
    )


def test_patients_with_more_rows_count_more():
    first, second, rows = np.array([4.0, 1, 2, 6, 3]), np.array([1.0, 2, 2, 1, 4]), np.array([2, 1, 1, 3, 1])
    low, high = index_limits(first, second, rows, draws=500, seed=1)
    assert low < (first - second).sum() / rows.sum() < high
    assert np.isnan(index_limits(first[:2], second[:2], rows[:2], draws=500, seed=1)).all()
    assert np.isnan(index_limits(first, second, rows, draws=0, seed=1)).all()
