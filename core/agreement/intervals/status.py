"""Intervals of an SD, a concordance and a quadratic kappa that draw patients: bootstrap-t on a better scale.

A percentile interval of an SD from 10 patients with several rows each holds in 0.8 of the studies: few large
differences are missing from most draws, and both the SD and its spread come out too small. Here the log of
the variance, and Fisher's z of a concordance, are studentised by the influence of each patient (Efron and
Tibshirani 1993, chapter 12); the limits are never inside those of the normal quantile with that error.
Readers are held fixed: the interval is for these readers, not for others. The counts are in
docs/statistics-coverage.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import special

from core.agreement.bootstrap import count_blocks
from core.agreement.intervals.pairwise import Pairwise
from core.agreement.intervals.parts import Logs
from core.agreement.intervals.studentised import distances, limits, widest

METHOD = (
    "bootstrap-t of patients, log of the variance or Fisher's z; kappas where few disagree, unweighted and "
    "linear ones always, asymptotic with four patients added who agree by chance; readers fixed"
)
DRAWS = 1000
NUMBERS = 2_000_000  # of draws x patients: larger samples are drawn less often, at least FEWEST times
FEWEST = 200
BLOCK = 1_000_000
Limits = tuple[float, float]
NONE: Limits = (math.nan, math.nan)


def spread_factors(table: Any, clusters: Any = None, *, draws: int = DRAWS, seed: int) -> Limits:
    """What an SD of differences, SEM or MDC is multiplied by for its 95% limits; NaN where there are none.

    table: complete ratings (n, raters). clusters: the patient of each row. None below three patients
    or without disagreement.
    """
    x = np.asarray(table, dtype=float)
    if len(x) < 3 or x.shape[1] < 2:
        return NONE
    off = x - x.mean(axis=1, keepdims=True)
    off = off - off.mean(axis=0)
    sums = _by_patient(np.column_stack([np.ones(len(off)), (off**2).sum(axis=1), off]), clusters)
    if len(sums) < 3 or sums[:, 1].sum() <= 1e-12 * (x**2).sum():
        return NONE
    own = _log_variance(np.ones((1, len(sums))), sums)
    value = float(own.value[0])
    low, high = (
        math.exp((limit - value) / 2) for limit in _limits(own, _drawn(sums, _log_variance, draws, seed))
    )
    return low, high


def concordance_limits(pair: Any, clusters: Any = None, *, draws: int = DRAWS, seed: int) -> Limits:
    """95% limits of Lin's concordance (of grades: of quadratic kappa) of complete ratings (n, 2).

    NaN below four patients, and where every patient agrees or none varies.
    """
    sums = Pairwise.of(pair, clusters)
    if sums.patients < 4:
        return NONE

    def fisher(weights: np.ndarray, _: np.ndarray) -> Logs:
        value, own = (part[..., 0] for part in sums.values(weights))
        n, patients = weights @ sums.sums[:, 0], weights.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.sqrt(np.einsum("dp,dp->d", weights, own**2) * patients / (patients - 1)) / n
            return Logs(np.arctanh(np.clip(value, -1, 1)), error / (1 - value**2))

    own = fisher(np.ones((1, sums.patients)), sums.sums)
    if not (np.isfinite(own.value[0]) and own.se[0] > 0):
        return NONE
    low, high = _limits(own, _drawn(sums.sums, fisher, draws, seed))
    return math.tanh(low), math.tanh(high)


def _by_patient(rows: np.ndarray, clusters: Any) -> np.ndarray:
    if clusters is None:
        return rows
    names, place = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, place, rows)
    return sums


def _log_variance(weights: np.ndarray, sums: np.ndarray) -> Logs:
    """Log of the residual variance and its standard error. sums: rows, squares, deviations of each rater."""
    total = weights @ sums
    n, patients = total[:, 0], weights.sum(axis=1)
    bias = total[:, 2:] / n[:, None]
    square = (bias**2).sum(axis=1)
    left = total[:, 1] - n * square
    with np.errstate(divide="ignore", invalid="ignore"):
        own = sums[:, 1] - 2 * bias @ sums[:, 2:].T + np.outer(square, sums[:, 0])
        own = own - np.outer(left / n, sums[:, 0])
        error = np.sqrt(np.einsum("dp,dp->d", weights, own**2) * patients / (patients - 1)) / left
        left = np.where(left > 1e-9 * total[:, 1].max(initial=0), left, np.nan)
        return Logs(np.log(left / (n - 1)), error)


def _drawn(sums: np.ndarray, statistic: Any, draws: int, seed: int) -> Iterator[Logs]:
    n = len(sums)
    draws = min(draws, max(FEWEST, NUMBERS // n))
    step = max(1, BLOCK // n)
    for block in count_blocks(n, draws=draws, seed=seed):
        for start in range(0, len(block), step):
            yield statistic(block[start : start + step].astype(float), sums)


def _limits(own: Logs, drawn: Iterator[Logs]) -> Limits:
    value, se = float(own.value[0]), float(own.se[0])
    away = np.concatenate([distances(block, value) for block in drawn])
    half = float(special.ndtri(0.975)) * se
    return widest(limits(value, se, away), (value - half, value + half))
