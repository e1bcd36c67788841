"""Agreement statistics of many comparisons and many draws at once, from sums of ratings and of products.

Every statistic here needs only how many subjects there are, the sums and the sums of squares of each rater,
and the sum of squared subject totals; a bootstrap draw is a weighted sum of those, so that all draws are one
matrix product. Estimates equal those of the single functions to 1e-9 (tests).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.agreement.estimate import LIMITS
from core.agreement.icc import forms, from_sums, ratio
from core.ties import TIE

NOISE = 1e-13  # share of a sum of squares that rounding may leave


@dataclass(frozen=True)
class Moments:
    """Weighted sums over subjects, each array of shape (..., cells) or (..., cells, k).

    n: subjects. total, square: sum and sum of squares of each rater (ratings less a constant of the cell).
    whole: sum of squared subject totals. same, near: subjects rated equally, or at most 1 apart (k = 2).
    """

    n: np.ndarray
    total: np.ndarray
    square: np.ndarray
    whole: np.ndarray
    same: np.ndarray
    near: np.ndarray


def features(ratings: np.ndarray) -> np.ndarray:
    """What is summed, per row and cell: shape (n, cells, 2k + 4). Rows with a missing rating are all 0.

    ratings: shape (cells, n, k), NaN where missing.
    """
    complete = ~np.isnan(ratings).any(axis=2)
    x = np.where(complete[:, :, None], ratings - _centre(ratings, complete)[:, None, None], 0.0)
    gap = np.abs(ratings[:, :, 0] - ratings[:, :, -1])
    parts = [
        complete[:, :, None],
        x,
        x**2,
        x.sum(axis=2, keepdims=True) ** 2,
        (complete & (gap <= TIE))[:, :, None],
        (complete & (gap <= 1 + TIE))[:, :, None],
    ]
    return np.concatenate(parts, axis=2).astype(float).transpose(1, 0, 2)


def moments(sums: np.ndarray) -> Moments:
    """Sums of ``features``, shape (..., cells, 2k + 4), by name."""
    k = (sums.shape[-1] - 4) // 2
    return Moments(
        n=sums[..., 0],
        total=sums[..., 1 : k + 1],
        square=sums[..., k + 1 : 2 * k + 1],
        whole=sums[..., 2 * k + 1],
        same=sums[..., 2 * k + 2],
        near=sums[..., 2 * k + 3],
    )


def statistics(m: Moments) -> dict[str, np.ndarray]:
    """Every statistic that moments give, by its key in the command's JSON; NaN where there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = _of_all(m)
        return found | (_of_two(m) if m.total.shape[-1] == 2 else {})


def _centre(ratings: np.ndarray, complete: np.ndarray) -> np.ndarray:
    """A constant near the mean of each cell; a whole number where ratings are, so that sums stay exact."""
    k = ratings.shape[2]
    count = np.maximum(complete.sum(axis=1) * k, 1)
    mean = np.where(complete[:, :, None], ratings, 0.0).sum(axis=(1, 2)) / count
    filled = np.where(complete[:, :, None], ratings, 0.0)
    whole = (filled == np.floor(filled)).all(axis=(1, 2))
    return np.where(whole, np.round(mean), mean)


def _of_all(m: Moments) -> dict[str, np.ndarray]:
    k = m.total.shape[-1]
    noise = NOISE * m.square.sum(axis=-1)
    grand = m.total.sum(axis=-1) ** 2 / (m.n * k)
    between = _floored(m.whole / k - grand, noise)
    of_raters = _floored((m.total**2).sum(axis=-1) / m.n - grand, noise)
    left = _floored(m.square.sum(axis=-1) - grand - between - of_raters, noise)
    few = m.n < 2
    between, of_raters, left = (np.where(few, np.nan, part) for part in (between, of_raters, left))
    squares = from_sums(between, of_raters, left, m.n, k)
    sem, sem_agreement = np.sqrt(squares.residual), np.sqrt(squares.within)
    return forms(squares) | {
        "sem.agreement": sem_agreement,
        "sem.consistency": sem,
        "mdc95": LIMITS * np.sqrt(2) * sem,
        "mdc95_agreement": LIMITS * np.sqrt(2) * sem_agreement,
    }


def _of_two(m: Moments) -> dict[str, np.ndarray]:
    noise = NOISE * m.square.sum(axis=-1)
    own = _floored(m.square - m.total**2 / m.n[..., None], noise[..., None])
    x, y = own[..., 0], own[..., 1]
    both = (m.whole - m.square.sum(axis=-1)) / 2 - m.total[..., 0] * m.total[..., 1] / m.n
    bias = (m.total[..., 0] - m.total[..., 1]) / m.n
    sd = np.sqrt(np.where(m.n < 2, np.nan, _floored(x + y - 2 * both, noise) / (m.n - 1)))
    return {
        "pearson": np.clip(ratio(both, np.sqrt(x) * np.sqrt(y)), -1, 1),
        "ccc": ratio(2 * both, x + y + m.n * bias**2),
        "bland_altman.bias": np.where(m.n < 1, np.nan, bias),
        "bland_altman.sd": sd,
        "bland_altman.loa.lower": bias - LIMITS * sd,
        "bland_altman.loa.upper": bias + LIMITS * sd,
        "bland_altman.proportional_bias": ratio(2 * (x - y), _floored(x + y + 2 * both, noise)),
        "exact_agreement": ratio(m.same, m.n),
        "within_one": ratio(m.near, m.n),
    }


def _floored(value: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The sum of squares, 0 where only rounding is left of it."""
    return np.where(value <= noise, 0.0, value)
