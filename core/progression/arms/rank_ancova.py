"""Rank analysis of covariance: ranks of change, cleared of those of baseline and covariates within strata.

Within each stratum change, baseline and covariates become mid-ranks over N + 1; the residuals of the linear
regression of the first on the others are compared between arms by the stratified mean-score test. Without a
spread of baseline it is the van Elteren test. Source: Quade 1967 and the stratified form of Koch et al. (not
verified against the papers).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt
from typing import Any

import numpy as np
from scipy import special

from core.ties import mid_ranks


@dataclass(frozen=True)
class RankAncova:
    """statistic: sum of the second arm's residual ranks; chi_square = z squared, 1 df; p two-sided."""

    statistic: float
    variance: float
    z: float
    chi_square: float
    p: float
    strata: int
    n: int


def rank_ancova(change: Any, baseline: Any, in_second_arm: Any, stratum: Any = None) -> RankAncova:
    """The test that, given baseline, the arms do not differ in change in any stratum.

    All of shape (n,), none missing; baseline may have further columns, (n, q), of covariates. Without
    ``stratum`` all are one. A stratum with one arm only adds
    nothing. Without any spread z and p are NaN.
    """
    change, baseline = np.asarray(change, float), np.asarray(baseline, float)
    second = np.asarray(in_second_arm, bool)
    labels = np.zeros(len(change), int) if stratum is None else np.asarray(stratum)
    statistic = variance = 0.0
    strata = n = 0
    for label in np.unique(labels):
        own = labels == label
        arms = second[own]
        size = int(own.sum())
        if arms.all() or not arms.any():
            continue
        residual = residual_ranks(change[own], baseline[own])
        statistic += float(residual[arms].sum())
        variance += arms.sum() * (~arms).sum() / (size * (size - 1)) * float(residual @ residual)
        strata, n = strata + 1, n + size
    z = statistic / sqrt(variance) if variance > 1e-24 else nan
    return RankAncova(statistic, variance, z, z * z, float(2 * special.ndtr(-abs(z))), strata, n)


def residual_ranks(change: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Residuals of standardised ranks of change on those of baseline, (n,) or (n, q); they sum to 0."""
    columns = baseline if baseline.ndim == 2 else baseline[:, None]
    size = len(change) + 1
    y = mid_ranks(change) / size
    x = np.array([mid_ranks(column) / size for column in columns.T]).T
    y, x = y - y.mean(), x - x.mean(axis=0)
    return np.asarray(y - x @ np.linalg.lstsq(x, y, rcond=1e-10)[0])
