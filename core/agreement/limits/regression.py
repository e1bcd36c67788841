"""Limits of agreement that follow the size of the score, for differences that grow with it.

Source: Bland and Altman 1999, section 3.2 (doi:10.1177/096228029900800204): the difference D is regressed
on the mean A, then the absolute residuals on A; limits are D(A) +- 1.96 sqrt(pi/2) R(A).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.estimate import LIMITS
from core.agreement.line import straight_line

SPREAD = LIMITS * float(np.sqrt(np.pi / 2))  # a normal value's SD is sqrt(pi/2) times its mean absolute size


def regression_limits(first: Any, second: Any) -> dict[str, Any]:
    """Lines of the bias and of the spread on the mean of the two ratings, and the limits at any mean.

    first, second: shape (n,), no missing value.
    Returns ``bias`` and ``spread`` as lines {slope, intercept, se, ci, p}; ``lower`` and ``upper`` as
    {intercept, slope} of the limits. The spread must not fall below 0 where it is used: ``at`` cuts it there.
    None throughout where the means do not vary.
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    mean, difference = (first + second) / 2, first - second
    bias = straight_line(mean, difference)
    if bias.slope is None or bias.intercept is None:
        nothing = {"intercept": None, "slope": None}
        return {"bias": bias.as_dict(), "spread": bias.as_dict(), "lower": nothing, "upper": dict(nothing)}
    spread = straight_line(mean, np.abs(difference - bias.intercept - bias.slope * mean))
    return {
        "bias": bias.as_dict(),
        "spread": spread.as_dict(),
        "lower": _limit(bias, spread, -SPREAD),
        "upper": _limit(bias, spread, SPREAD),
    }


def at(limits: dict[str, Any], mean: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(lower, bias, upper) at these means, with a spread of at least 0."""
    mean = np.asarray(mean, dtype=float)
    bias = limits["bias"]["intercept"] + limits["bias"]["slope"] * mean
    spread = limits["spread"]["intercept"] + limits["spread"]["slope"] * mean
    half = SPREAD * np.maximum(spread, 0)
    return bias - half, bias, bias + half


def _limit(bias: Any, spread: Any, factor: float) -> dict[str, float]:
    return {
        "intercept": bias.intercept + factor * spread.intercept,
        "slope": bias.slope + factor * spread.slope,
    }
