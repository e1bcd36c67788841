"""Limits of the interchangeability index whose verdict is wrong in 2.5% of the studies at the margin.

The index is a difference of two means of squares that are skewed and go together: where few large differences
between model and readers were drawn, both the mean and its standard error are too small, and an ordinary
interval ends too early. Two remedies, of which the wider counts: a symmetric bootstrap-t of patients, and
Fieller's limits of the ratio of the two means (Fieller 1954), whose standard error is that at the limit.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from core.agreement.bootstrap import count_blocks
from core.agreement.intervals.studentised import FAR

SMALLEST = 24  # patients
FEW = "a verdict needs {smallest} patients, here are {patients}"
CAUTION = "at the margin such verdicts were wrong in 4% of simulated studies whose errors grow with change"


def index_limits(
    with_model: np.ndarray, between: np.ndarray, rows: np.ndarray, *, draws: int, seed: int
) -> tuple[float, float]:
    """95% limits of sum(with_model - between) / sum(rows); NaN below three patients or where they are open.

    with_model, between: sums of squared differences of each patient, shape (patients,). rows: their number.
    """
    n = len(rows)
    if n < 3 or not draws or not with_model.any():
        return math.nan, math.nan
    gap = with_model - between
    index, size = gap.sum() / rows.sum(), rows.mean()
    first, second = ((part - part.sum() / rows.sum() * rows) / size for part in (with_model, between))
    spread = np.cov(first, second) / n
    error = math.sqrt(max(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1], 0.0))
    reach = max(_reach(gap, rows, index, draws, seed), float(special.stdtrit(n - 1, 0.975)))
    if reach > FAR / 2:
        return math.nan, math.nan
    means = with_model.sum() / rows.sum(), between.sum() / rows.sum()
    low, high = _fieller(means, spread, reach)
    return min(low, index - reach * error), max(high, index + reach * error)


def _reach(gap: np.ndarray, rows: np.ndarray, index: float, draws: int, seed: int) -> float:
    """95% quantile of the distance of a drawn index from the index, in its own standard errors."""
    n = len(rows)
    sums = np.column_stack([gap, rows, gap**2, gap * rows, rows**2]).astype(float)
    drawn = np.concatenate([block @ sums for block in count_blocks(n, draws=draws, seed=seed)])
    total, count, square, both, squares = drawn.T
    with np.errstate(divide="ignore", invalid="ignore"):
        value = total / count
        left = square - 2 * value * both + value**2 * squares
        left = np.where(left > 1e-12 * square, left, 0.0)
        away = np.abs(value - index) / (np.sqrt(left / (n - 1) * n) / count)
    away = np.where(np.isclose(value, index, rtol=0, atol=1e-12), 0.0, away)
    return float(np.quantile(np.minimum(np.nan_to_num(away, nan=FAR), FAR), 0.95))


def _fieller(means: tuple[float, float], spread: np.ndarray, reach: float) -> tuple[float, float]:
    """Limits of the index that fit the data when the model's mean square is scaled to them; NaN if open."""
    model, readers = means
    q = reach**2
    square = model**2 - q * spread[0, 0]
    if square <= 0:
        return math.nan, math.nan
    linear, constant = q * spread[0, 1] - model**2, model**2 - q * spread[1, 1]
    root = math.sqrt(max(linear**2 - square * constant, 0.0))
    return tuple((sign * root - linear) / square * model - readers for sign in (-1, 1))  # type: ignore[return-value]
