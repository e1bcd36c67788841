"""The sentences under the figures say what the numbers say."""

import numpy as np
import pytest

from core.agreement.estimate import estimate
from core.agreement.limits.bland_altman import bland_altman
from core.agreement.plain_words import (
    FEW_PATIENTS,
    false_change_sentence,
    icc_sentence,
    index_sentence,
    index_side,
    kappa_sentence,
    limits_sentence,
)
from core.agreement.reader_model import false_change, interchangeability


def test_icc():
    assert icc_sentence("ICC(A,1)", estimate(0.6667, 0.1288, 0.9044), what="change") == (
        "ICC(A,1) 0.67 (95% CI 0.13 to 0.90): 67% of the variance of change is difference between patients,"
        " the rest is readers and error."
    )
    assert "constant difference between readers left out" in icc_sentence(
        "ICC(C,1)", estimate(0.5, 0, 1), what="x"
    )
    assert icc_sentence("ICC(A,1)", estimate(None), what="change") == "ICC(A,1) of change cannot be computed."
    assert "0% of the variance" in icc_sentence("ICC(A,1)", estimate(-0.2), what="change")


def test_limits():
    first, second = [0, 2, 1, 0, 0, 6, 2, 0, 3, 0], [1, 1, 3, -1, 0, 4, 0, 1, 1, 0]
    assert limits_sentence(bland_altman(first, second), "R1", "R2", "units") == (
        "On average R1 gives 0.40 units more than R2; 95% limits of agreement −2.40 to +3.20 units."
    )
    shifted = limits_sentence(bland_altman(np.add(second, 5), second), "R1", "R2", "units")
    assert "5.00 units more than R2 (significant)" in shifted
    assert "the same as" in limits_sentence(bland_altman([1, 2], [2, 1]), "R1", "R2", "units")
    assert "too few patients" in limits_sentence(bland_altman([1], [2]), "R1", "R2", "units")


@pytest.mark.parametrize("n", range(2, 13))
def test_nothing_is_concluded_from_a_handful(n):
    rng = np.random.default_rng(n)
    truth = rng.normal(size=(n, 1)) * 5
    readers, model = truth + rng.normal(size=(n, 2)), truth[:, 0] + rng.normal(size=n)
    said = limits_sentence(bland_altman(readers[:, 0], readers[:, 1]), "R1", "R2", "units")
    judged = index_sentence(interchangeability(readers, model, margin=3), "units")
    if n < FEW_PATIENTS:
        assert f"{n} patients are too few (10 are needed)" in said and "95% limits" not in said
        assert f"{n} patients are too few (10 are needed) for a verdict" in judged
        assert "margin" not in judged and "significant" not in said + judged
    else:
        assert "95% limits of agreement" in said and "No verdict: " in judged


def test_kappa():
    assert kappa_sentence(estimate(0.66), 0.51, 0.92) == (
        "The same grade in 51%, at most one apart in 92%; quadratic kappa 0.66 (no interval)."
    )
    assert "cannot be computed" in kappa_sentence(estimate(None), 1.0, 1.0)
    assert kappa_sentence(estimate(None), None, None) == "No site was graded by both."


def test_index_judges_only_against_a_margin():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(80, 1)) * 5
    readers, model = truth + rng.normal(size=(80, 2)), truth[:, 0] + rng.normal(size=80)
    assert "there is no verdict" in index_sentence(interchangeability(readers, model), "units")
    assert "within the preset margin of 3" in index_sentence(
        interchangeability(readers, model, margin=3), "units"
    )
    assert "not shown to be within" in index_sentence(
        interchangeability(readers, model * 2, margin=0.1), "units"
    )
    assert "needs two readers" in index_sentence(interchangeability(readers[:, :1], model), "units")
    assert "no interval" in index_sentence(interchangeability(readers[:1], model[:1], margin=1), "units")


def test_false_change():
    readers = np.array([[0, 0], [0, 0], [0, 1], [0, 0]])
    found = false_change(readers, np.array([0, 1, 0, -1]), ["A", "B"])
    assert false_change_sentence(found) == (
        "Of 3 cases in which no reader sees a change the model sees one in 2 (an improvement in 1);"
        " readers against each other 0% to 25%."
    )
    assert "cannot be counted" in false_change_sentence(false_change(readers + 1, np.zeros(4), ["A", "B"]))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (estimate(0.4, 0.1, 0.7), "further from the readers than they are to each other"),
        (estimate(-0.4, -0.7, -0.1), "nearer to the readers than they are to each other"),
        (estimate(0.4, -0.1, 0.7), "further from the readers than they are to each other (not significant)"),
        (estimate(1e-12, -0.1, 0.1), "as far from the readers as they are from each other"),
    ],
)
def test_an_index_is_said_beside_the_distance_of_the_readers(value, words):
    assert index_side(value) == words
