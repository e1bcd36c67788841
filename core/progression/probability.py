"""Cumulative probability plot: every patient's change, sorted within the arm."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.ties import tied


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
