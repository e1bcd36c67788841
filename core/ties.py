"""Equal or not: comparisons and ranks of computed numbers, so that rounding noise never decides one.

0.1 + 0.2 is not 0.3 in a computer. A mean of readers, a change or a cut-off that was computed can be off by
1e-16 times its size, and a rank, a sort or a ``>`` would make a difference of it. Two numbers within 1e-9 of
each other are equal here (sizes above a million: within what arithmetic leaves of them), and equal ones keep
their order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

TIE = 1e-9
NOISE = 64 * np.finfo(float).eps  # what a few additions leave, as a share of the size


def tie_margin(size: Any) -> Any:
    """How far apart two numbers of this size may lie and still be equal."""
    return np.maximum(TIE, NOISE * np.abs(size))


def tied(values: Any) -> np.ndarray:
    """The values with all that are equal but for noise set to the smallest of them; NaN stays NaN.

    values: any shape; all of them are compared with each other. Where all are small the margin shrinks with
    the largest, so that a table in small units keeps its differences.
    """
    values = np.asarray(values, float)
    flat = values.ravel()
    known = np.flatnonzero(np.isfinite(flat))
    if not len(known):
        return values.copy()
    order = known[np.argsort(flat[known], kind="stable")]
    ordered = flat[order]
    starts = np.ones(len(order), bool)
    largest = np.abs(ordered).max()
    starts[1:] = np.diff(ordered) > max(min(1.0, largest) * TIE, NOISE * largest)
    result = flat.copy()
    result[order] = ordered[np.flatnonzero(starts)][np.cumsum(starts) - 1]
    return result.reshape(values.shape)


def mid_ranks(values: Any) -> np.ndarray:
    """Mid-ranks of the values, from 1; equal ones share theirs. No value may be missing."""
    from scipy import stats

    return np.asarray(stats.rankdata(tied(values)))


def in_order(values: Any, *, largest_first: bool = False) -> np.ndarray:
    """Positions that sort the values; equal ones keep their order, NaN comes last."""
    level = tied(values)
    return np.argsort(-level if largest_first else level, kind="stable")


def is_above(value: Any, limit: Any) -> np.ndarray:
    """Where the value lies above the limit by more than noise; NaN lies nowhere."""
    value, limit = np.asarray(value, float), np.asarray(limit, float)
    return np.asarray(value > limit + tie_margin(limit))


def is_below(value: Any, limit: Any) -> np.ndarray:
    """Where the value lies below the limit by more than noise; NaN lies nowhere."""
    value, limit = np.asarray(value, float), np.asarray(limit, float)
    return np.asarray(value < limit - tie_margin(limit))


def is_same(value: Any, other: Any) -> np.ndarray:
    """Where both are equal but for noise; NaN equals nothing."""
    value, other = np.asarray(value, float), np.asarray(other, float)
    return np.asarray(np.abs(value - other) <= tie_margin(other))
