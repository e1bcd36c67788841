"""What networks said of patients left out: folds, devices, patients, against sklearn's figures."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from models.synovitis.evaluation import held_out, published
from models.synovitis.predictions import COLUMNS, of_task
from models.synovitis.tasks import DIAGNOSES, DISEASES


def invented(patients=60, seed=0, signal=0.8):
    """A table as training writes it. Each patient has one machine and three joints in both modes."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(patients):
        disease, device = DISEASES[number % 3], "AB"[int(rng.random() < 0.5)]
        for joint in ("MCP2", "PIP3", "WR"):
            for mode in ("B", "PD"):
                grade = int(rng.choice(4, p=[0.6, 0.2, 0.15, 0.05]))
                about = (
                    f"{number}{joint}{mode}",
                    f"P{number:02d}",
                    "BL",
                    disease,
                    device,
                    "R",
                    joint,
                    mode,
                    grade,
                )
                for scheme, part in (("folds", str(number % 5)), ("device", device)):
                    rows.append((scheme, part, *about, *_said(rng, grade, disease, signal)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _said(rng, grade, disease, signal):
    chances = rng.dirichlet(np.ones(4)) + signal * np.eye(4)[grade] * rng.random()
    chances /= chances.sum()
    own = []
    for question in DIAGNOSES.values():
        place = question.place(disease)
        chance = (
            np.nan if place is None else float(np.clip(0.5 + 0.2 * (place - 0.5) + rng.normal(0, 0.2), 0, 1))
        )
        own += [chance, np.nan if place is None else float(chance > 0.5)]
    return int(chances.argmax()), *chances, *own


@pytest.fixture(scope="module")
def table():
    return invented()


def test_folds_are_those_of_the_table(table):
    found = held_out.grades(table, draws=50)
    rows = table[table["scheme"] == "folds"]
    areas = [
        metrics.roc_auc_score(
            own["grade"], own[["p0", "p1", "p2", "p3"]], multi_class="ovr", average="weighted"
        )
        for _, own in rows.groupby("part")
        if own["grade"].nunique() == 4
    ]
    assert len(areas) == 5
    assert found["by_fold"]["auc"]["mean"] == pytest.approx(np.mean(areas))
    assert found["by_fold"]["auc"]["sd"] == pytest.approx(np.std(areas, ddof=1))
    assert found["pooled"]["n"] == len(rows) == 360 and found["pooled"]["patients"] == 60


def test_device_left_out_is_answered_by_networks_that_never_saw_it(table):
    """The rows of the scheme: other answers than those of the folds, of the same pictures."""
    found = held_out.devices(table, "grade", draws=0)
    for device in "AB":
        rows = table[(table["device"] == device)]
        for key, scheme in (("mixed", "folds"), ("left_out", "device")):
            own = rows[rows["scheme"] == scheme]
            expected = metrics.balanced_accuracy_score(own["grade"], own["answer"])
            assert found[device][key]["balanced_accuracy"]["estimate"] == pytest.approx(expected)
        assert found[device]["mixed"]["n"] == found[device]["left_out"]["n"]


def test_device_that_was_not_left_out_has_no_figures(table):
    found = held_out.devices(
        table[~((table["scheme"] == "device") & (table["part"] == "B"))], "grade", draws=0
    )
    assert found["B"]["left_out"] is None and found["B"]["mixed"]["n"] > 0


def test_diagnosis_asks_only_patients_of_its_two_groups(table):
    found = held_out.diagnoses(table, draws=20)
    assert found["ra_v_spa"]["pooled"]["patients"] == 60
    assert found["rapos_v_raneg"]["pooled"]["patients"] == 40
    own = table[(table["scheme"] == "folds") & table["rapos_v_spa"].notna()]
    expected = metrics.roc_auc_score(own["disease"] == "RA+", own["rapos_v_spa"])
    assert found["rapos_v_spa"]["pooled"]["auc"]["estimate"] == pytest.approx(expected)


def test_patient_is_answered_from_all_pictures(table):
    said = of_task(table, "ra_v_spa")
    answers, part = held_out.patient_answers(said)
    rows = said.rows.assign(truth=said.truth, answer=said.answer, chance=said.probabilities[:, 1])
    for place, (patient, own) in enumerate(rows.groupby("patient")):
        assert answers.patients[place] == patient and part[place] == own["part"].iloc[0]
        assert answers.probabilities[place, 1] == pytest.approx(own["chance"].mean())
        assert answers.answer[place] == int(own["answer"].mean() > 0.5)
    pooled = held_out.diagnoses(table, draws=20)["ra_v_spa"]
    assert pooled["patients"]["auc"]["estimate"] > pooled["pooled"]["auc"]["estimate"]
    assert pooled["patients"]["pictures_a_patient"] == 6


def test_predictive_value_at_the_paper_follows_bayes(table):
    found = held_out.diagnoses(table, draws=20)["ra_v_spa"]["decisions"]
    prevalence = published.prevalence(("RA+", "RA-"), ("PsA", "SpA"))
    assert prevalence == pytest.approx(214 / 340)
    sensitivity, specificity = (found[name]["estimate"] for name in ("sensitivity", "specificity"))
    right = sensitivity * prevalence
    expected = right / (right + (1 - specificity) * (1 - prevalence))
    assert found["ppv_at_paper"]["estimate"] == pytest.approx(expected)
    wrong = (1 - sensitivity) * prevalence
    kept = specificity * (1 - prevalence)
    assert found["npv_at_paper"]["estimate"] == pytest.approx(kept / (kept + wrong))


def test_machine_alone_tells_a_disease_where_it_goes_with_it():
    table = invented(seed=4)
    table["device"] = np.where(table["disease"] == "PsA", "A", "B")
    said = of_task(table, "ra_v_spa")
    assert held_out.device_alone(said, draws=20)["auc"]["estimate"] == 1.0
    apart = of_task(table, "rapos_v_raneg")
    assert held_out.device_alone(apart, draws=20)["auc"]["estimate"] == 0.5


def test_cut_counts_grades_from_it_on(table):
    found = held_out.grades(table, draws=20)["cuts"]["two"]
    rows = table[table["scheme"] == "folds"]
    truth, decided = rows["grade"] >= 2, rows["answer"] >= 2
    assert found["sensitivity"]["estimate"] == pytest.approx(metrics.recall_score(truth, decided))
    assert found["ppv"]["estimate"] == pytest.approx(metrics.precision_score(truth, decided))
    assert found["paper_prevalence"] == pytest.approx((374 + 78) / 2966)
    chances = rows[["p2", "p3"]].sum(axis=1)
    assert found["calibration"]["brier"] == pytest.approx(metrics.brier_score_loss(truth, chances))


def test_counts_of_the_paper_are_not_those_of_its_scans():
    accuracy, balanced = published.always_zero()
    assert (round(accuracy, 3), balanced) == (0.702, 0.25)
    assert sum(published.GRADE_COUNTS) == 2966 != published.SCANS
