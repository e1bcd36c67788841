"""Prevalence index, bias index and PABAK: published tables, identities, and patients drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agreement.grades.two_categories import of_table, two_categories


def test_the_tables_of_feinstein_and_cicchetti():
    """Feinstein and Cicchetti 1990: one agreement of 0.85, kappa 0.70 and 0.32."""
    even, lopsided = of_table([[45, 6], [9, 40]]), of_table([[5, 10], [5, 80]])
    assert even["kappa"]["estimate"] == pytest.approx(0.70, abs=0.005)
    assert lopsided["kappa"]["estimate"] == pytest.approx(0.32, abs=0.005)
    assert even["pabak"]["estimate"] == lopsided["pabak"]["estimate"] == pytest.approx(0.70)
    assert lopsided["prevalence_index"]["estimate"] == pytest.approx(0.75)
    assert even["bias_index"]["estimate"] == pytest.approx(0.03)


@given(st.lists(st.integers(0, 60), min_size=4, max_size=4).filter(lambda cells: sum(cells) > 1))
def test_kappa_follows_from_the_three_indices(cells):
    """Byrt, Bishop and Carlin: kappa = (PABAK - PI^2 + BI^2) / (1 - PI^2 + BI^2)."""
    found = of_table(np.reshape(cells, (2, 2)))
    pabak, prevalence, bias = (found[n]["estimate"] for n in ("pabak", "prevalence_index", "bias_index"))
    below = 1 - prevalence**2 + bias**2
    if found["kappa"]["estimate"] is None:
        assert below == pytest.approx(0, abs=1e-9)
    else:
        assert found["kappa"]["estimate"] == pytest.approx((pabak - prevalence**2 + bias**2) / below)
    for name in ("pabak", "prevalence_index", "bias_index"):
        low, high = found[name]["ci"]
        assert -1 <= low <= found[name]["estimate"] + 0.2 and low < high <= 1


def test_every_cut_of_the_grades_is_a_table():
    first, second = np.array([0, 0, 1, 2, 3, 3]), np.array([0, 1, 1, 2, 2, 3])
    found = two_categories(first, second, [0, 1, 2, 3])
    assert [cut["at_least"] for cut in found] == [1, 2, 3]
    assert found[0]["counts"] == [[1, 1], [0, 4]] and found[2]["counts"] == [[4, 0], [1, 1]]
    assert found[0]["bias_index"]["estimate"] == pytest.approx(-1 / 6)
    assert two_categories([0.5, 1], [1, 2]) is None


def test_patients_are_drawn_not_sites():
    rng = np.random.default_rng(1)
    patient = np.repeat(np.arange(12), 20)
    share = np.repeat(rng.beta(0.5, 2, 12), 20)
    first, second = (rng.random(240) < share).astype(int), (rng.random(240) < share).astype(int)
    alone = two_categories(first, second)[0]["prevalence_index"]["ci"]
    drawn = two_categories(first, second, clusters=patient)[0]["prevalence_index"]["ci"]
    assert np.diff(drawn) > 1.5 * np.diff(alone)


def test_patients_without_any_disagreement_have_limits_for_so_many_patients():
    patient = np.repeat(np.arange(8), 10)
    grades = np.tile(np.arange(10) % 2, 8)
    found = two_categories(grades, grades, clusters=patient)[0]
    assert found["pabak"]["estimate"] == 1
    assert found["pabak"]["ci"] == pytest.approx([2 * 0.67558 - 1, 1], abs=1e-4)
