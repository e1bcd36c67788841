"""Why kappa is low where agreement is high: prevalence index, bias index and PABAK at every cut of grades.

Each cut makes two categories: the grade or more, and less. With a and d the subjects that both raters put
into one category, b and c those that they part: prevalence index (a - d) / n, bias index (b - c) / n, PABAK
2 (a + d) / n - 1, the kappa that the same agreement would have had without either.
Sources: Byrt, Bishop and Carlin 1993 (doi:10.1016/0895-4356(93)90018-V), signs kept; limits of both indices
by Bonett and Price 2012 (doi:10.3102/1076998611411915), of PABAK from Wilson's, or a patient bootstrap.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.agreement.bootstrap import DRAWS, SEED, count_blocks, percentiles
from core.agreement.estimate import Z95, Estimate, estimate
from core.agreement.grades.confusion import is_gradeable, whole
from core.agreement.grades.kappa import kappa
from core.agreement.proportion import wilson

INDICES = ("kappa", "pabak", "prevalence_index", "bias_index")


def two_categories(
    first: Any,
    second: Any,
    levels: Any = None,
    clusters: Any = None,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> list[dict[str, Any]] | None:
    """The indices at every cut; None where the ratings are no grades (see ``is_gradeable``).

    first, second: shape (n,), no missing value. levels: grades that could have been given, by default those
    that occur; the lowest is no cut. clusters: the patient of each subject: limits then draw patients.
    Returns [{at_least, counts [[d, c], [b, a]] (rows the first rater, below the cut first), kappa, pabak,
    prevalence_index, bias_index}], each index {estimate, ci}; above 0 the prevalence index says that most
    subjects reach the cut, the bias index that the first rater puts more of them there.
    """
    if not is_gradeable(first, second):
        return None
    first, second = whole(first), whole(second)
    seen = np.unique(np.concatenate([first, second]) if levels is None else np.asarray(levels, dtype=float))
    cuts = seen[1:]
    one, other = first[:, None] >= cuts, second[:, None] >= cuts
    cells = np.stack([~one & ~other, ~one & other, one & ~other, one & other], axis=2).astype(float)
    tables = cells.sum(axis=0).astype(int).reshape(len(cuts), 2, 2)
    found = [of_table(table) for table in tables]
    if clusters is not None and len(cuts):
        found = _resampled(found, cells, clusters, draws, seed)
    return [
        {"at_least": float(cut), "counts": table.tolist()} | values
        for cut, table, values in zip(cuts, tables, found, strict=True)
    ]


def of_table(table: Any) -> dict[str, Estimate]:
    """Kappa and the three indices of one table of two categories, [[d, c], [b, a]], with formula limits."""
    (d, c), (b, a) = np.asarray(table, dtype=float)
    n = a + b + c + d
    low, high = wilson(a + d, n)
    one = kappa(np.array([[d, c], [b, a]]), np.array([0.0, 1.0]))
    return {
        "kappa": {"estimate": one["estimate"], "ci": one["ci"]},
        "pabak": estimate(2 * (a + d) / n - 1, 2 * low - 1, 2 * high - 1) if n else estimate(None),
        "prevalence_index": _difference(a, d, n),
        "bias_index": _difference(b, c, n),
    }


def _difference(more: float, less: float, n: float) -> Estimate:
    """(more - less) / n of one sample with limits of Bonett and Price (one subject added to either)."""
    if not n:
        return estimate(None)
    up, down = (more + 1) / (n + 2), (less + 1) / (n + 2)
    half = Z95 * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return estimate((more - less) / n, max(up - down - half, -1.0), min(up - down + half, 1.0))


def _resampled(
    found: list[dict[str, Estimate]], cells: np.ndarray, clusters: Any, draws: int, seed: int
) -> list[dict[str, Estimate]]:
    """The same with limits that draw patients; where no draw can differ, those of so many subjects.

    cells: shape (n, cuts, 4).
    """
    names, place = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.zeros((len(names), *cells.shape[1:]))
    np.add.at(sums, place, cells)
    if len(names) < 2 or not draws:
        return [{name: estimate(value["estimate"]) for name, value in cut.items()} for cut in found]
    flat = sums.reshape(len(names), -1)
    blocks = count_blocks(len(names), draws=draws, seed=seed)
    drawn = np.concatenate(
        [_values((block @ flat).reshape(len(block), *cells.shape[1:])) for block in blocks]
    )
    limits, _ = percentiles(drawn)
    share = sums / sums.sum(axis=2, keepdims=True)
    return [
        _alike(cut, share[:, i]) if np.ptp(share[:, i], axis=0).max() == 0 else _limited(cut, limits[:, i])
        for i, cut in enumerate(found)
    ]


def _limited(found: dict[str, Estimate], limits: np.ndarray) -> dict[str, Estimate]:
    return {name: estimate(found[name]["estimate"], *limits[:, i]) for i, name in enumerate(INDICES)}


def _alike(found: dict[str, Estimate], share: np.ndarray) -> dict[str, Estimate]:
    apart = of_table(share.sum(axis=0).reshape(2, 2))
    return {name: value | {"ci": apart[name]["ci"]} for name, value in found.items()}


def _values(cells: np.ndarray) -> np.ndarray:
    """The indices in the order of ``INDICES`` from counts (..., 4) of d, c, b, a: shape (..., 4)."""
    d, c, b, a = np.moveaxis(cells, -1, 0)
    n = a + b + c + d
    with np.errstate(divide="ignore", invalid="ignore"):
        same = (a + d) / n
        chance = ((a + b) * (a + c) + (d + c) * (d + b)) / n**2
        kappa_ = np.where(chance < 1, (same - chance) / (1 - chance), np.nan)
        return np.stack([kappa_, 2 * same - 1, (a - d) / n, (b - c) / n], axis=-1)
