"""Figures of slices and segments against tables whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from models.sparcc.evaluation import detection
from models.sparcc.evaluation.detection import (
    area,
    by_region,
    dice_of_hits,
    ppv_at,
    ppv_in_clinic,
    segments_of,
    table_figures,
)


def slices(truth, decided, subject="A", *, region="lumbar", visit="BL", **others):
    frame = pd.DataFrame({"truth": np.array(truth, bool), "any_pixel": np.array(decided, bool)})
    frame = frame.assign(overlap=frame["any_pixel"], radiologist=pd.NA, subject=subject, visit=visit)
    return frame.assign(**({"region": region, "score": 0.0, "dice": np.nan} | others))


def paper(patients=60):
    """The paper's 3,009 images, dealt out to patients in turn."""
    truth = [True] * 226 + [False] * 2783
    decided = [True] * 181 + [False] * 45 + [True] * 294 + [False] * 2489
    return slices(truth, decided, [f"P{number % patients}" for number in range(3009)])


def test_the_papers_confusion_matrix_gives_the_figures_that_follow_from_it():
    rows = paper()
    found = table_figures(rows["any_pixel"], rows["truth"], rows["subject"], draws=200)
    assert found["counts"] == {"tp": 181, "fn": 45, "fp": 294, "tn": 2489}
    expected = {
        "sensitivity": 0.800885, "specificity": 0.894359, "ppv": 0.381053, "npv": 0.982242,
        "accuracy": 0.887338, "f1": 0.516405, "kappa": 0.461603, "prevalence": 0.075108,
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name]["estimate"] == pytest.approx(value, abs=1e-6), name
    assert (found["n"], found["patients"]) == (3009, 60)
    low, high = found["sensitivity"]["ci"]
    assert low < 0.800885 < high


def test_slices_of_one_patient_that_err_together_widen_the_interval():
    truth = [True] * 200
    decided = ([True] * 10 + [False] * 10) * 10
    together = table_figures(decided, truth, np.repeat(np.arange(20), 10), draws=500)["sensitivity"]
    spread = table_figures(decided, truth, np.arange(200), draws=500)["sensitivity"]
    assert together["estimate"] == spread["estimate"] == 0.5
    assert np.ptp(together["ci"]) > 2 * np.ptp(spread["ci"])


def test_a_segment_is_positive_from_two_slices_on_whether_they_touch_or_not():
    parts = [
        slices([0, 1, 0, 0, 0], [0, 1, 0, 0, 0], region="cervical", score=[0.1, 0.9, 0.3, 0.0, 0.0]),
        slices([0, 1, 0, 0, 1], [0, 0, 0, 1, 1], region="thoracic", score=[0.0, 0.2, 0.2, 0.8, 0.7]),
        slices([0, 0, 0, 0, 0], [1, 0, 0, 0, 1], region="lumbar", score=[0.9, 0.0, 0.0, 0.0, 0.5]),
    ]
    rows = pd.concat(parts, ignore_index=True)
    found = segments_of(rows)
    assert found["truth"].tolist() == [False, True, False]
    assert found["any_pixel"].tolist() == [False, True, True]
    assert found["score"].tolist() == [0.3, 0.7, 0.5]
    assert found["radiologist"].isna().all()
    regions = by_region(rows, found, draws=20)
    assert list(regions) == ["cervical", "thoracic", "lumbar"]
    assert regions["lumbar"]["segments"]["any_pixel"]["counts"] == {"tp": 0, "fn": 0, "fp": 1, "tn": 0}
    assert regions["thoracic"]["images"]["overlap"]["counts"] == {"tp": 1, "fn": 1, "fp": 1, "tn": 2}


def test_a_radiologist_who_is_not_there_has_no_figures():
    rows = slices([1, 0], [1, 0])
    assert list(detection.images(rows, draws=20)) == ["any_pixel", "overlap"]
    called = rows.assign(radiologist=pd.array([True, True], dtype="boolean"))
    assert detection.images(called, draws=20)["radiologist"]["counts"]["fp"] == 1


def test_ppv_at_the_papers_prevalence_is_the_papers_own():
    assert ppv_at(paper(), 226 / 3009, draws=50)["estimate"] == pytest.approx(0.381053, abs=1e-6)
    rarer = ppv_at(paper(), 0.02, draws=50)["estimate"]
    assert rarer == pytest.approx(0.02 * 0.800885 / (0.02 * 0.800885 + 0.98 * (1 - 0.894359)), abs=1e-5)


def test_ppv_in_a_clinic_weighs_patients_with_and_without_inflammation():
    ill = slices([1, 1, 0, 0], [1, 0, 1, 0], "ill")  # 1 hit and 2 alarms a patient
    well = [slices([0, 0, 0, 0], [1, 0, 0, 0], f"well{number}") for number in range(3)]  # no hit, 1 alarm
    rows = pd.concat([ill, *well], ignore_index=True)
    assert ppv_in_clinic(rows, 0.1, draws=50)["estimate"] == pytest.approx(0.1 / (0.1 * 2 + 0.9 * 1))
    assert ppv_in_clinic(rows, 1.0, draws=50)["estimate"] == pytest.approx(0.5)
    assert ppv_in_clinic(ill, 0.5, draws=50)["estimate"] is None  # nobody without inflammation


def test_the_area_under_the_curve_is_that_of_scores():
    rows = slices([0, 0, 1, 1], [0] * 4, ["A", "B", "C", "D"], score=[0.1, 0.4, 0.35, 0.8])
    found = area(rows, draws=50)
    assert found["estimate"] == 0.75
    assert found["method"] == "patient bootstrap"


def test_dice_is_of_slices_that_were_found():
    rows = slices([1, 1, 1, 0], [1, 1, 0, 1], ["A", "A", "B", "B"], dice=[0.5, 0.7, np.nan, np.nan])
    found = dice_of_hits(rows, draws=50)
    assert found["estimate"] == pytest.approx(0.6)
    assert found["sd"] == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert found["n"] == 2
