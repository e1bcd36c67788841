"""Figures of classified pictures: equal to scikit-learn and scipy, patients drawn whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from models.synovitis.evaluation.figures import Answers, by_fold, constant, figures, spearman_of


def invented(n=300, classes=4, seed=0, patients=40):
    rng = np.random.default_rng(seed)
    truth = rng.choice(
        classes, n, p=np.array([0.6, 0.2, 0.15, 0.05])[:classes] / sum([0.6, 0.2, 0.15, 0.05][:classes])
    )
    chances = rng.dirichlet(np.ones(classes), n) + 0.7 * np.eye(classes)[truth] * rng.random((n, 1))
    chances = np.round(chances / chances.sum(1, keepdims=True), 2)
    chances[:, -1] = 1 - chances[:, :-1].sum(1)
    return Answers(truth, chances.argmax(1), rng.integers(0, patients, n).astype(str), classes, chances)


def test_figures_are_those_of_scikit_learn_and_scipy():
    said = invented()
    found = figures(said, draws=50)
    expected = metrics.roc_auc_score(said.truth, said.probabilities, multi_class="ovr", average="weighted")
    assert found["auc"]["estimate"] == pytest.approx(expected, abs=1e-12)
    assert found["balanced_accuracy"]["estimate"] == pytest.approx(
        metrics.balanced_accuracy_score(said.truth, said.answer)
    )
    assert found["accuracy"]["estimate"] == pytest.approx(metrics.accuracy_score(said.truth, said.answer))
    rho = stats.spearmanr(said.answer, said.truth).statistic
    assert found["spearman"]["estimate"] == pytest.approx(rho, abs=1e-12)
    table = metrics.confusion_matrix(said.truth, said.answer, labels=range(4)).T
    assert found["table_given_by_true"] == table.tolist()
    assert found["counts"] == table.sum(0).tolist()
    assert found["sensitivity"] == pytest.approx(metrics.recall_score(said.truth, said.answer, average=None))


def test_area_of_two_classes_is_that_of_the_one():
    said = invented(classes=2, seed=3)
    expected = metrics.roc_auc_score(said.truth, said.probabilities[:, 1])
    assert figures(said, draws=0)["auc"]["estimate"] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30))
def test_spearman_of_a_table_is_that_of_its_pairs(pairs):
    table = np.zeros((4, 4))
    for one, other in pairs:
        table[one, other] += 1
    first, second = np.array(pairs).T
    found = spearman_of(table)
    if len(set(first)) < 2 or len(set(second)) < 2:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-9)


def test_interval_draws_patients_and_not_pictures():
    """Pictures of a patient that are all alike tell no more than one: the interval does not shrink."""
    said = invented(n=40, patients=40, seed=5)
    many = Answers(*(np.repeat(one, 25, axis=0) for one in (said.truth, said.answer, said.patients)), 4,
                   np.repeat(said.probabilities, 25, axis=0))  # fmt: skip
    assert figures(many, draws=400)["accuracy"]["ci"] == figures(said, draws=400)["accuracy"]["ci"]


def test_class_that_does_not_occur_has_no_weight():
    said = invented(seed=7)
    kept = said.of(said.truth != 3)
    found = figures(kept, draws=0)
    assert found["class_auc"][3] is None and found["sensitivity"][3] is None
    weights = np.bincount(kept.truth, minlength=4)[:3]
    assert found["auc"]["estimate"] == pytest.approx(np.average(found["class_auc"][:3], weights=weights))


def test_mean_and_sd_are_those_over_folds():
    said, part = invented(seed=9), np.arange(300) % 5
    found = by_fold(said, part)
    values = [
        metrics.balanced_accuracy_score(said.truth[part == one], said.answer[part == one]) for one in range(5)
    ]
    assert found["balanced_accuracy"]["mean"] == pytest.approx(np.mean(values))
    assert found["balanced_accuracy"]["sd"] == pytest.approx(np.std(values, ddof=1))
    assert found["auc"]["folds"] == 5


def test_always_zero_has_the_share_of_zero_and_a_quarter():
    truth = np.repeat([0, 1, 2, 3], [2081, 433, 374, 78])
    found = constant(truth, 4)
    assert found["accuracy"] == pytest.approx(0.702, abs=5e-4)
    assert found["balanced_accuracy"] == 0.25 and found["n"] == 2966


def test_readers_without_probabilities_have_no_area():
    said = invented(seed=11)
    reader = Answers(said.truth, said.answer, said.patients, 4)
    found = figures(reader, draws=20)
    assert found["auc"] == {"estimate": None, "ci": [None, None]}
    assert found["spearman"]["ci"][0] is not None


def test_a_single_true_class_has_no_balanced_accuracy():
    said = invented(seed=13)
    found = figures(said.of(said.truth == 0), draws=20)
    assert found["balanced_accuracy"]["estimate"] is None and found["auc"]["estimate"] is None
    assert found["accuracy"]["estimate"] is not None
