"""Boxes of one detector on one film: from everything it proposed to the joints it stands for (Sci Rep
2024;14:7696).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.common.boxes import suppress
from models.mtss.detectors.joints import ANKYLOSIS, LUXATION, UNITS_OF
from models.mtss.detectors.windows import to_scan

CONFIDENCE = 0.9  # t_conf: a box must be surer than this
SUPPRESS_IOU = 0.15  # t_IoU1: of boxes of one detector that overlap by this much or more, the surest stays
MOST = {ANKYLOSIS: len(UNITS_OF[ANKYLOSIS]), LUXATION: len(UNITS_OF[LUXATION])}  # M1 = 20, M2 = 18


@dataclass(frozen=True)
class Detections:
    """Boxes (n, 4) corners x0, y0, x1, y1; scores (n,) 0 to 1; affected (n,) whether the box is called so."""

    boxes: np.ndarray
    scores: np.ndarray
    affected: np.ndarray

    def __post_init__(self) -> None:
        if not (self.boxes.shape == (len(self.scores), 4) and len(self.scores) == len(self.affected)):
            shapes = self.boxes.shape, self.scores.shape, self.affected.shape
            raise ValueError(f"boxes, scores, affected have shapes {shapes}; (n, 4), (n,), (n,) are needed")

    def __len__(self) -> int:
        return len(self.scores)

    def pick(self, keep: np.ndarray) -> Detections:
        """Those of a mask or of indices, in that order."""
        return Detections(self.boxes[keep], self.scores[keep], self.affected[keep])

    @classmethod
    def empty(cls) -> Detections:
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros(0, dtype=bool))


def gather(windows: Sequence[Detections], places: np.ndarray) -> Detections:
    """The boxes of all windows, (n, 2) their upper left corners, on the half-size film."""
    if not len(windows):
        return Detections.empty()
    return Detections(
        np.concatenate([to_scan(one.boxes, at) for one, at in zip(windows, places, strict=True)]),
        np.concatenate([one.scores for one in windows]),
        np.concatenate([one.affected for one in windows]),
    )


def confident(found: Detections, least: float = CONFIDENCE) -> Detections:
    """Boxes surer than ``least``; exactly ``least`` is not enough."""
    return found.pick(found.scores > least)


def joints_of(
    found: Detections, most: int, *, confidence: float = CONFIDENCE, iou: float = SUPPRESS_IOU
) -> Detections:
    """What one detector says of a film: sure boxes, one for each place, at most ``most``, surest first.

    Suppression does not ask for the class: a joint called affected and unaffected keeps the surer call.
    """
    sure = confident(found, confidence)
    return sure.pick(suppress(sure.boxes, sure.scores, iou, most))
