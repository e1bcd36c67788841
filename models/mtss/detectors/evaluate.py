"""The evaluation of Sci Rep 2024;14:7696, with what it lacks: folds by patient, and intervals by patient.

    python -m models.mtss.detectors.evaluate --folds DIR --data DIR --held-out DIR

For each finding: detection rate of the single detector, of the ensemble and of the ensemble with the hand
model, accuracy, precision, recall, specificity, F and IoU from pooled counts
(:mod:`models.evaluation.detection`); beside them the paper's figures, and how many joints were named, and
named correctly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from core.domain import Abstained, Image
from models import cards
from models.common.boxes import overlap
from models.evaluation.detection import count_film, hits, pooled
from models.mtss.detectors.detections import MOST, SUPPRESS_IOU
from models.mtss.detectors.ensemble import ensemble
from models.mtss.detectors.joints import ANKYLOSIS, DETECTORS, LUXATION, UNITS_OF
from models.mtss.detectors.labels import LabelledHands, read_folder
from models.mtss.detectors.read import HandDetectors, HandReading, build
from models.training.folds import FOLDS

PAPER = {
    "source": "Sci Rep 2024;14:7696: 260 films of 130 patients, five folds",
    ANKYLOSIS: {
        "accuracy": 0.99, "precision": 0.98, "recall": 0.81, "specificity": 0.99, "f1": 0.88, "iou": 0.907,
    },
    LUXATION: {
        "accuracy": 0.99, "precision": 0.81, "recall": 0.78, "specificity": 0.99, "f1": 0.78, "iou": 0.902,
    },
    "detection_rate": "more than 0.998",
}  # fmt: skip
NOTE = "phantom films, research only"
STORED = cards.FOLDER / "mtss-folds"
METHODS = ("single", "ensemble", "hand_model")  # the last is the ensemble with joints the hand model missed


def count_reading(film: LabelledHands, reading: HandReading, fold: int = 0) -> list[dict[str, Any]]:
    """Counts of one film: a row for each finding and method. ``crossed``: joints that overlap another one so
    much that suppression leaves one of the two; ``crossed_found``: those found all the same.
    """
    rows = []
    for finding in DETECTORS:
        wanted = film.visible & np.array([unit in UNITS_OF[finding] for unit in film.units], dtype=bool)
        true, affected = film.boxes[wanted], film.affected(finding)[wanted]
        single = reading.single[finding]
        seen = [(single.boxes, single.affected)]
        for joints in (reading.paper or reading.joints, reading.joints):
            seen.append((joints.boxes, joints.ankylosis if finding == ANKYLOSIS else joints.luxation))
        over = crossed(true)
        for method, (boxes, said) in zip(METHODS, seen, strict=True):
            row = {"subject": film.patient, "film": film.name, "fold": fold}
            row |= {"finding": finding, "method": method}
            found = int((hits(boxes, true).box[over] >= 0).sum())
            row |= {"crossed": int(over.sum()), "crossed_found": found}
            rows.append(row | count_film(boxes, said, true, affected))
    return rows


def crossed(boxes: np.ndarray) -> np.ndarray:
    """(n,) which true joints overlap another one by the IoU from which the paper suppresses."""
    shared = [np.delete(overlap(box, boxes), place) for place, box in enumerate(boxes)]
    return np.array([bool((one >= SUPPRESS_IOU).any()) for one in shared], dtype=bool)


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
        reading = detectors.read(Image(film.name, film.load(), film.spacing_mm))
        if isinstance(reading, Abstained):
            reading = nothing_seen(reading)
        counts += count_reading(film, reading, fold)
        names.append(count_names(film, reading))
    return pd.DataFrame(counts), pd.DataFrame(names)


def nothing_seen(why: Abstained) -> HandReading:
    """A film that was refused: every joint on it counts as not found."""
    from models.mtss.detectors.detections import Detections

    none = {finding: Detections.empty() for finding in MOST}
    joints = ensemble(none[ANKYLOSIS], none[LUXATION])
    return HandReading(none, joints, why, pd.DataFrame(columns=["site", "feature", "grade"]))


def figures(counts: pd.DataFrame, names: pd.DataFrame, *, planned_folds: int) -> dict[str, Any]:
    """Everything that is reported, from the tables of all folds that were run."""
    run = sorted(int(fold) for fold in counts["fold"].unique())
    return {
        "system": "mtss",
        "note": NOTE,
        "folds": f"{len(run)} of {planned_folds} folds",
        "paper": PAPER,
    } | tables(counts, names)


def tables(counts: pd.DataFrame, names: pd.DataFrame) -> dict[str, Any]:
    """Figures of each finding by each method, joints found by fold, and names."""
    findings: dict[str, Any] = {}
    for finding in DETECTORS:
        rows = counts[counts["finding"] == finding]
        findings[finding] = {method: pooled(rows[rows["method"] == method]) for method in METHODS}
        findings[finding]["per_fold"] = per_fold(rows)
    return {"findings": findings, "detection": detection(counts), "naming": naming(names)}


def per_fold(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Counts and point figures of each fold, of the ensemble; ``found``: share of joints by each method."""
    listed = []
    for fold, of_fold in rows.groupby("fold"):
        one = pooled(of_fold[of_fold["method"] == "ensemble"], draws=2)
        keys = ("detection_rate", "accuracy", "precision", "recall", "specificity", "f1", "iou")
        whole = of_fold.groupby("method")[["found", "joints"]].sum()
        found = {method: float(whole.found[method] / whole.joints[method]) for method in METHODS}
        listed.append(
            {"fold": int(str(fold)), "patients": one["patients"], "counts": one["counts"], "found": found}
            | {key: one[key]["estimate"] for key in keys}
        )
    return listed


def detection(counts: pd.DataFrame) -> dict[str, Any]:
    """Share of joints found by each method, in how many folds fewer than by the single detector over its own
    joints, and how many joints that suppression cannot part were found.
    """
    result: dict[str, Any] = {}
    for finding, rows in counts.groupby("finding"):
        totals = rows.groupby(["fold", "method"])[["found", "joints"]].sum()
        rate = (totals["found"] / totals["joints"]).unstack("method")
        whole = rows.groupby("method")[["found", "joints", "crossed", "crossed_found"]].sum()
        result[str(finding)] = {
            **{method: float(whole.found[method] / whole.joints[method]) for method in METHODS},
            "folds": len(rate),
            "folds_with_fewer": int((rate["ensemble"] < rate["single"]).sum()),
            "folds_with_fewer_hand_model": int((rate["hand_model"] < rate["single"]).sum()),
            "crossed": int(whole.crossed["ensemble"]),
            "crossed_found": {method: int(whole.crossed_found[method]) for method in METHODS},
        }
    return result


def naming(names: pd.DataFrame) -> dict[str, Any]:
    """Films named, joints named and named correctly, and why the other films were not."""
    refused = names[names["reason"] != ""]
    return {
        "films": len(names),
        "films_named": len(names) - len(refused),
        "joints": int(names["joints"].sum()),
        "named": int(names["named"].sum()),
        "named_right": int(names["right"].sum()),
        "refused": refused[["film", "kind", "reason"]].to_dict("records"),
    }


@dataclass(frozen=True)
class TestedFold:
    """A fold's detectors on its own test patients (counts, names), and on patients of no fold where asked."""

    fold: int
    card: dict[str, Any]
    counts: pd.DataFrame
    names: pd.DataFrame
    held_out: dict[str, Any] | None = None


def evaluate_folds(
    folder: Path,
    films: Sequence[LabelledHands],
    held_out: Sequence[LabelledHands] = (),
    *,
    size: str = "demo",
    tell: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Every trained fold under ``folder`` (``fold0`` and on) on its own test patients among ``films``.

    held_out: films of patients of no fold, read by each fold's detectors; ``held_out`` of the result has a
    table for each. Raises ModelError where a fold's weights are damaged.
    """
    tested = []
    for fold in trained_folds(folder, size):
        tell(f"fold {fold + 1}, and {len(held_out)} films of held-out patients")
        tested.append(evaluate_fold(folder / f"fold{fold}", fold, films, held_out, size=size))
    return together(tested)


def evaluate_fold(
    where: Path,
    fold: int,
    films: Sequence[LabelledHands],
    held_out: Sequence[LabelledHands] = (),
    *,
    size: str = "demo",
) -> TestedFold:
    """One fold's detectors on those of the films whose patients its card names as test patients."""
    card, detectors = cards.read_card("mtss", size, where), build(size=size, folder=where)
    own = [film for film in films if film.patient in set(card["training"]["test_patients"])]
    counts, names = evaluate_films(detectors, own, fold)
    others = tables(*evaluate_films(detectors, held_out, fold)) if held_out else None
    return TestedFold(fold, card, counts, names, others)


def together(tested: Sequence[TestedFold]) -> dict[str, Any]:
    """The folds' figures pooled, with each fold's training and what it makes of the held-out patients."""
    counts, names = (pd.concat([getattr(one, name) for one in tested]) for name in ("counts", "names"))
    return figures(counts, names, planned_folds=FOLDS) | {
        "budget": {f"fold{one.fold}": _budget(one.card) for one in tested},
        "held_out": {f"fold{one.fold}": one.held_out for one in tested if one.held_out},
    }


def _budget(card: dict[str, Any]) -> dict[str, Any]:
    """What a fold was trained with, and the common start of all folds where there was one."""
    training = card["training"]
    start = training.get("start")
    data = {"films": training["films"], "patients": len(training["patients"])}
    begun = start and {
        "recipe": start["recipe"],
        "data": {"films": start["films"], "patients": len(start["patients"])},
        "networks": start["networks"],
    }
    return {"recipe": training["recipe"], "networks": card["networks"], "start": begun} | data


def trained_folds(folder: Path, size: str = "demo") -> list[int]:
    """Numbers of the folds that have a card under ``folder``."""
    return [k for k in range(FOLDS) if cards.card_path("mtss", size, folder / f"fold{k}").is_file()]


def write(result: dict[str, Any], path: Path) -> None:
    """Store an evaluation as JSON."""
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


@click.command()
@click.option("--folds", "folder", type=click.Path(path_type=Path, exists=True), default=STORED)
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True, help="The folds' films.")
@click.option(
    "--held-out", type=click.Path(path_type=Path, exists=True), help="Films of patients of no fold."
)
@click.option("--size", type=click.Choice(["demo", "full"]), default="demo")
@click.option("--threads", type=int, default=1, show_default=True)
def main(folder: Path, data: Path, held_out: Path | None, size: str, threads: int) -> None:
    """Test every trained fold on its own patients and write evaluation.json beside the folds."""
    import torch

    torch.set_num_threads(threads)
    others = read_folder(held_out) if held_out else []
    result = evaluate_folds(
        folder, read_folder(data), others, size=size, tell=lambda text: click.echo(text, err=True)
    )
    write(result, folder / "evaluation.json")
    from models.mtss.detectors.report import as_text

    click.echo(as_text(result))


if __name__ == "__main__":
    main()
