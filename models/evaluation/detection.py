"""Figures of joint detection and of the special findings, pooled over films, with intervals by patient.

A detected box hits a joint where they overlap by more than 0.45 (Sci Rep 2024;14:7696), one box a joint. A
joint that was not found was not called affected: its finding is a false negative, its absence no true
negative. A box without a joint that is called affected is a false positive. Truth boxes are joints that can
be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.bootstrap import DRAWS
from core.agreement.diagnostics.two_by_two import diagnostic
from core.agreement.estimate import estimate
from models.common.boxes import overlap
from models.evaluation.intervals import ratio

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

    counts: one row a film, columns subject and those of :func:`count_film`. Intervals over patients; a
    proportion of exactly 0 or 1 has Wilson's limits for as many cases as patients have one.
    """
    by_patient = counts.groupby("subject")[[*COUNTS, "iou_sum"]].sum()
    result: dict[str, Any] = {
        name: ratio(above, below, by_patient.index, is_proportion=name != "iou", draws=draws)
        for name, (above, below) in _figures(by_patient).items()
    }
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


def _figures(c: pd.DataFrame) -> dict[str, tuple[pd.Series, pd.Series]]:
    """What each figure is a ratio of, by patient."""
    said_right = c["tp"] + c["tn"]
    return {
        "detection_rate": (c["found"], c["joints"]),
        "accuracy": (said_right, said_right + c["fn"] + c["fp"]),
        "precision": (c["tp"], c["tp"] + c["fp"]),
        "recall": (c["tp"], c["tp"] + c["fn"]),
        "specificity": (c["tn"], c["tn"] + c["fp"]),
        "f1": (2 * c["tp"], 2 * c["tp"] + c["fp"] + c["fn"]),
        "iou": (c["iou_sum"], c["found"]),
    }
