"""Hodges-Lehmann shift between two arms: the median of all differences, with its rank interval.

Source: Hodges and Lehmann 1963; interval of Moses. Compared in the tests with R's wilcox.test.
"""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np

from core.agreement.estimate import Z95, Estimate, estimate

EXACT_UP_TO = 50  # subjects in either arm


def hodges_lehmann(first: Any, second: Any) -> Estimate:
    """Median of second minus first over all pairs, with the 95% interval that inverts the rank sum test.

    first, second: shapes (m,) and (n,), none missing. Up to 50 in each arm the limits come from the exact
    distribution (without ties), beyond from the normal one; with ties they are slightly too wide. Where no
    limit reaches 95% the interval is None; an empty arm gives None.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    m, n = len(first), len(second)
    if not m or not n:
        return estimate(None)
    differences = np.sort(np.subtract.outer(second, first).ravel())
    middle = float(np.median(differences))
    cut = _cut(m, n)
    if cut < 1:
        return estimate(middle)
    return estimate(middle, differences[cut - 1], differences[m * n - cut])


def _cut(m: int, n: int) -> int:
    """The rank of the lower limit among the differences, 0 where 95% cannot be reached."""
    if max(m, n) <= EXACT_UP_TO:
        share = np.cumsum(_mann_whitney(m, n))
        below = int(np.searchsorted(share, 0.025 * (1 - 1e-12), side="right"))
        return below if share[0] <= 0.025 else 0
    return floor(m * n / 2 - Z95 * np.sqrt(m * n * (m + n + 1) / 12))


def _mann_whitney(m: int, n: int) -> np.ndarray:
    """Null probabilities of U = 0 ... m n without ties."""
    ways = np.zeros(m * n + 1)
    ways[0] = 1
    for k in range(1, m + 1):  # product of (1 - q^(n+k)) / (1 - q^k)
        up, down = n + k, k
        raised = ways.copy()
        raised[up:] -= ways[:-up] if up <= m * n else 0
        for place in range(down, len(raised)):
            raised[place] += raised[place - down]
        ways = raised
    return np.asarray(ways / ways.sum())
