"""Figures of what networks said of patients whom they had not learned from: by fold, device and patient.

From the table that training leaves beside the weights (``models.synovitis.predictions``): five folds by
patient, and each device left out in turn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.agreement.bootstrap import DRAWS
from core.agreement.diagnostics.calibration import calibration
from models import cards
from models.evaluation.intervals import predictive_value, proportion
from models.synovitis.evaluation import published
from models.synovitis.evaluation.figures import Answers, by_fold, constant, figures
from models.synovitis.predictions import DEVICE_SCHEME, FOLDS_SCHEME, Predicted, of_task, read_predictions
from models.synovitis.tasks import DIAGNOSES, GRADE, GRADES

SYSTEM = "synovitis"
MODES = {"B": "gs", "PD": "pd"}
CUTS = {"any": 1, "two": 2}  # a grade that makes two groups
KINDS = {"devices": "device", "joints": "joint"}


def grade_set(size: str, *, draws: int = DRAWS) -> dict[str, Any]:
    """The set of the five folds, grades."""
    table = read_predictions(size)
    return _set(table, size, {"held_out": grades(table, draws=draws)})


def diagnosis_set(size: str, *, draws: int = DRAWS) -> dict[str, Any]:
    """The set of the five folds, diagnoses."""
    table = read_predictions(size)
    return _set(table, size, {"diagnosis": diagnoses(table, draws=draws)})


def _set(table: pd.DataFrame, size: str, sections: dict[str, Any]) -> dict[str, Any]:
    rows = table[table["scheme"] == FOLDS_SCHEME]
    phantom = cards.read_card(SYSTEM, size).get("training", {}).get("phantom")
    none = np.zeros(len(rows), bool)
    abstained = {
        "good": len(rows), "wrong": 0, "images": [],
        "good_abstained": proportion(none, ~none, rows["patient"], draws=0),
        "wrong_abstained": proportion(none, none, rows["patient"], draws=0),
    }  # fmt: skip
    empty: dict[str, Any] = {
        name: {} for name in ("status", "change", "grades", "site_change", "sdc_readers")
    }
    head = {
        "set": "five folds", "domain": "first", "real": None if phantom is None else not phantom,
        "patients": int(rows["patient"].nunique()), "images": len(rows), "abstention": abstained,
    }  # fmt: skip
    return head | empty | {"sections": sections}


def grades(table: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Figures of the grading network over folds, pooled, by scale, device and joint, with the device left
    out, against grade 0 always, and how far its probabilities hold.
    """
    found = of_task(table, GRADE)
    said = answers_of(found)
    modes = found.rows["mode"].map(MODES).to_numpy()
    return {
        "by_fold": by_fold(said, found.rows["part"].to_numpy()),
        "pooled": figures(said, draws=draws),
        "always_zero": constant(said.truth, len(GRADES)),
        "scales": {mode: figures(said.of(modes == mode), draws=draws) for mode in MODES.values()},
        "devices": devices(table, GRADE, draws=draws),
        "joints": _groups(said, found.rows["joint"].str.rstrip("0123456789"), draws),
        "cuts": {name: _cut(said, cut, draws) for name, cut in CUTS.items()},
    }


def answers_of(found: Predicted) -> Answers:
    """The pictures of a task, as the figures take them."""
    return Answers(
        found.truth, found.answer, found.rows["patient"].to_numpy(str), found.probabilities.shape[1],
        found.probabilities,
    )  # fmt: skip


def devices(table: pd.DataFrame, task: str, *, draws: int = DRAWS) -> dict[str, Any]:
    """Device -> figures of its pictures where all devices were learned from (``mixed``, by fold) and where it
    was left out (``left_out``, None where it could not be).
    """
    mixed, apart = (of_task(table, task, scheme) for scheme in (FOLDS_SCHEME, DEVICE_SCHEME))
    found = {}
    for device in sorted(set(mixed.rows["device"])):
        own = (apart.rows["part"] == device).to_numpy() & (apart.rows["device"] == device).to_numpy()
        found[device] = {
            "mixed": figures(answers_of(mixed).of((mixed.rows["device"] == device).to_numpy()), draws=draws),
            "left_out": figures(answers_of(apart).of(own), draws=draws) if own.any() else None,
        }
    return found


def _groups(said: Answers, group: pd.Series, draws: int) -> dict[str, Any]:
    names = group.to_numpy(str)
    return {name: figures(said.of(names == name), draws=draws) for name in sorted(set(names.tolist()))}


def _cut(said: Answers, cut: int, draws: int) -> dict[str, Any]:
    """Grades from ``cut`` on as one group: decisions, and whether the probabilities of it hold."""
    assert said.probabilities is not None
    truth, decided = said.truth >= cut, said.answer >= cut
    chances = np.clip(said.probabilities[:, cut:].sum(axis=1), 0, 1)
    paper = sum(published.GRADE_COUNTS[cut:]) / sum(published.GRADE_COUNTS)
    return decisions(truth, decided, said.patients, paper, draws=draws) | {
        "calibration": held(truth, chances)
    }


def decisions(
    truth: np.ndarray, decided: np.ndarray, patients: np.ndarray, paper: float, *, draws: int = DRAWS
) -> dict[str, Any]:
    """Sensitivity, specificity, prevalence and predictive values here, and at the paper's prevalence."""
    every = np.ones(len(truth), bool)
    shares = {
        "sensitivity": (decided, truth), "specificity": (~decided, ~truth), "ppv": (truth, decided),
        "npv": (~truth, ~decided), "prevalence": (truth, every),
    }  # fmt: skip
    found = {name: proportion(hit, of, patients, draws=draws) for name, (hit, of) in shares.items()}
    return found | {
        "paper_prevalence": paper,
        "ppv_at_paper": predictive_value(decided, truth, patients, paper, draws=draws),
        "npv_at_paper": predictive_value(~decided, ~truth, patients, 1 - paper, draws=draws),
    }


def held(truth: np.ndarray, chances: np.ndarray) -> dict[str, Any]:
    """Calibration without intervals, which take pictures for independent: bins, Brier score, expected
    calibration error, intercept and slope.
    """
    found = calibration(truth, chances)
    bins = [
        {"n": one["n"], "mean_probability": one["mean_probability"], "observed": one["observed"]["estimate"]}
        for one in found["bins"]
    ]
    plain = {name: found[name]["estimate"] for name in ("intercept", "slope")}
    return {"bins": bins, "brier": found["brier"], "ece": found["ece"], **plain}


def diagnoses(table: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Task -> figures over folds, pooled over pictures, by device and with it left out, and of patients."""
    found = {}
    for task, question in DIAGNOSES.items():
        said = of_task(table, task)
        paper = published.prevalence(question.first_diseases, question.second_diseases)
        answers = answers_of(said)
        found[task] = {
            "first": question.first,
            "second": question.second,
            "by_fold": by_fold(answers, said.rows["part"].to_numpy()),
            "pooled": figures(answers, draws=draws),
            "devices": devices(table, task, draws=draws),
            "patients": of_patients(said, paper, draws=draws),
            "decisions": decisions(
                answers.truth == 1, answers.answer == 1, answers.patients, paper, draws=draws
            ),
            "calibration": held(answers.truth == 1, said.probabilities[:, 1]),
            "device_alone": device_alone(said, draws=draws),
        }
    return found


def of_patients(said: Predicted, paper: float, *, draws: int = DRAWS) -> dict[str, Any]:
    """A diagnosis of each patient from all pictures: the mean chance, and what most pictures were answered
    (a tie: the second group).
    """
    answers, part = patient_answers(said)
    own = figures(answers, draws=draws) | {"by_fold": by_fold(answers, part)}
    own["pictures_a_patient"] = len(said.truth) / max(len(answers.truth), 1)
    truth, decided = answers.truth == 1, answers.answer == 1
    return own | {
        "decisions": decisions(truth, decided, answers.patients, paper, draws=draws),
        "calibration": held(truth, answers.probabilities[:, 1]),  # type: ignore[index]
    }


def patient_answers(said: Predicted) -> tuple[Answers, np.ndarray]:
    """One answer a patient, and the part in which the patient was left out."""
    frame = pd.DataFrame(
        {
            "patient": said.rows["patient"].to_numpy(str),
            "part": said.rows["part"].to_numpy(),
            "truth": said.truth,
            "answer": said.answer,
            "chance": said.probabilities[:, 1],
        }
    )
    rows = frame.groupby("patient", sort=True).agg(
        part=("part", "first"), truth=("truth", "first"), answer=("answer", "mean"), chance=("chance", "mean")
    )
    chance = rows["chance"].to_numpy(float)
    answers = Answers(
        rows["truth"].to_numpy(int), (rows["answer"] > 0.5).to_numpy(int), rows.index.to_numpy(str), 2,
        np.stack([1 - chance, chance], axis=1),
    )  # fmt: skip
    return answers, rows["part"].to_numpy()


def device_alone(said: Predicted, *, draws: int = DRAWS) -> dict[str, Any]:
    """AUC of who knows nothing but the device and how often it goes with the first group: what a network that
    had learned the machine and nothing else could reach.
    """
    rows = said.rows.assign(truth=said.truth)
    chance = rows["device"].map(rows.groupby("device")["truth"].mean()).to_numpy(float)
    answers = Answers(
        said.truth, (chance > 0.5).astype(int), rows["patient"].to_numpy(str), 2,
        np.stack([1 - chance, chance], axis=1),
    )  # fmt: skip
    return {"auc": figures(answers, draws=draws)["auc"]}
