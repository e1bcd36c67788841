"""P-values adjusted for several arms that are compared with one reference.

Dunnett 1955 (two-sided, from the multivariate t distribution of the differences; compared in the tests with
R's multcomp and scipy), Holm 1979, Hochberg 1988 (for positively dependent tests, as differences from one
reference are), and a fixed sequence, in which an arm is tested only while all before it are significant.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special, stats

from core.errors import InputError

METHODS = ("dunnett", "holm", "hochberg", "fixed")
NODES = {2: 48, 3: 32, 4: 20, 5: 14, 6: 10}  # of the integration, by how many arms are compared
FEWEST = 6
ERROR_NODES = 40
TAIL = 1e-12  # of the distribution of the common error, left out on both sides
WORDS = {
    "dunnett": "Dunnett: all arms against the reference at once, from their joint t distribution",
    "holm": "Holm: step down from the smallest p-value",
    "hochberg": "Hochberg: step up from the largest p-value",
    "fixed": "fixed sequence: an arm is tested only while all before it are significant",
}
_NAMES = {"holm": "holm", "hochberg": "simes-hochberg"}


def check_adjust(method: str | None, order: Sequence[str], arms: Sequence[str]) -> None:
    """Raises InputError for a method, or an order of the arms to compare, that is none."""
    if method not in (None, *METHODS):
        raise InputError(f"--adjust {method}", f"one of {', '.join(METHODS)} is needed", "choose one")
    if order and sorted(order) != sorted(arms):
        raise InputError(
            f"--order {','.join(order)}",
            f"the arms to compare are {', '.join(arms)}",
            "name each of them once",
        )


def adjusted_p(p: Sequence[float | None], method: str) -> list[float | None]:
    """The p-values of ``holm``, ``hochberg`` or ``fixed`` (in the order given); a missing one counts as 1.

    For ``fixed`` that is the largest of an arm's own p-value and those before it.
    """
    from statsmodels.stats.multitest import multipletests

    values = np.array([1.0 if value is None or np.isnan(value) else value for value in p], float)
    if not len(values):
        return []
    found = np.maximum.accumulate(values) if method == "fixed" else multipletests(
        values, method=_NAMES[method])[1]  # fmt: skip
    return [
        None if value is None or np.isnan(value) else float(one) for value, one in zip(p, found, strict=True)
    ]


def dunnett_p(t: np.ndarray, correlation: np.ndarray, df: float) -> list[float]:
    """Two-sided p of each difference from the reference, the largest of all |t| being judged.

    t: shape (arms - 1,). correlation: of the differences. df: of the common error; infinite for normal.
    """
    lower = np.linalg.cholesky(correlation)
    inside = [_box(lower, float(abs(value)), df) for value in t]
    alone = 2 * stats.t.sf(np.abs(t), df)
    return [float(min(1.0, max(1 - one, least))) for one, least in zip(inside, alone, strict=True)]


def _box(lower: np.ndarray, edge: float, df: float) -> float:
    """Probability that all of a multivariate t lie within the edge on both sides.

    lower: Cholesky factor of its correlation. Gauss-Legendre over the common error and, one after the other,
    over the quantiles of the variables given those before (Genz 1992), so that the integrand is smooth.
    """
    size = len(lower)
    nodes, weights = np.polynomial.legendre.leggauss(NODES.get(size, FEWEST))
    nodes, weights = (nodes + 1) / 2, weights / 2
    spread, weight = _error(df)
    drawn = np.zeros((len(spread), 0))
    for place in range(size):
        shift = drawn @ lower[place, :place]
        low, high = (special.ndtr((sign * edge * spread - shift) / lower[place, place]) for sign in (-1, 1))
        weight = weight * (high - low)
        if place == size - 1:
            return float(weight.sum())
        given = special.ndtri(low[:, None] + nodes * (high - low)[:, None])
        drawn = np.column_stack([np.repeat(drawn, len(nodes), axis=0), given.ravel()])
        spread, weight = np.repeat(spread, len(nodes)), np.outer(weight, weights).ravel()
    return 1.0


def _error(df: float) -> tuple[np.ndarray, np.ndarray]:
    """Values of the common error, as a multiple of the true one, and their weights."""
    if not np.isfinite(df):
        return np.ones(1), np.ones(1)
    places, weights = np.polynomial.legendre.leggauss(ERROR_NODES)
    low, high = np.sqrt(stats.chi2.ppf([TAIL, 1 - TAIL], df) / df)
    spread = low + (high - low) * (places + 1) / 2
    density = stats.chi2.pdf(df * spread**2, df) * 2 * df * spread
    weight = weights * density
    return spread, weight / weight.sum()
