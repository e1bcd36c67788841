"""Counts of one film, pooled figures against F4 of the domain reference, folds by patient."""

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from models.evaluation import detection
from models.training import folds


def test_a_hit_overlaps_by_more_than_its_limit():
    true = np.array([[0, 0, 40, 40]], float)
    assert detection.hits(np.array([[15, 0, 55, 40]], float), true).box.tolist() == [0]  # 25 / 55
    assert detection.hits(np.array([[16, 0, 56, 40]], float), true).box.tolist() == [-1]  # 24 / 56


def test_one_box_hits_one_joint():
    true = np.array([[0, 0, 40, 40], [5, 0, 45, 40]], float)
    found = detection.hits(np.array([[4, 0, 44, 40]], float), true)
    assert found.box.tolist() == [-1, 0]


def test_counts_of_a_film():
    true = np.array([[0, 0, 40, 40], [100, 0, 140, 40], [200, 0, 240, 40], [300, 0, 340, 40]], float)
    boxes = np.array([[0, 0, 40, 40], [101, 0, 141, 40], [200, 0, 240, 40], [600, 0, 640, 40]], float)
    called = np.array([True, True, False, True])
    counted = detection.count_film(boxes, called, true, np.array([True, False, False, True]))
    assert {name: counted[name] for name in detection.COUNTS} == {
        "joints": 4, "found": 3, "tp": 1, "fn": 1, "fp": 2, "tn": 1, "false_boxes": 1,
    }  # fmt: skip
    assert counted["iou_sum"] == pytest.approx(1 + 39 / 41 + 1)


def test_a_film_without_boxes_misses_every_joint():
    none = np.zeros((0, 4))
    counted = detection.count_film(none, np.zeros(0, bool), np.array([[0, 0, 9, 9.0]]), np.array([True]))
    assert (counted["found"], counted["fn"], counted["tn"]) == (0, 1, 0)
    assert detection.count_film(none, np.zeros(0, bool), none, np.zeros(0, bool))["joints"] == 0


def counts(**changed) -> pd.DataFrame:
    """F4 of domain.md split over 40 patients."""
    rng = np.random.default_rng(0)
    rows = {
        name: rng.multinomial(total, np.ones(40) / 40)
        for name, total in {"tp": 181, "fn": 45, "fp": 294, "tn": 2489}.items()
    }
    frame = pd.DataFrame(rows).assign(subject=[f"S{i:02d}" for i in range(40)], false_boxes=0)
    frame["joints"] = frame["found"] = frame[["tp", "fn", "fp", "tn"]].sum(axis=1)
    return frame.assign(iou_sum=0.9 * frame["found"], **changed)


def test_pooled_figures_match_the_reference_table():
    found = detection.pooled(counts(), draws=200)
    expected = {
        "recall": 0.800885, "specificity": 0.894359, "precision": 0.381053, "accuracy": 0.887338,
        "f1": 0.516405, "kappa": 0.461603, "prevalence": 0.075108, "iou": 0.9,
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name]["estimate"] == pytest.approx(value, abs=1e-6), name
    low, high = found["recall"]["ci"]
    assert 0.7 < low < 0.800885 < high < 0.9


def test_intervals_are_by_patient():
    """Twenty films of one patient are one patient: intervals of forty patients do not shrink by copies."""
    once, copied = counts(), pd.concat([counts()] * 5, ignore_index=True)
    one, many = detection.pooled(once, draws=200), detection.pooled(copied, draws=200)
    assert many["recall"]["ci"] == pytest.approx(one["recall"]["ci"])
    assert (many["patients"], many["films"]) == (40, 200)


def test_a_finding_that_nobody_has_has_no_recall():
    found = detection.pooled(counts(tp=0, fn=0, fp=0), draws=50)
    assert found["recall"] == {"estimate": None, "ci": [None, None]}
    assert found["specificity"]["estimate"] == 1
    assert found["specificity"]["ci"][0] == pytest.approx(0.912, abs=0.002)  # Wilson, 40 of 40 patients


def test_no_patient_is_on_both_sides_of_a_fold():
    films = [f"P{i:03d}" for i in range(53) for _ in range(2)]
    tested: list[int] = []
    for fold in range(folds.FOLDS):
        train, test = folds.split(films, fold, seed=3)
        assert {films[i] for i in train}.isdisjoint(films[i] for i in test)
        assert sorted(train + test) == list(range(len(films)))
        assert len({films[i] for i in test}) in (10, 11)
        tested += test
    assert sorted(tested) == list(range(len(films)))


def test_folds_follow_from_names_alone():
    names = [f"P{i}" for i in range(12)]
    assert folds.folds(names) == folds.folds(names[::-1] + names)
    assert folds.folds(names) != folds.folds(names, seed=1)
    with pytest.raises(InputError, match="3 patients"):
        folds.folds(names[:3])
