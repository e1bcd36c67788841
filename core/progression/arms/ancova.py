"""Analysis of covariance of change: difference between arms at equal baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Ancova:
    """Adjusted difference, second arm minus first, with t interval and p; slope on baseline; residual SD.

    adjusted_means: of first and second arm at the mean baseline of all.
    """

    difference: float
    se: float
    df: int
    p: float
    low: float
    high: float
    slope: float
    residual_sd: float
    adjusted_means: tuple[float, float]


def ancova(change: Any, baseline: Any, in_second_arm: Any) -> Ancova | None:
    """Least squares of change on baseline and arm; None where arms or spread of baseline do not allow it.

    All of shape (n,), none missing. Skewed change asks for ranks beside it: ``rank_ancova``.
    """
    y, x = np.asarray(change, float), np.asarray(baseline, float)
    second = np.asarray(in_second_arm, float)
    design = np.column_stack([np.ones(len(y)), x - x.mean() if len(x) else x, second])
    df = len(y) - 3
    if df < 1 or np.linalg.matrix_rank(design) < 3:
        return None
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ y
    residual = y - design @ beta
    variance = float(residual @ residual) / df
    se = float(np.sqrt(variance * inverse[2, 2]))
    half = float(special.stdtrit(df, 0.975)) * se
    t = beta[2] / se if se > 0 else np.inf
    return Ancova(
        float(beta[2]),
        se,
        df,
        float(2 * special.stdtr(df, -abs(t))),
        float(beta[2] - half),
        float(beta[2] + half),
        float(beta[1]),
        float(np.sqrt(variance)),
        (float(beta[0]), float(beta[0] + beta[2])),
    )
