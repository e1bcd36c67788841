"""A share of cases with its Wilson interval."""

from __future__ import annotations

import math

from core.agreement.estimate import MISSING, Z95, Estimate, estimate


def wilson(count: float, n: float, *, z: float = Z95) -> tuple[float, float]:
    """95% limits of count / n (Wilson 1927, doi:10.1080/01621459.1927.10502953); (NaN, NaN) for n = 0."""
    if n <= 0:
        return math.nan, math.nan
    share = count / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if count == 0 else (centre - half) / scale
    high = 1.0 if count == n else (centre + half) / scale
    return low, high


def proportion(count: float, n: float) -> Estimate:
    """count / n with its interval; None for n = 0."""
    return estimate(count / n, *wilson(count, n)) if n else dict(MISSING)
