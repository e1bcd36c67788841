"""Box arithmetic on numpy arrays: overlap and greedy suppression."""

from __future__ import annotations

import numpy as np


def cxcywh_to_xyxy(boxes: np.ndarray) -> np.ndarray:
    """(n, 4) centre and size -> (n, 4) corners."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def overlap(one: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Intersection over union of one box (4,) with many (n, 4), corners; 0 for empty boxes."""
    low = np.maximum(one[:2], many[:, :2])
    high = np.minimum(one[2:], many[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(one[2:] - one[:2]) + np.prod(many[:, 2:] - many[:, :2], axis=1)
    return np.asarray(shared / np.maximum(areas - shared, 1e-9))


def suppress(boxes: np.ndarray, scores: np.ndarray, threshold: float, limit: int) -> np.ndarray:
    """Indices of the boxes kept: best first, each next one only where it overlaps no kept one by
    ``threshold``.

    boxes: (n, 4) corners; scores: (n,). At most ``limit`` are kept.
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size and len(kept) < limit:
        best, order = int(order[0]), order[1:]
        kept.append(best)
        order = order[overlap(boxes[best], boxes[order]) < threshold]
    return np.array(kept, dtype=int)
