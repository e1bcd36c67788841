"""Cumulative probability plot: every patient's change, sorted within the arm."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import stats

from core.ties import tied

SIMULTANEOUS, POINTWISE = "simultaneous", "pointwise"
BAND_WORDS = {
    SIMULTANEOUS: "the whole curve of the population lies in the band in 95% of studies (Kolmogorov)",
    POINTWISE: "each share by itself lies in the band in 95% of studies, the whole curve more rarely "
    "(Clopper-Pearson)",
}


def cumulative_probability(subject: pd.Series, arm: pd.Series, change: np.ndarray) -> pd.DataFrame:
    """Points ``subject, arm, x, y``: y the change, x = (rank - 0.5) / n within the arm, a fraction of 1.

    Subjects without an arm are ranked among themselves. Ties, also those that differ by rounding noise, keep
    the given order. Sorted by arm, then x.
    """
    points = pd.DataFrame({"subject": subject.to_numpy(), "arm": arm.to_numpy(), "y": change})
    points["key"] = points["arm"].where(points["arm"].notna(), "")
    points["level"] = tied(points["y"])
    points = points.sort_values(["key", "level"], kind="stable", ignore_index=True)
    within = points.groupby("key", sort=False)
    n = within["y"].transform("size")
    points["x"] = (within.cumcount() + 0.5) / n
    return points[["subject", "arm", "x", "y"]]


def probability_bands(points: pd.DataFrame, kind: str = SIMULTANEOUS) -> pd.DataFrame:
    """95% band of each arm's curve: ``arm, y, x, low, high``; of patients ``x`` changed by at most ``y``.

    points: as ``cumulative_probability`` gives them. One row for each different change of an arm.
    simultaneous: x -+ the 95% quantile of Kolmogorov's statistic for n patients, exact without ties, wider
    than needed with them. pointwise: Clopper and Pearson 1934 for each share.
    """
    rows = []
    for arm, group in points.assign(arm=points["arm"].where(points["arm"].notna(), None)).groupby(
        "arm", sort=True, dropna=False
    ):
        level = np.sort(tied(group["y"].to_numpy(float)))
        n = len(level)
        values = np.unique(level)
        count = np.searchsorted(level, values, side="right")
        low, high = _limits(count, n, kind)
        rows.append(pd.DataFrame({"arm": arm, "y": values, "x": count / n, "low": low, "high": high}))
    columns = ["arm", "y", "x", "low", "high"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


@lru_cache(maxsize=4096)
def _kolmogorov(n: int) -> float:
    """95% quantile of the largest distance between the curves of n patients and of their population."""
    return float(stats.kstwo.ppf(0.95, n))


def _limits(count: np.ndarray, n: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    if kind == SIMULTANEOUS:
        reach = _kolmogorov(n)
        return np.clip(count / n - reach, 0, 1), np.clip(count / n + reach, 0, 1)
    low = np.where(count > 0, stats.beta.ppf(0.025, count, n - count + 1), 0.0)
    high = np.where(count < n, stats.beta.ppf(0.975, count + 1, np.maximum(n - count, 1e-9)), 1.0)
    return low, high
