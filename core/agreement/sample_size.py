"""How many subjects give an ICC interval of a wanted width.

Start: Bonett 2002 (doi:10.1002/sim.1108); then the smallest n whose own interval, at the planned variances,
is no wider than wanted.
"""

from __future__ import annotations

import math

import numpy as np

from core.agreement.estimate import Z95
from core.agreement.icc import MeanSquares, intervals

MOST = 1_000_000


def bonett(icc: float, raters: int, width: float) -> int:
    """Bonett's approximation for one-way ICCs; adds 5 ICC for two raters where the ICC is at least 0.7."""
    n = 8 * Z95**2 * (1 - icc) ** 2 * (1 + (raters - 1) * icc) ** 2 / (raters * (raters - 1) * width**2) + 1
    return math.ceil(n + (5 * icc if raters == 2 and icc >= 0.7 else 0))


def subjects_for_width(
    icc: float, raters: int, width: float, *, form: str = "ICC(A,1)", rater_share: float = 0.0
) -> int | None:
    """Smallest number of subjects whose 95% interval is at most ``width`` wide.

    icc: planned single-rater value of ``form`` (one of ICC(1,1), ICC(A,1), ICC(C,1)), 0 <= icc < 1.
    rater_share: planned rater variance as a share of the total, for ICC(A,1); the interval then hardly
    narrows with n while raters are few, and None means that no number of subjects is enough.
    Raises ValueError for values outside these ranges.
    """
    if not 0 <= icc < 1 or raters < 2 or not 0 < width < 2 or not 0 <= rater_share < 1 - icc:
        raise ValueError(
            f"icc {icc}, raters {raters}, width {width}, rater share {rater_share}; 0 <= icc < 1, two raters,"
            " 0 < width < 2 and shares that sum to at most 1 are needed"
        )
    high = max(bonett(icc, raters, width), 2)
    while expected_width(icc, raters, high, form, rater_share) > width:
        high *= 2
        if high > MOST:
            return None
    low = 1
    while high - low > 1:
        middle = (low + high) // 2
        wide = middle < 2 or expected_width(icc, raters, middle, form, rater_share) > width
        low, high = (middle, high) if wide else (low, middle)
    return high


def expected_width(icc: float, raters: int, subjects: int, form: str, rater_share: float = 0.0) -> float:
    """Width of the 95% interval when the mean squares are what the planned variances make of them."""
    rater = rater_share if form == "ICC(A,1)" else 0.0
    residual = 1 - icc - rater
    squares = MeanSquares(
        subjects=raters * icc + residual,
        raters=subjects * rater + residual,
        residual=residual,
        within=rater + residual,
        n=subjects,
        k=raters,
    )
    low, high = intervals(squares)[form]
    return float(np.nan_to_num(high - low, nan=np.inf))
