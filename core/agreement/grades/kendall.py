"""Kendall's W: do raters put the subjects in the same order? 0 none of it, 1 one order.

Source: Kendall and Babington Smith 1939, with the correction for ties; p is that of Friedman's test.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from core.agreement.estimate import MISSING, Z95, estimate, number
from core.ties import mid_ranks

MAX_JACKKNIFE = 400  # subjects up to which every one is left out in turn


def kendall_w(ratings: Any) -> dict[str, Any]:
    """W of a complete table (n, raters) with its interval (delete-one jackknife, up to 400 subjects) and p.

    None below three subjects or two raters, and where no rater tells subjects apart.
    """
    table = np.asarray(ratings, float)
    n, raters = table.shape
    value = _w(table) if n > 2 and raters > 1 else np.nan
    if np.isnan(value):
        return dict(MISSING) | {"p": None}
    low = high = np.nan
    if 3 < n <= MAX_JACKKNIFE:
        left = np.array([_w(np.delete(table, place, axis=0)) for place in range(n)])
        half = Z95 * np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
        low, high = value - half, value + half
    p = float(special.chdtrc(n - 1, raters * (n - 1) * value))
    return estimate(value, low, high) | {"p": number(p)}


def _w(table: np.ndarray) -> float:
    n, raters = table.shape
    ranks = np.column_stack([mid_ranks(column) for column in table.T])
    spread = ((ranks.sum(axis=1) - raters * (n + 1) / 2) ** 2).sum()
    ties = sum(float((count**3 - count).sum()) for count in map(_counts, ranks.T))
    below = raters**2 * (n**3 - n) - raters * ties
    return float(12 * spread / below) if below > 0 else float("nan")


def _counts(ranks: np.ndarray) -> np.ndarray:
    return np.unique(ranks, return_counts=True)[1].astype(float)
