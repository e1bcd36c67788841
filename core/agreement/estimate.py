"""The shape of every number: an estimate with its interval, missing as None."""

from __future__ import annotations

import math
from typing import Any

Z95 = 1.959963984540054  # Wilson, Fisher-z and kappa intervals
LIMITS = 1.96  # limits of agreement, SDC and MDC: exactly this
LIMITS_80 = 1.2816

Estimate = dict[str, Any]


def number(value: Any) -> float | None:
    """The value as a float, None where it is missing, NaN or infinite."""
    if value is None:
        return None
    value = float(value)
    return value if math.isfinite(value) else None


def estimate(value: Any, low: Any = None, high: Any = None) -> Estimate:
    """``{"estimate": value, "ci": [low, high]}``; what cannot be computed is None."""
    return {"estimate": number(value), "ci": [number(low), number(high)]}


MISSING: Estimate = estimate(None)
