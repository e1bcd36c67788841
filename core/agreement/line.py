"""A least-squares straight line with its t test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from core.agreement.estimate import number


@dataclass(frozen=True)
class Line:
    """y = intercept + slope x. None where it cannot be computed."""

    slope: float | None = None
    intercept: float | None = None
    se: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "slope": self.slope,
            "se": self.se,
            "ci": [self.low, self.high],
            "p": self.p,
            "intercept": self.intercept,
        }


def straight_line(x: Any, y: Any) -> Line:
    """Regression of y on x; p two-sided by t(n-2).

    No slope where x does not vary; slope 0 without a test where y does not; no test below n = 3.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    n = len(x)
    if n < 2:
        return Line()
    dx, dy = x - x.mean(), y - y.mean()
    sxx = (dx**2).sum()
    if np.ptp(x) <= 1e-12 * np.abs(x).max():
        return Line()
    slope = (dx * dy).sum() / sxx
    intercept = y.mean() - slope * x.mean()
    if np.ptp(y) == 0:
        return Line(slope=0.0, intercept=float(y[0]))
    if n < 3:
        return Line(slope=float(slope), intercept=float(intercept))
    residual = dy - slope * dx
    se = float(np.sqrt((residual**2).sum() / (n - 2) / sxx))
    return Line(float(slope), float(intercept), se, _p(slope, se, n - 2), *_around(slope, se, n - 2))


def _p(slope: float, se: float, df: int) -> float:
    if se == 0:
        return 0.0
    return float(2 * special.stdtr(df, -abs(slope / se)))


def _around(value: float, se: float, df: int) -> tuple[float | None, float | None]:
    half = special.stdtrit(df, 0.975) * se
    return number(value - half), number(value + half)
