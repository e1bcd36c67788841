"""Figures of joint detection and of the special findings, pooled over films, with intervals by patient.

A detected box hits a joint where they overlap by more than 0.45 (S004), one box a joint. A joint that was not
found was not called affected: its finding is a false negative, its absence no true negative. A box on no
joint that is called affected is a false positive. Truth boxes are joints that can be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.bootstrap import DRAWS, draw_counts, percentiles
from core.agreement.diagnostic import diagnostic
from core.agreement.estimate import estimate
from core.agreement.proportion import wilson
from models.common.boxes import overlap

HIT_IOU = 0.45
COUNTS = ("joints", "found", "tp", "fn", "fp", "tn", "false_boxes")


@dataclass(frozen=True)
class Hits:
    """Which box hits which true joint. box (n_true,): index of the box, -1 for none; iou (n_true,)."""

    box: np.ndarray
    iou: np.ndarray


def hits(boxes: np.ndarray, true: np.ndarray, least: float = HIT_IOU) -> Hits:
    """Boxes (n, 4) matched to true joints (m, 4), best overlap first, each used once; overlap > ``least``."""
    table = np.array([overlap(one, boxes) for one in true]).reshape(len(true), len(boxes))
    box, iou = np.full(len(true), -1), np.zeros(len(true))
    for flat in np.argsort(-table, axis=None, kind="stable"):
        row, column = np.unravel_index(flat, table.shape)
        if table[row, column] <= least:
            break
        if box[row] < 0 and column not in box:
            box[row], iou[row] = column, table[row, column]
    return Hits(box, iou)


def count_film(
    boxes: np.ndarray, called: np.ndarray, true_boxes: np.ndarray, affected: np.ndarray
) -> dict[str, float]:
    """The counts (``COUNTS``) of one film and one finding, and ``iou_sum`` over the joints found.

    called (n,): which boxes are called affected. affected (m,): which true joints are.
    """
    hit = hits(boxes, true_boxes)
    found = hit.box >= 0
    said = np.zeros(len(true_boxes), dtype=bool)
    said[found] = called[hit.box[found]]
    stray = np.setdiff1d(np.arange(len(boxes)), hit.box)
    return {
        "joints": len(true_boxes),
        "found": int(found.sum()),
        "tp": int((said & affected).sum()),
        "fn": int((~said & affected).sum()),
        "fp": int((said & ~affected).sum() + called[stray].sum()),
        "tn": int((found & ~said & ~affected).sum()),
        "false_boxes": len(stray),
        "iou_sum": float(hit.iou.sum()),
    }


def pooled(counts: pd.DataFrame, *, draws: int = DRAWS) -> dict[str, Any]:
    """Detection rate, accuracy, precision, recall, specificity, F and mean IoU of pooled counts.

    counts: one row a film, columns subject and those of :func:`count_film`. Intervals: patients drawn with
    replacement; a share of exactly 0 or 1 has Wilson's limits for as many cases as patients have one.
    """
    columns = [*COUNTS, "iou_sum"]
    by_patient = counts.groupby("subject")[columns].sum()
    value = _figures({str(name): float(total) for name, total in by_patient.sum().items()})
    result: dict[str, Any] = {name: estimate(number) for name, number in value.items()}
    if len(by_patient) > 1:
        result |= _intervals(by_patient, value, draws)
    whole = {name: int(by_patient[name].sum()) for name in COUNTS}
    table = diagnostic(*(whole[name] for name in ("tp", "fn", "fp", "tn")))
    prevalence = (whole["tp"] + whole["fn"]) / whole["joints"] if whole["joints"] else float("nan")
    return result | {
        "counts": whole,
        "patients": len(by_patient),
        "films": len(counts),
        "prevalence": estimate(prevalence),
        "kappa": table["kappa"],
    }


def _intervals(by_patient: pd.DataFrame, value: Mapping[str, float], draws: int) -> dict[str, Any]:
    drawn = draw_counts(len(by_patient), draws=draws) @ by_patient.to_numpy(float)
    rows = [_figures(dict(zip(by_patient.columns, row, strict=True))) for row in drawn]
    result = {}
    for name, number in value.items():
        found = estimate(number, *percentiles(np.array([row[name] for row in rows]))[0])
        below = int((by_patient[list(_BELOW[name])].sum(axis=1) > 0).sum())
        if number in (0.0, 1.0) and name != "iou" and below:
            found = estimate(number, *wilson(number * below, below))
        result[name] = found
    return result


_BELOW = {
    "detection_rate": ("joints",),
    "accuracy": ("tp", "fn", "fp", "tn"),
    "precision": ("tp", "fp"),
    "recall": ("tp", "fn"),
    "specificity": ("tn", "fp"),
    "f1": ("tp", "fp", "fn"),
    "iou": ("found",),
}


def _figures(c: Mapping[str, float]) -> dict[str, float]:
    total = c["tp"] + c["fn"] + c["fp"] + c["tn"]
    return {
        "detection_rate": _share(c["found"], c["joints"]),
        "accuracy": _share(c["tp"] + c["tn"], total),
        "precision": _share(c["tp"], c["tp"] + c["fp"]),
        "recall": _share(c["tp"], c["tp"] + c["fn"]),
        "specificity": _share(c["tn"], c["tn"] + c["fp"]),
        "f1": _share(2 * c["tp"], 2 * c["tp"] + c["fp"] + c["fn"]),
        "iou": _share(c["iou_sum"], c["found"]),
    }


def _share(above: float, below: float) -> float:
    return float(above / below) if below else float("nan")
