"""Change per year."""

from __future__ import annotations

from typing import Any

import numpy as np

DAYS_PER_YEAR = 365.25
SHORTEST_DAYS = 182  # below about half a year a rate would be mostly noise


def change_per_year(change: Any, days: Any) -> np.ndarray:
    """change x 365.25 / days, NaN for less than 182 days; stands beside the raw change, never instead of it.

    The shortest interval is a convention, not verified against a primary paper.
    """
    change, days = np.asarray(change, float), np.asarray(days, float)
    return np.where(days >= SHORTEST_DAYS, change * DAYS_PER_YEAR / np.where(days > 0, days, np.nan), np.nan)
