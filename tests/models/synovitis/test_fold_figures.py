"""The figures of folds that the card keeps."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from models.synovitis.fold_figures import figures


def test_figures_of_grades_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 80)
    chances = rng.dirichlet(np.ones(4), 80)
    found = figures(truth, chances.argmax(axis=1), chances)
    weighted = roc_auc_score(truth, chances, multi_class="ovr", average="weighted")
    assert found["auc"] == pytest.approx(weighted)
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, chances.argmax(axis=1)))


def test_a_grade_that_a_fold_lacks_does_not_count_and_one_class_gives_no_figures():
    truth = np.array([0, 0, 1, 1])
    chances = np.array([[0.9, 0.1, 0, 0], [0.6, 0.3, 0.1, 0], [0.2, 0.7, 0.1, 0], [0.5, 0.2, 0.3, 0]])
    found = figures(truth, chances.argmax(axis=1), chances)
    assert found["auc"] == pytest.approx(0.875) and found["balanced_accuracy"] == pytest.approx(0.75)
    assert np.isnan(figures(truth[:2], np.array([0, 0]), chances[:2])["auc"])
