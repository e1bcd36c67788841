"""Shares of two arms within strata: Cochran-Mantel-Haenszel test and the common risk difference.

Test: Cochran 1954, Mantel and Haenszel 1959, without continuity correction; compared in the tests with R's
mantelhaen.test. Difference: weights n1 n2 / (n1 + n2) of Mantel and Haenszel, with the score interval of
Miettinen and Nurminen 1985 (Stat Med 4:213), which also holds where a stratum has no progressor or nothing
else, and agrees with the test. In simulated studies of 24 to 200 patients in two strata it held 94 to 97%.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, cos, nan, pi, sqrt
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from core.agreement.estimate import Z95, Estimate, estimate

LARGEST_SUPPORT = 100_000  # values that the exact distribution may have


@dataclass(frozen=True)
class Tables:
    """Counts by stratum, each of shape (strata,), strata with one arm only left out.

    cases, of: in the second arm; other_cases, other_of: in the first.
    """

    cases: np.ndarray
    of: np.ndarray
    other_cases: np.ndarray
    other_of: np.ndarray

    @property
    def n(self) -> np.ndarray:
        return np.asarray(self.of + self.other_of)

    @property
    def all_cases(self) -> np.ndarray:
        return np.asarray(self.cases + self.other_cases)


def tables(flag: Any, in_second_arm: Any, stratum: Any) -> Tables:
    """Counts of a 0/1 outcome; all of shape (n,), none missing."""
    flag, second = np.asarray(flag, bool), np.asarray(in_second_arm, bool)
    labels, place = np.unique(np.asarray(stratum), return_inverse=True)
    counts = [
        np.bincount(place[mask], minlength=len(labels))
        for mask in (second & flag, second, ~second & flag, ~second)
    ]
    both = (counts[1] > 0) & (counts[3] > 0)
    return Tables(*(count[both] for count in counts))


@dataclass(frozen=True)
class Cmh:
    """chi_square with 1 df, p two-sided; exact_p: over all assignments of arms within strata, None where they
    are too many. excess: cases of the second arm minus those expected. NaN where nothing varies.
    """

    chi_square: float
    p: float
    exact_p: float | None
    excess: float
    strata: int
    n: int


def cmh_test(counts: Tables) -> Cmh:
    """The test that the shares of the arms do not differ in any stratum."""
    n, cases = counts.n.astype(float), counts.all_cases
    excess = float((counts.cases - counts.of * cases / n).sum())
    parts = counts.of * counts.other_of * cases * (n - cases) / (n**2 * np.maximum(n - 1, 1))
    variance = float(parts.sum())
    chi_square = excess**2 / variance if variance > 0 else nan
    p = float(special.chdtrc(1, chi_square)) if variance > 0 else nan
    exact = _exact_p(counts) if variance > 0 else None
    return Cmh(chi_square, p, exact, excess, len(n), int(n.sum()))


def _exact_p(counts: Tables) -> float | None:
    """Share of the tables with these margins that are no more likely than the one observed."""
    chance: np.ndarray = np.ones(1)
    lowest = 0
    for n, cases, of in zip(counts.n, counts.all_cases, counts.of, strict=True):
        low, high = max(0, of + cases - n), min(of, cases)
        if len(chance) * (high - low + 1) > LARGEST_SUPPORT:
            return None
        chance = np.convolve(chance, stats.hypergeom.pmf(np.arange(low, high + 1), n, cases, of))
        lowest += low
    observed = chance[int(counts.cases.sum()) - lowest]
    return float(min(1.0, chance[chance <= observed * (1 + 1e-7)].sum()))


def common_risk_difference(counts: Tables) -> Estimate:
    """Share of the second arm minus that of the first, over strata, with 95% score limits.

    None without a stratum.
    """
    if not len(counts.n):
        return estimate(None)
    weight = counts.of * counts.other_of / counts.n
    gap = counts.cases / counts.of - counts.other_cases / counts.other_of
    middle = float(weight @ gap / weight.sum())

    def score(difference: float) -> float:
        variance = sum(w * w * v for w, v in zip(weight, _variances(counts, difference), strict=True))
        above = float(weight @ (gap - difference))
        return above / sqrt(variance) if variance > 0 else np.inf * np.sign(above) if above else 0.0

    def limit(end: float, target: float) -> float:
        if abs(middle - end) < 1e-12 or abs(score(end)) <= Z95:
            return end
        return float(optimize.brentq(lambda value: np.clip(score(value), -50, 50) - target, end, middle))

    return estimate(middle, limit(-1.0, Z95), limit(1.0, -Z95))


def _variances(counts: Tables, difference: float) -> list[float]:
    """Variance of each stratum's difference at the likeliest shares that differ by this much."""
    found = []
    for x1, n1, x2, n2 in zip(counts.cases, counts.of, counts.other_cases, counts.other_of, strict=True):
        second = _likeliest(int(x1), int(n1), int(x2), int(n2), difference)
        first = min(max(second + difference, 0.0), 1.0)
        n = int(n1 + n2)
        plain = first * (1 - first) / n1 + second * (1 - second) / n2
        found.append(float(plain) * n / max(n - 1, 1))
    return found


def _likeliest(x1: int, n1: int, x2: int, n2: int, difference: float) -> float:
    """The likeliest share of the first arm, where the other's is larger by ``difference``."""
    n, cases = n1 + n2, x1 + x2
    l2 = (n1 + 2 * n2) * difference - n - cases
    l1 = (n2 * difference - n - 2 * x2) * difference + cases
    l0 = x2 * difference * (1 - difference)
    third = l2 / (3 * n)
    q = third**3 - l1 * l2 / (6 * n * n) + l0 / (2 * n)
    p = sqrt(max(third**2 - l1 / (3 * n), 0.0)) * (1 if q >= 0 else -1)
    ratio = q / p**3 if p else 0.0
    share = 2 * p * cos((pi + acos(min(max(ratio, -1.0), 1.0))) / 3) - third
    return float(min(max(share, max(0.0, -difference)), min(1.0, 1.0 - difference)))
