"""How good a reader is under a modality, and the covariance of all these numbers over cases.

AUC: trapezoidal (Mann-Whitney, ties half). Kappa: quadratic weights against the truth, all chance terms with
divisor n (equal to Lin's CCC). Error: mean absolute difference from the truth, smaller is better.

Covariances of AUC: DeLong, DeLong and Clarke-Pearson 1988, or unbiased U-statistics ("one-shot", Gallas
2006), over the cases that two readings share. Of every metric: jackknife over patients, which also holds
where a patient has several cases.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

AUC, KAPPA, ERROR = "auc", "kappa", "error"
METRICS = {AUC: "AUC", KAPPA: "quadratic kappa", ERROR: "mean absolute error"}
DELONG, UNBIASED, JACKKNIFE = "delong", "u-statistics", "jackknife"
COVARIANCES = (DELONG, UNBIASED, JACKKNIFE)


def wins(rating: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Shape (positives, negatives): 1 where the positive case is rated higher, 1/2 where equal."""
    above, below = rating[positive][:, None], rating[~positive][None, :]
    return np.asarray((above > below + 1e-9) + 0.5 * (np.abs(above - below) <= 1e-9))


def figure_of_merit(metric: str, rating: np.ndarray, truth: np.ndarray) -> float:
    """The metric of one reader under one modality; NaN where it is not defined. truth: 0 or 1 for AUC."""
    known = ~np.isnan(rating)
    return float(_leave_none_and_each(metric, rating[known], truth[known], np.zeros(known.sum(), int))[0])


def jackknife(
    metric: str, cells: np.ndarray, truth: np.ndarray, patient: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Estimates of every cell, and their covariance by leaving out one patient after the other.

    cells: shape (cells, cases), NaN without a read. Of two cells the patients count that both have.
    """
    number = np.unique(patient, return_inverse=True)[1]
    patients = int(number.max()) + 1
    estimates, influence = np.full(len(cells), np.nan), np.zeros((len(cells), patients))
    counts = np.zeros(len(cells))
    for place, rating in enumerate(cells):
        known = ~np.isnan(rating)
        names, own = np.unique(number[known], return_inverse=True)
        found = _leave_none_and_each(metric, rating[known], truth[known], own)
        estimates[place], counts[place] = found[0], len(names)
        influence[place, names] = (len(names) - 1) * (found[1:].mean() - found[1:])
    scale = np.sqrt(counts * (counts - 1))
    return estimates, influence @ influence.T / np.outer(scale, scale)


def _leave_none_and_each(metric: str, rating: np.ndarray, truth: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The metric of all cases, then without each patient. own: patient of each case, 0, 1, ..."""
    count = int(own.max()) + 1 if len(own) else 0
    kind: dict[str, Callable[..., np.ndarray]] = {AUC: _auc_sums, KAPPA: _kappa_sums, ERROR: _error_sums}
    return kind[metric](rating, truth, own, count)


def _without_each(values: np.ndarray, own: np.ndarray, count: int) -> np.ndarray:
    total = values.sum()
    return np.append(total, total - np.bincount(own, weights=values, minlength=count))


def _kappa_sums(rating: np.ndarray, truth: np.ndarray, own: np.ndarray, count: int) -> np.ndarray:
    center = truth.mean() if len(truth) else 0.0
    x, y = rating - center, truth - center
    n, sx, sy, sxx, syy, sd = (
        _without_each(part, own, count) for part in (np.ones(len(x)), x, y, x**2, y**2, (x - y) ** 2)
    )
    n = np.where(n > 0, n, np.nan)
    chance = sxx / n - (sx / n) ** 2 + syy / n - (sy / n) ** 2 + (sx / n - sy / n) ** 2
    return np.where(chance > 1e-12, 1 - sd / n / np.where(chance > 1e-12, chance, 1), np.nan)


def _error_sums(rating: np.ndarray, truth: np.ndarray, own: np.ndarray, count: int) -> np.ndarray:
    n = _without_each(np.ones(len(rating)), own, count)
    return _without_each(np.abs(rating - truth), own, count) / np.where(n > 0, n, np.nan)


def _auc_sums(rating: np.ndarray, truth: np.ndarray, own: np.ndarray, count: int) -> np.ndarray:
    positive = truth > 0
    won = wins(rating, positive)
    rows, columns = own[positive], own[~positive]
    lost = np.bincount(rows, weights=won.sum(axis=1), minlength=count)
    lost += np.bincount(columns, weights=won.sum(axis=0), minlength=count)
    same = rows[:, None] == columns[None, :]
    lost -= np.bincount(np.broadcast_to(rows[:, None], won.shape)[same], weights=won[same], minlength=count)
    up = _without_each(positive.astype(float), own, count)
    down = _without_each((~positive).astype(float), own, count)
    pairs = up * down
    total = np.append(won.sum(), won.sum() - lost)
    return np.divide(total, pairs, out=np.full(count + 1, np.nan), where=pairs > 0)


def delong(cells: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUC of every cell and their covariance by structural components."""
    estimates, shares = np.full(len(cells), np.nan), []
    for place, rating in enumerate(cells):
        known = ~np.isnan(rating)
        won = wins(rating[known], positive[known])
        estimates[place] = won.mean() if won.size else np.nan
        component = np.zeros(len(rating))
        component[known & positive] = won.mean(axis=1) - estimates[place]
        component[known & ~positive] = won.mean(axis=0) - estimates[place]
        shares.append(component)
    parts = np.array(shares)
    covariance = np.zeros((len(cells), len(cells)))
    for side in (positive, ~positive):
        n = (~np.isnan(cells[:, side])).sum(axis=1).astype(float)
        scale = np.sqrt(n * np.maximum(n - 1, 1))
        covariance += parts[:, side] @ parts[:, side].T / np.outer(scale, scale)
    return estimates, covariance


def unbiased(cells: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUC of every cell and their unbiased covariance: product less its mean over pairs that share none."""
    count = len(cells)
    won, known = [], []
    for rating in cells:
        read = ~np.isnan(rating)
        both = np.outer(read[positive], read[~positive])
        won.append(np.where(both, wins(np.where(read, rating, 0.0), positive), 0.0))
        known.append(both.astype(float))
    pairs = np.array([one.sum() for one in known])
    estimates = np.array([one.sum() for one in won]) / np.where(pairs > 0, pairs, np.nan)
    covariance = np.full((count, count), np.nan)
    for a in range(count):
        for b in range(a, count):
            apart = _apart(won[a], won[b]) / _apart(known[a], known[b])
            covariance[a, b] = covariance[b, a] = estimates[a] * estimates[b] - apart
    return estimates, covariance


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """Sum of products over pairs of pairs that share neither their positive nor their negative case."""
    shared = a.sum(axis=1) @ b.sum(axis=1) + a.sum(axis=0) @ b.sum(axis=0) - (a * b).sum()
    return float(a.sum() * b.sum() - shared)
