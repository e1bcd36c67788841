"""Cohen's kappa for two raters: unweighted, linear and quadratic, with asymptotic standard errors.

Disagreement weights are |a-b| and (a-b)^2 of the grades themselves, so an unused grade keeps its place.
Standard errors of Fleiss, Cohen and Everitt 1969 (doi:10.1037/h0028106), interval not cut at 1; compared in
the tests with statsmodels, scikit-learn and the skin-condition table of the SAS manual.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.estimate import MISSING, Z95, Estimate, estimate, number
from core.agreement.grades.confusion import confusion, is_gradeable

WEIGHTS = ("unweighted", "linear", "quadratic")
ADDED = 4  # patients who agree by chance
CONSTANT = "both raters gave one and the same grade: agreement by chance is 1"


def kappas(first: Any, second: Any) -> dict[str, Any] | None:
    """The three kappas of two raters' grades; None where these are not grades (see ``is_gradeable``).

    first, second: shape (n,), no missing value.
    Returns {"unweighted": {estimate, ci, se, se_null}, "linear": ..., "quadratic": ..., "levels": [...]}.
    """
    if not is_gradeable(first, second):
        return None
    table, levels = confusion(first, second)
    return {weights: kappa(table, levels, weights) for weights in WEIGHTS} | {"levels": levels.tolist()}


def kappa(table: Any, levels: Any, weights: str = "unweighted") -> Estimate:
    """Kappa of a square table of counts, rows the first rater, with interval, SE and SE under the null.

    table: shape (q, q). levels: the q grades, shape (q,). None where chance agreement is 1 or n is 0.
    """
    counts = np.asarray(table, dtype=float)
    n = counts.sum()
    w = agreement_weights(np.asarray(levels, dtype=float), weights)
    if not n or len(w) < 2:
        return dict(MISSING) | {"se": None, "se_null": None}
    share = counts / n
    row, column = share.sum(axis=1), share.sum(axis=0)
    chance = float(row @ w @ column)
    if np.isclose(chance, 1, rtol=0, atol=1e-15):
        return dict(MISSING) | {"se": None, "se_null": None}
    value = (float((w * share).sum()) - chance) / (1 - chance)
    se, se_null = _standard_errors(share, w, value, chance, n)
    return estimate(value, value - Z95 * se, value + Z95 * se) | {
        "se": number(se),
        "se_null": number(se_null),
    }


def shrunk_limits(table: Any, levels: Any, weights: str = "unweighted") -> tuple[float, float]:
    """95% limits of kappa that hold where almost all agree; NaN where there is no kappa.

    Four patients are added who agree by chance, as Agresti and Coull 1998 add four to a proportion
    (doi:10.1080/00031305.1998.10480550), then the asymptotic interval is taken and cut at 1: where all agree,
    the asymptotic one is [1, 1] (docs/statistics-coverage.md). The estimate stays as it is and lies within.
    """
    counts = np.asarray(table, dtype=float)
    n = counts.sum()
    value = kappa(counts, levels, weights)["estimate"]
    if value is None:
        return np.nan, np.nan
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n**2
    low, high = kappa(counts + ADDED * chance, levels, weights)["ci"]
    if low is None or high is None:
        return np.nan, np.nan
    return min(low, value), min(max(high, value), 1.0)


def agreement_weights(levels: np.ndarray, weights: str) -> np.ndarray:
    """Weights of agreement, 1 on the diagonal, 0 for the widest gap (unweighted: 0 off the diagonal)."""
    gap = np.abs(levels[:, None] - levels[None, :])
    if weights == "unweighted":
        return (gap == 0).astype(float)
    if weights not in WEIGHTS:
        raise ValueError(f"weights is {weights!r}; one of {', '.join(WEIGHTS)} is needed")
    widest = gap.max() or 1.0
    return 1 - (gap / widest) ** (1 if weights == "linear" else 2)


def _standard_errors(
    share: np.ndarray, w: np.ndarray, value: float, chance: float, n: float
) -> tuple[float, float]:
    row, column = share.sum(axis=1), share.sum(axis=0)
    mean = (w @ column)[:, None] + (row @ w)[None, :]
    scale = n * (1 - chance) ** 2
    spread = float((share * (w - mean * (1 - value)) ** 2).sum()) - (value - chance * (1 - value)) ** 2
    under_null = float((np.outer(row, column) * (w - mean) ** 2).sum()) - chance**2
    return float(np.sqrt(max(spread, 0.0) / scale)), float(np.sqrt(max(under_null, 0.0) / scale))
