"""A change summarised: n, mean with interval, SD, median, quartiles; differences between arms."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from scipy import special

from core.agreement.estimate import Estimate, estimate, number


def summary(change: np.ndarray) -> dict[str, Any]:
    """n, mean, ci of the mean (t), sd (n - 1), median, q1, q3 (type 7), min, max, srm = mean / sd.

    change: one value per subject, none missing. What cannot be computed is None.
    """
    n = len(change)
    if n == 0:
        return (
            {"n": 0}
            | dict.fromkeys(("mean", "sd", "median", "q1", "q3", "min", "max", "srm"))
            | {"ci": [None, None]}
        )
    mean = float(change.mean())
    sd = float(change.std(ddof=1)) if n > 1 else None
    half = special.stdtrit(n - 1, 0.975) * sd / sqrt(n) if sd is not None else None
    q1, median, q3 = np.quantile(change, [0.25, 0.5, 0.75])
    return {
        "n": n,
        "mean": mean,
        "ci": [None, None] if half is None else [mean - half, mean + half],
        "sd": sd,
        "median": float(median),
        "q1": float(q1),
        "q3": float(q3),
        "min": float(change.min()),
        "max": float(change.max()),
        "srm": number(mean / sd) if sd else None,
    }


def difference_of_means(first: np.ndarray, second: np.ndarray) -> Estimate:
    """Mean of first minus second with the Welch interval; None below two subjects in either."""
    if min(len(first), len(second)) < 2:
        return estimate(first.mean() - second.mean()) if min(len(first), len(second)) else estimate(None)
    parts = first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)
    gap, variance = float(first.mean() - second.mean()), sum(parts)
    if variance == 0:
        return estimate(gap, gap, gap)
    df = variance**2 / (parts[0] ** 2 / (len(first) - 1) + parts[1] ** 2 / (len(second) - 1))
    half = special.stdtrit(df, 0.975) * sqrt(variance)
    return estimate(gap, gap - half, gap + half)
