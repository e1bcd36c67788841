"""Association and concordance of two raters: Pearson, Spearman and Lin's coefficient.

Pearson and Spearman are association, not agreement: a rater who always scores double has 1.
Sources: Fisher z; Bonett and Wright 2000 for Spearman's interval (doi:10.1007/BF02294183); Lin 1989
(doi:10.2307/2532051, divisor n) with the variance of his correction of 2000 (doi:10.1111/j.0006-341X.2000.
00324.x).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.agreement.estimate import MISSING, Z95, Estimate, estimate
from core.ties import tied

ROUNDING = 32 * np.finfo(float).eps


def pearson(first: Any, second: Any) -> Estimate:
    """Pearson's r with Fisher-z interval; None where a rater is constant, no interval below four subjects."""
    r = _correlation(np.asarray(first, dtype=float), np.asarray(second, dtype=float))
    return dict(MISSING) if r is None else estimate(r, *fisher_limits(r, len(np.asarray(first))))


def spearman(first: Any, second: Any) -> Estimate:
    """Spearman's rho (mid-ranks for ties) with the interval of Bonett and Wright."""
    first, second = midranks(tied(first)), midranks(tied(second))
    r = _correlation(first, second)
    if r is None:
        return dict(MISSING)
    return estimate(r, *fisher_limits(r, len(first), widen=1 + r * r / 2))


def concordance(first: Any, second: Any) -> Estimate:
    """Lin's concordance correlation, divisor n, with his asymptotic z interval.

    None where all ratings are one value; 0 where a rater is constant; no interval below three subjects or
    without variation of both.
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    n = len(first)
    if not n:
        return dict(MISSING)
    gap = float(first.mean() - second.mean())
    variances = (
        0.0 if _constant(first) else float(first.var()),
        0.0 if _constant(second) else float(second.var()),
    )
    below = sum(variances) + gap**2
    if below == 0:
        return dict(MISSING)
    value = 2 * float(((first - first.mean()) * (second - second.mean())).mean()) / below
    r = _correlation(first, second)
    return estimate(value, *_lin_limits(value, r, gap**2 / math.sqrt(math.prod(variances) or 1), n))


def fisher_limits(r: float, n: int, *, widen: float = 1.0) -> tuple[float, float]:
    """95% limits tanh(atanh r +- z sqrt(widen / (n - 3))); (NaN, NaN) below four subjects."""
    if n < 4:
        return math.nan, math.nan
    if abs(r) >= 1:
        return r, r
    half = Z95 * math.sqrt(widen / (n - 3))
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def midranks(values: Any) -> np.ndarray:
    """Ranks from 1, ties sharing the mean of their ranks."""
    _, place, count = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def _constant(values: np.ndarray) -> bool:
    return bool(np.ptp(values) <= ROUNDING * np.abs(values).max())


def _correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    if len(first) < 2 or _constant(first) or _constant(second):
        return None
    dx, dy = first - first.mean(), second - second.mean()
    r = float(dx @ dy / (math.sqrt(dx @ dx) * math.sqrt(dy @ dy)))
    return math.copysign(1.0, r) if abs(r) > 1 - 1e-15 else r


def _lin_limits(value: float, r: float | None, shift: float, n: int) -> tuple[float, float]:
    """shift: squared difference of the means over the product of the SDs."""
    if r is None or r == 0 or n < 3:
        return math.nan, math.nan
    if abs(value) >= 1:
        return value, value
    cc, rr = value**2, r**2
    variance = (
        (1 - rr) * cc / ((1 - cc) * rr)
        + 2 * value**3 * (1 - value) * shift / (r * (1 - cc) ** 2)
        - value**4 * shift**2 / (2 * rr * (1 - cc) ** 2)
    ) / (n - 2)
    half = Z95 * math.sqrt(max(variance, 0.0))
    return math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half)
