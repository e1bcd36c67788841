"""Van Elteren test: two arms compared by ranks within strata.

Strata weigh 1 / (N + 1), which is best against a common shift. Source: van Elteren 1960.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, nan, sqrt
from typing import Any

import numpy as np
from scipy import special

from core.ties import mid_ranks

LARGEST_SUPPORT = 2_000_000  # values that the exact distribution may have


@dataclass(frozen=True)
class RankTest:
    """Weighted sum of rank sums minus their expectation, and its test.

    statistic: above 0 where the second arm ranks higher. p: two-sided, normal. exact_p: the same over all
    assignments of arms within strata, None where they are too many. strata, n: what was used.
    """

    statistic: float
    variance: float
    z: float
    p: float
    exact_p: float | None
    strata: int
    n: int


def van_elteren(value: Any, in_second_arm: Any, stratum: Any, *, exact: bool = False) -> RankTest:
    """The test that the arms do not differ in any stratum.

    value: shape (n,), none missing. in_second_arm: bool, (n,). stratum: labels, (n,). Ties get mid-ranks. A
    stratum with one arm only adds nothing. Without any spread z and p are NaN.
    exact: also the permutation p, where the distribution is small enough.
    """
    value, second, labels = np.asarray(value, float), np.asarray(in_second_arm, bool), np.asarray(stratum)
    parts = [_stratum(value[labels == label], second[labels == label]) for label in np.unique(labels)]
    parts = [part for part in parts if part.first and part.second]
    statistic = sum(part.weight * (part.rank_sum - part.expected) for part in parts)
    variance = sum(part.weight**2 * part.variance for part in parts)
    z = statistic / sqrt(variance) if variance > 0 else nan
    return RankTest(
        float(statistic),
        float(variance),
        float(z),
        float(2 * special.ndtr(-abs(z))),
        _exact_p(parts, abs(statistic)) if exact else None,
        len(parts),
        sum(part.first + part.second for part in parts),
    )


@dataclass(frozen=True)
class _Stratum:
    ranks: np.ndarray
    first: int
    second: int
    rank_sum: float

    @property
    def weight(self) -> float:
        return 1 / (len(self.ranks) + 1)

    @property
    def expected(self) -> float:
        return self.second * (len(self.ranks) + 1) / 2

    @property
    def variance(self) -> float:
        n = len(self.ranks)
        return self.first * self.second / n * float(self.ranks.var(ddof=1)) if n > 1 else 0.0


def _stratum(value: np.ndarray, second: np.ndarray) -> _Stratum:
    ranks = mid_ranks(value)
    return _Stratum(ranks, int((~second).sum()), int(second.sum()), float(ranks[second].sum()))


def _exact_p(parts: list[_Stratum], observed: float) -> float | None:
    """Share of all assignments whose statistic is at least as far from 0."""
    values: np.ndarray = np.zeros(1)
    shares: np.ndarray = np.ones(1)
    for part in parts:
        sums, counts = rank_sum_distribution(part.ranks, part.second)
        if len(values) * len(sums) > LARGEST_SUPPORT:
            return None
        added = np.add.outer(values, part.weight * (sums - part.expected)).ravel()
        weights = np.outer(shares, counts / comb(len(part.ranks), part.second)).ravel()
        values, place = np.unique(np.round(added, 10), return_inverse=True)
        shares = np.bincount(place, weights=weights)
    return float(shares[np.abs(values) >= observed - 1e-9].sum())


def rank_sum_distribution(ranks: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of ``count`` of the ranks that can occur, and how many choices give each."""
    doubled = np.round(2 * np.asarray(ranks)).astype(int)  # mid-ranks are halves
    ways = np.zeros((count + 1, doubled.sum() + 1))
    ways[0, 0] = 1
    for rank in doubled:
        for chosen in range(count, 0, -1):
            ways[chosen, rank:] += ways[chosen - 1, : ways.shape[1] - rank]
    sums = np.flatnonzero(ways[count])
    return sums / 2, ways[count][sums]
