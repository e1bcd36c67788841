"""The evaluation that S004 reports, with what it lacks: folds by patient, and intervals by patient.

For each finding: detection rate of the single detector and of the ensemble, accuracy, precision, recall,
specificity, F and IoU from pooled counts (:mod:`models.mtss.measures`); beside them the paper's figures, and
how many joints were named, and named rightly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.domain import Abstained, Film
from models.mtss.detections import MOST
from models.mtss.ensemble import ensemble
from models.mtss.infer import HandDetectors, HandReading
from models.mtss.labels import LabelledHands
from models.mtss.measures import count_film, hits, pooled
from models.mtss.sites import ANKYLOSIS, DETECTORS, LUXATION, UNITS_OF

PAPER = {
    "source": "S004, domain.md D1: 260 films of 130 patients, five folds",
    ANKYLOSIS: {
        "accuracy": 0.99, "precision": 0.98, "recall": 0.81, "specificity": 0.99, "f1": 0.88, "iou": 0.907,
    },
    LUXATION: {
        "accuracy": 0.99, "precision": 0.81, "recall": 0.78, "specificity": 0.99, "f1": 0.78, "iou": 0.902,
    },
    "detection_rate": "more than 0.998",
}  # fmt: skip
NOTE = "phantom films, research only"


def count_reading(film: LabelledHands, reading: HandReading, fold: int = 0) -> list[dict[str, Any]]:
    """Counts of one film: a row for each finding by the single detector and by the ensemble."""
    rows = []
    for finding in DETECTORS:
        wanted = film.visible & np.array([unit in UNITS_OF[finding] for unit in film.units], dtype=bool)
        true, affected = film.boxes[wanted], film.affected(finding)[wanted]
        single, joints = reading.single[finding], reading.joints
        called = joints.ankylosis if finding == ANKYLOSIS else joints.luxation
        seen = (("single", single.boxes, single.affected), ("ensemble", joints.boxes, called))
        for method, boxes, said in seen:
            row = {"subject": film.patient, "film": film.name, "fold": fold}
            row |= {"finding": finding, "method": method}
            rows.append(row | count_film(boxes, said, true, affected))
    return rows


def count_names(film: LabelledHands, reading: HandReading) -> dict[str, Any]:
    """How the joints of one film were named: right where the named box hits that joint."""
    row: dict[str, Any] = {"subject": film.patient, "film": film.name, "kind": film.kind}
    row |= {"joints": int(film.visible.sum()), "named": 0, "right": 0, "reason": ""}
    if isinstance(reading.named, Abstained):
        return row | {"reason": reading.named.reason}
    box_of = {film.units[i]: int(box) for i, box in enumerate(hits(reading.joints.boxes, film.boxes).box)}
    right = sum(box_of.get(unit, -1) == place for unit, place in reading.named.units.items())
    return row | {"named": len(reading.named.units), "right": right}


def evaluate_films(
    detectors: HandDetectors, films: Sequence[LabelledHands], fold: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of :func:`count_reading` and :func:`count_names` over films that were not trained on."""
    counts: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    for film in films:
        reading = detectors.read(Film(film.name, film.load(), film.spacing_mm))
        if isinstance(reading, Abstained):
            reading = nothing_seen(reading)
        counts += count_reading(film, reading, fold)
        names.append(count_names(film, reading))
    return pd.DataFrame(counts), pd.DataFrame(names)


def nothing_seen(why: Abstained) -> HandReading:
    """A film that was refused: every joint on it counts as not found."""
    from models.mtss.detections import Detections

    none = {finding: Detections.empty() for finding in MOST}
    joints = ensemble(none[ANKYLOSIS], none[LUXATION])
    return HandReading(none, joints, why, pd.DataFrame(columns=["site", "feature", "grade"]))


def figures(counts: pd.DataFrame, names: pd.DataFrame, *, planned_folds: int) -> dict[str, Any]:
    """Everything that is reported, from the tables of all folds that were run."""
    run = sorted(int(fold) for fold in counts["fold"].unique())
    result: dict[str, Any] = {
        "system": "mtss",
        "note": NOTE,
        "folds": f"{len(run)} of {planned_folds} folds",
        "paper": PAPER,
        "findings": {},
        "detection": detection(counts),
        "naming": naming(names),
    }
    for finding in DETECTORS:
        rows = counts[counts["finding"] == finding]
        result["findings"][finding] = {
            method: pooled(rows[rows["method"] == method]) for method in ("single", "ensemble")
        } | {"per_fold": per_fold(rows)}
    return result


def per_fold(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Counts and point figures of each fold, of the ensemble."""
    found = []
    for fold, of_fold in rows[rows["method"] == "ensemble"].groupby("fold"):
        one = pooled(of_fold, draws=2)
        keys = ("detection_rate", "accuracy", "precision", "recall", "specificity", "f1", "iou")
        found.append(
            {"fold": int(str(fold)), "counts": one["counts"]} | {k: one[k]["estimate"] for k in keys}
        )
    return found


def detection(counts: pd.DataFrame) -> dict[str, Any]:
    """Share of joints found, ensemble against each single detector over its own joints, and in how many folds
    the ensemble finds fewer.
    """
    result: dict[str, Any] = {}
    for finding, rows in counts.groupby("finding"):
        totals = rows.groupby(["fold", "method"])[["found", "joints"]].sum()
        rate = (totals["found"] / totals["joints"]).unstack("method")
        whole = rows.groupby("method")[["found", "joints"]].sum()
        share = whole["found"] / whole["joints"]
        result[str(finding)] = {
            "single": float(share["single"]),
            "ensemble": float(share["ensemble"]),
            "folds_with_fewer": int((rate["ensemble"] < rate["single"]).sum()),
            "folds": len(rate),
        }
    return result


def naming(names: pd.DataFrame) -> dict[str, Any]:
    """Films named, joints named and named rightly, and why the other films were not."""
    refused = names[names["reason"] != ""]
    return {
        "films": len(names),
        "films_named": len(names) - len(refused),
        "joints": int(names["joints"].sum()),
        "named": int(names["named"].sum()),
        "named_right": int(names["right"].sum()),
        "refused": refused[["film", "kind", "reason"]].to_dict("records"),
    }
