"""Gwet's AC1 and AC2: agreement corrected for chance, steady where most grades are 0.

Source: Gwet 2008 (doi:10.1348/000711006X126600) and Handbook of Inter-Rater Reliability (4th ed., 2014),
variance over subjects with infinite population; the normal quantile is used in the interval.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.estimate import MISSING, Z95, Estimate, estimate, number
from core.agreement.grades.confusion import confusion, is_gradeable
from core.agreement.grades.kappa import agreement_weights


def gwet(first: Any, second: Any, *, levels: Any = None) -> dict[str, Estimate] | None:
    """AC1 and AC2 (linear and quadratic weights) of two raters; None where the ratings are not grades.

    levels: the grades that could have been given (chance agreement depends on how many there are), by
    default the distinct values of both raters together.
    """
    if not is_gradeable(first, second):
        return None
    table, grades = confusion(first, second, levels)
    return {
        "ac1": gwet_of_table(table, grades, "unweighted"),
        "ac2_linear": gwet_of_table(table, grades, "linear"),
        "ac2_quadratic": gwet_of_table(table, grades, "quadratic"),
    }


def gwet_of_table(table: Any, levels: Any, weights: str) -> Estimate:
    """AC1 (``unweighted``) or AC2 of a square table of counts, with SE; None with fewer than two levels."""
    counts = np.asarray(table, dtype=float)
    n, q = counts.sum(), len(counts)
    if not n or q < 2:
        return dict(MISSING) | {"se": None}
    w = agreement_weights(np.asarray(levels, dtype=float), weights)
    share = counts / n
    mean = (share.sum(axis=0) + share.sum(axis=1)) / 2
    chance_scale = w.sum() / (q * (q - 1))
    chance = chance_scale * float((mean * (1 - mean)).sum())
    observed = float((w * share).sum())
    value = (observed - chance) / (1 - chance)
    se = _standard_error(share, w, mean, chance_scale, value, n)
    return estimate(value, value - Z95 * se, value + Z95 * se) | {"se": number(se)}


def _standard_error(
    share: np.ndarray, w: np.ndarray, mean: np.ndarray, chance_scale: float, value: float, n: float
) -> float:
    """Square root of sum over subjects (value_i* - value)^2 / (n (n - 1)); subjects of a cell are alike."""
    if n < 2:
        return float("nan")
    chance = chance_scale * float((mean * (1 - mean)).sum())
    own_chance = chance_scale * ((1 - mean)[:, None] + (1 - mean)[None, :]) / 2
    own = (w - chance) / (1 - chance) - 2 * (1 - value) * (own_chance - chance) / (1 - chance)
    return float(np.sqrt((share * (own - value) ** 2).sum() / (n - 1)))
