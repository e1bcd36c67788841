"""Kappa, AC1/AC2 and the table of grades, against statsmodels, scikit-learn and domain.md F5."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.agreement.grades.confusion import confusion, exact_agreement, within_one
from core.agreement.grades.gwet import gwet, gwet_of_table
from core.agreement.grades.kappa import WEIGHTS, kappa, kappas

F5 = np.array([[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]])
grades = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


def random_table(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    q = int(rng.integers(2, 6))
    return rng.integers(0, 9, (q, q)) + np.diag(rng.integers(0, 30, q))


@pytest.mark.parametrize("seed", range(8))
def test_equals_statsmodels(seed):
    from statsmodels.stats.inter_rater import cohens_kappa

    table = random_table(seed)
    levels = np.arange(len(table))
    for weights, name in zip(WEIGHTS, (None, "linear", "quadratic"), strict=True):
        found = kappa(table, levels, weights)
        expected = cohens_kappa(table, wt=name)
        assert found["estimate"] == pytest.approx(expected.kappa, abs=1e-12)
        assert found["se"] == pytest.approx(expected.std_kappa, abs=1e-12)
        assert found["se_null"] == pytest.approx(expected.std_kappa0, abs=1e-12)
        assert found["ci"] == pytest.approx([expected.kappa_low, expected.kappa_upp], abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_equals_scikit_learn_with_all_labels_named(seed):
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(seed)
    first = rng.choice([0, 1, 3], 60)  # nobody gives a 2: the gap stays
    second = np.where(rng.uniform(size=60) < 0.6, first, rng.choice([0, 1, 3], 60))
    found = kappas(first, second)
    for weights, name in zip(WEIGHTS, (None, "linear", "quadratic"), strict=True):
        expected = cohen_kappa_score(first, second, labels=[0, 1, 2, 3], weights=name)
        assert found[weights]["estimate"] == pytest.approx(expected, abs=1e-12)


def test_an_unused_grade_keeps_its_place():
    first, second = [0, 0, 1, 1, 3, 3], [0, 1, 1, 3, 3, 3]
    assert kappas(first, second)["linear"]["estimate"] != pytest.approx(
        kappas([0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 2, 2])["linear"]["estimate"]
    )


def test_gwet_of_f5():
    assert round(gwet_of_table(F5, range(4), "unweighted")["estimate"], 6) == 0.351073
    assert round(gwet_of_table(F5, range(4), "quadratic")["estimate"], 6) == 0.717869


def test_gwet_se_is_that_over_subjects():
    """Twin: Gwet's variance summed subject by subject, as in the handbook."""
    first = np.repeat(range(4), F5.sum(axis=1))
    second = np.concatenate([np.repeat(range(4), row) for row in F5])
    n, q = len(first), 4
    w = 1 - np.abs(np.subtract.outer(range(4), range(4))) / 3
    mean = (np.bincount(first) + np.bincount(second)) / (2 * n)
    scale = w.sum() / (q * (q - 1))
    chance = scale * (mean * (1 - mean)).sum()
    own = w[first, second]
    value = (own.mean() - chance) / (1 - chance)
    own_chance = scale * ((1 - mean[first]) + (1 - mean[second])) / 2
    each = (own - chance) / (1 - chance) - 2 * (1 - value) * (own_chance - chance) / (1 - chance)
    se = np.sqrt(((each - value) ** 2).sum() / (n * (n - 1)))
    found = gwet_of_table(F5, range(4), "linear")
    assert (found["estimate"], found["se"]) == pytest.approx((value, se))


def test_gwet_stays_high_where_almost_all_grades_are_zero():
    first, second = [0] * 97 + [1, 0, 2], [0] * 97 + [0, 1, 2]
    assert kappas(first, second)["unweighted"]["estimate"] < 0.6
    assert gwet(first, second)["ac1"]["estimate"] > 0.97


def test_named_levels_count_for_gwet_only():
    first, second = [0, 1, 1, 0, 1], [0, 1, 0, 0, 1]
    assert gwet(first, second, levels=range(4))["ac1"]["estimate"] > gwet(first, second)["ac1"]["estimate"]


@given(grades)
def test_never_nan_and_symmetric(values):
    first, second = [a for a, _ in values], [b for _, b in values]
    found, back = kappas(first, second), kappas(second, first)
    coefficients = gwet(first, second)
    for weights in WEIGHTS:
        one = found[weights]["estimate"]
        assert one is None or one == pytest.approx(back[weights]["estimate"], abs=1e-9)
    for value in [*(found[w] for w in WEIGHTS), *coefficients.values()]:
        assert all(x is None or np.isfinite(x) for x in (value["estimate"], *value["ci"], value["se"]))


def test_constant_raters():
    assert kappas([2, 2, 2], [2, 2, 2])["quadratic"]["estimate"] is None
    assert kappas([2, 2, 2], [2, 2, 1])["quadratic"]["estimate"] == pytest.approx(0)
    assert gwet([2, 2, 2], [2, 2, 2])["ac1"]["estimate"] is None


def test_perfect_agreement_is_one():
    found = kappas([0, 1, 2, 3], [0, 1, 2, 3])["linear"]
    assert (found["estimate"], found["ci"]) == (pytest.approx(1), pytest.approx([1, 1]))


@pytest.mark.parametrize("first", [[0.5, 1, 2], list(range(31)), []])
def test_what_is_no_grade_has_no_kappa(first):
    assert kappas(first, first) is None and gwet(first, first) is None


def test_thirty_levels_still_have():
    assert kappas(range(30), range(30))["unweighted"]["estimate"] == pytest.approx(1)


def test_confusion_counts_first_in_rows():
    counts, levels = confusion([0, 0, 3], [0, 3, 3])
    assert counts.tolist() == [[1, 1], [0, 1]] and levels.tolist() == [0, 3]
    counts, _ = confusion([0, 3], [1, 3], levels=range(4))
    assert counts.shape == (4, 4) and counts[0, 1] == counts[3, 3] == 1
    with pytest.raises(ValueError, match=r"\[5.0\] are not among the levels"):
        confusion([0], [5], levels=range(4))


def test_exact_and_within_one():
    assert exact_agreement([0, 1, 2], [0, 2, 0])["estimate"] == pytest.approx(1 / 3)
    assert within_one([0, 1, 2.0], [0, 2 + 1e-12, 0])["estimate"] == pytest.approx(2 / 3)
