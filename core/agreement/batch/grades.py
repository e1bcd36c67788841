"""Kappas, AC1/AC2 and Spearman of many comparisons and draws at once, from counts of pairs of grades."""

from __future__ import annotations

import numpy as np

from core.agreement.grades.kappa import WEIGHTS
from core.agreement.icc import ratio


def pair_cells(ratings: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Which pair of grades each row holds: integers of shape (cells, n), -1 for a row with a gap.

    ratings: shape (cells, n, 2), NaN where missing. levels: ascending, shape (q,), all that occur.
    """
    complete = ~np.isnan(ratings).any(axis=2)
    place = np.searchsorted(levels, np.where(complete[:, :, None], ratings, levels[0]))
    return np.where(complete, place[:, :, 0] * len(levels) + place[:, :, 1], -1)


def statistics(counts: np.ndarray, levels: np.ndarray, seen: np.ndarray) -> dict[str, np.ndarray]:
    """Kappas, Gwet's coefficients and Spearman, each of shape (..., cells); NaN where there is none.

    counts: pairs of grades, shape (..., cells, q * q). levels: the q grades.
    seen: which grades either rater of a cell used at all, shape (cells, q), for AC1 and AC2.
    """
    q = len(levels)
    first, second = counts @ np.repeat(np.eye(q), q, axis=0), counts @ np.tile(np.eye(q), (q, 1))
    n = counts @ np.ones(q * q)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {"spearman": _spearman(counts, first, second, n)}
        spread = 2 * n - (first + second) ** 2 @ np.ones(q) / (
            2 * n
        )  # 2 n sum of mean share (1 - mean share)
        for name in WEIGHTS:
            lost = _lost(levels, name)
            observed = counts @ lost.ravel()
            by_chance = _dot(first @ lost, second) / n
            certain = by_chance <= 1e-15 * lost.max(initial=0) * n
            found[f"kappa.{name}"] = np.where(certain, np.nan, 1 - observed / by_chance)
            found[f"gwet.{_GWET[name]}"] = _gwet(observed / n, spread / (2 * n), levels, seen, name)
    return found


_GWET = {"unweighted": "ac1", "linear": "ac2_linear", "quadratic": "ac2_quadratic"}


def _lost(levels: np.ndarray, name: str) -> np.ndarray:
    """What a pair of grades costs: 1, |a-b| or (a-b)^2."""
    gap = np.abs(levels[:, None] - levels[None, :])
    return (gap > 0).astype(float) if name == "unweighted" else gap ** (1 if name == "linear" else 2)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("...i,...i->...", a, b)


def _gwet(
    observed: np.ndarray, spread: np.ndarray, levels: np.ndarray, seen: np.ndarray, name: str
) -> np.ndarray:
    """observed: mean cost of a pair. spread: sum over grades of mean share times one less it."""
    lost = _lost(levels, name)
    scale = np.array([lost[np.ix_(used, used)].max(initial=0) for used in seen])
    q = seen.sum(axis=1)
    kept = q**2 - ratio(np.einsum("ci,ij,cj->c", seen, lost, seen), scale)  # sum of the weights of agreement
    chance = kept / (q * (q - 1.0)) * spread
    return np.where(q < 2, np.nan, (1 - ratio(observed, scale) - chance) / (1 - chance))


def _spearman(counts: np.ndarray, first: np.ndarray, second: np.ndarray, n: np.ndarray) -> np.ndarray:
    q = first.shape[-1]
    x, y = (_centred_midranks(own, n) for own in (first, second))
    products = (x[..., :, None] * y[..., None, :]).reshape(*x.shape[:-1], q * q)
    spread = np.sqrt(_dot(first, x**2) * _dot(second, y**2))
    return np.clip(ratio(_dot(counts, products), spread), -1, 1)


def _centred_midranks(count: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Mid-rank of each level less the mean rank, from how many subjects have it."""
    q = count.shape[-1]
    return count @ (np.triu(np.ones((q, q))) - np.eye(q) / 2) - n[..., None] / 2
