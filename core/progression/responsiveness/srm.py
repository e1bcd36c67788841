"""Standardised response mean: mean change over the SD of change, with intervals and paired comparisons.

Liang, Fossel and Larson 1990 (Med Care 28:632). Intervals draw patients with replacement and are the wider
of two: BCa, and bootstrap-t with the standard error of the influence function. Of simulated studies of 12 to
200 patients, 0, 40 or 65% without change and a lognormal tail they held in 0.93 (0.87 in the worst kind;
percentile limits 0.80 to 0.92).
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from core.agreement.bootstrap import DRAWS, SEED, count_blocks
from core.agreement.estimate import MISSING, estimate

COVERAGE = (
    "of simulated studies of change scores with many zeros and a long tail such intervals held in 93%, in "
    "87% where two thirds did not change"
)
FEW = 3  # patients, below whom nothing is computed
FEW_FOR_INTERVAL = 10
CELLS = 4_000_000


def srm(changes: np.ndarray) -> float:
    """Mean over SD (n - 1) of changes; NaN below three patients, or where none differs."""
    if len(changes) < FEW or np.ptp(changes) <= 1e-12:
        return float("nan")
    return float(changes.mean() / changes.std(ddof=1))


def responses(
    changes: np.ndarray, names: list[str], *, draws: int = DRAWS, seed: int = SEED
) -> dict[str, Any]:
    """SRM of every scorer (or score), and the difference of every two of them over the same patients.

    Below 10 patients there is no interval. changes: shape (patients, scorers), NaN where a scorer has no
    change of a patient. Returns ``srm``, a list
    of ``{"name", "n", "mean", "sd", "estimate", "ci"}``; ``differences``, ``{"a", "b", "n", "srm_a", "srm_b",
    "estimate", "ci"}``, a minus b of patients who have both; ``method, draws, seed, note``.
    """
    singles = []
    for place, name in enumerate(names):
        column = changes[:, place]
        values = column[~np.isnan(column)][:, None]
        found = _interval(values, draws, seed)
        singles.append({"name": name, "n": len(values), **_moments(values[:, 0]), **found})
    return {
        "srm": singles,
        "differences": [
            _difference(changes[:, [a, b]], names[a], names[b], draws, seed)
            for a, b in combinations(range(len(names)), 2)
        ],
        "method": "patients drawn with replacement: the wider of BCa and bootstrap-t",
        "draws": draws,
        "seed": seed,
        "note": COVERAGE,
    }


def _moments(values: np.ndarray) -> dict[str, float | None]:
    mean = estimate(values.mean() if len(values) else None)["estimate"]
    return {"mean": mean, "sd": estimate(values.std(ddof=1) if len(values) > 1 else None)["estimate"]}


def _difference(pair: np.ndarray, a: str, b: str, draws: int, seed: int) -> dict[str, Any]:
    both = pair[~np.isnan(pair).any(axis=1)]
    one, other = (estimate(srm(both[:, place]))["estimate"] for place in (0, 1))
    sides = {"a": a, "b": b, "n": len(both), "srm_a": one, "srm_b": other}
    return sides | _interval(both, draws, seed)


def _interval(values: np.ndarray, draws: int, seed: int) -> dict[str, Any]:
    """Estimate and limits of the SRM of one column, or of the first minus the second."""
    n = len(values)
    if n < FEW or (np.ptp(values, axis=0) <= 1e-12).any():
        return dict(MISSING)
    if n < FEW_FOR_INTERVAL:
        sides = [srm(values[:, place]) for place in range(values.shape[1])]
        return estimate(sides[0] - sum(sides[1:]))
    point, error, influence = (part[0] for part in _weighted(values, np.ones((1, n))))
    if error <= 1e-12:  # two columns that are one and the same
        return estimate(point, point, point)
    found, errors = [], []
    for counts in count_blocks(n, draws=draws, seed=seed):
        for start in range(0, len(counts), max(1, CELLS // n)):
            one, its_error, _ = _weighted(values, counts[start : start + max(1, CELLS // n)].astype(float))
            found.append(one)
            errors.append(its_error)
    drawn, spread = np.concatenate(found), np.concatenate(errors)
    known = np.isfinite(drawn) & (spread > 1e-12)
    if known.sum() < draws / 2:
        return estimate(point)
    limits = [_bca(drawn[known], point, influence), _studentised(drawn[known], spread[known], point, error)]
    return estimate(point, min(low for low, _ in limits), max(high for _, high in limits))


def _weighted(values: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """SRM (or difference) of each draw, its standard error, and the influence of each patient.

    values: shape (patients, 1 or 2). counts: how often each patient was drawn, shape (draws, patients).
    """
    n = values.shape[0]
    total, influence = np.zeros(len(counts)), np.zeros(counts.shape)
    for place, sign in zip(range(values.shape[1]), (1.0, -1.0), strict=False):
        column = values[:, place]
        mean = counts @ column / n
        gap = column[None, :] - mean[:, None]
        variance = (counts * gap**2).sum(axis=1) / n
        sd = np.sqrt(np.where(variance > 1e-24, variance, np.nan))
        ratio = mean / sd
        total += sign * ratio * np.sqrt((n - 1) / n)
        scaled = gap / sd[:, None]
        influence += sign * (scaled - ratio[:, None] * (scaled**2 - 1) / 2)
    error = np.sqrt((counts * influence**2).sum(axis=1)) / n
    return total, error, influence


def _bca(drawn: np.ndarray, point: float, influence: np.ndarray) -> tuple[float, float]:
    """Bias-corrected and accelerated limits (Efron 1987); acceleration from the influence of patients."""
    cubes, squares = (influence**3).sum(), (influence**2).sum()
    acceleration = cubes / (6 * squares**1.5)
    below = np.clip((drawn < point).mean(), 0.5 / len(drawn), 1 - 0.5 / len(drawn))
    shift = stats.norm.ppf(below)
    reach = shift + stats.norm.ppf([0.025, 0.975])
    places = stats.norm.cdf(shift + reach / (1 - acceleration * reach))
    low, high = np.quantile(drawn, places)
    return float(low), float(high)


def _studentised(drawn: np.ndarray, errors: np.ndarray, point: float, error: float) -> tuple[float, float]:
    low, high = np.quantile((drawn - point) / errors, [0.025, 0.975])
    return float(point - high * error), float(point - low * error)
