"""Two detectors, one list of joints: the ensemble of Sci Rep 2024;14:7696, step by step.

Step 1, each detector by itself, is :func:`models.mtss.detectors.detections.joints_of`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.common.boxes import overlap
from models.mtss.detectors.detections import MOST, Detections
from models.mtss.detectors.joints import ANKYLOSIS

SAME_IOU = 0.45  # t_IoU2: boxes of the two detectors that overlap by this much or more are one joint


@dataclass(frozen=True)
class Joints:
    """Joints of a film. boxes (n, 4), scores (n,); ankylosis, luxation (n,): the finding; by_ankylosis,
    by_luxation (n,): which detectors saw the joint at all.
    """

    boxes: np.ndarray
    scores: np.ndarray
    ankylosis: np.ndarray
    luxation: np.ndarray
    by_ankylosis: np.ndarray
    by_luxation: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def pick(self, keep: np.ndarray) -> Joints:
        """Those of a mask or of indices, in that order."""
        return Joints(
            self.boxes[keep],
            self.scores[keep],
            self.ankylosis[keep],
            self.luxation[keep],
            self.by_ankylosis[keep],
            self.by_luxation[keep],
        )


def ensemble(ankylosis: Detections, luxation: Detections) -> Joints:
    """Steps 2 to 4: boxes of the same joint merged, the others kept, at most 20, surest first."""
    pairs = same_joint(ankylosis, luxation)
    merged = merge_pairs(ankylosis, luxation, pairs)
    return most_confident(join(merged, unmatched(ankylosis, luxation, pairs)))


def same_joint(one: Detections, other: Detections, least: float = SAME_IOU) -> np.ndarray:
    """(k, 2) indices of boxes that are one joint: pairs by falling overlap, each box in one pair at most."""
    table = np.array([overlap(box, other.boxes) for box in one.boxes]).reshape(len(one), len(other))
    pairs: list[tuple[int, int]] = []
    for flat in np.argsort(-table, axis=None, kind="stable"):
        row, column = np.unravel_index(flat, table.shape)
        if table[row, column] < least:
            break
        if all(row != r and column != c for r, c in pairs):
            pairs.append((int(row), int(column)))
    return np.array(pairs, dtype=int).reshape(-1, 2)


def merge_pairs(ankylosis: Detections, luxation: Detections, pairs: np.ndarray) -> Joints:
    """Step 2: the geometry of the surer box (the ankylosis detector's of equals), the labels of both."""
    a, b = ankylosis.pick(pairs[:, 0]), luxation.pick(pairs[:, 1])
    first = a.scores >= b.scores
    seen = np.ones(len(pairs), dtype=bool)
    return Joints(
        np.where(first[:, None], a.boxes, b.boxes),
        np.where(first, a.scores, b.scores),
        a.affected,
        b.affected,
        seen,
        seen,
    )


def unmatched(ankylosis: Detections, luxation: Detections, pairs: np.ndarray) -> Joints:
    """Step 3: boxes that only one detector has, with the other's finding negative."""
    a = ankylosis.pick(np.setdiff1d(np.arange(len(ankylosis)), pairs[:, 0]))
    b = luxation.pick(np.setdiff1d(np.arange(len(luxation)), pairs[:, 1]))
    from_a = np.arange(len(a) + len(b)) < len(a)
    return Joints(
        np.concatenate([a.boxes, b.boxes]),
        np.concatenate([a.scores, b.scores]),
        np.concatenate([a.affected, np.zeros(len(b), dtype=bool)]),
        np.concatenate([np.zeros(len(a), dtype=bool), b.affected]),
        from_a,
        ~from_a,
    )


def join(one: Joints, other: Joints) -> Joints:
    """Both lists, one after the other."""
    return Joints(
        np.concatenate([one.boxes, other.boxes]),
        np.concatenate([one.scores, other.scores]),
        np.concatenate([one.ankylosis, other.ankylosis]),
        np.concatenate([one.luxation, other.luxation]),
        np.concatenate([one.by_ankylosis, other.by_ankylosis]),
        np.concatenate([one.by_luxation, other.by_luxation]),
    )


def most_confident(joints: Joints, most: int = MOST[ANKYLOSIS]) -> Joints:
    """Step 4: the ``most`` joints with the highest confidence, surest first; of equals the earlier one."""
    return joints.pick(np.argsort(-joints.scores, kind="stable")[:most])
