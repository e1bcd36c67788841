"""Is a bias small enough? Two one-sided tests (TOST) against a margin, with the power of the verdict.

Equivalent where both one-sided tests reject at 2.5%, that is where the 95% interval lies within the margin.
Sources: Schuirmann 1987 (doi:10.1007/BF01068419); power exact for normal differences, Phillips 1990
(doi:10.1007/BF01063556). Several rows of one patient count by patient, with a standard error of their sums.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
from scipy import special

from core.agreement.estimate import estimate, number

TAIL = 0.025
SMALLEST = 12  # patients
FEW = "a verdict needs {smallest} patients, here are {patients}"
POINTS = (np.arange(2000) + 0.5) / 2000


def bias_equivalence(
    table: Any, raters: list[str], *, margin: float, model: str = "", clusters: Any = None
) -> dict[str, Any]:
    """Rows {first, second, ...} of ``tost``: model and each reader against the mean of the other readers.

    Without a model every two raters, first minus second. table: complete ratings (n, raters).
    Returns margin, level (of each one-sided test), rows.
    """
    table = np.asarray(table, dtype=float)
    rows = []
    for first, second, gap in _gaps(table, raters, model):
        rows.append({"first": first, "second": second, **tost(gap, margin=margin, clusters=clusters)})
    return {"margin": margin, "level": TAIL, "rows": rows}


def _gaps(table: np.ndarray, raters: list[str], model: str) -> list[tuple[str, str, np.ndarray]]:
    column = dict(zip(raters, table.T, strict=True))
    if not model:
        return [(a, b, column[a] - column[b]) for a, b in combinations(raters, 2)]
    readers = [name for name in raters if name != model]
    found = []
    for one in [model, *readers] if readers else []:
        others = [name for name in readers if name != one]
        if others:
            mean = np.mean([column[name] for name in others], axis=0)
            words = others[0] if len(others) == 1 else f"mean of {', '.join(others)}"
            found.append((one, words, column[one] - mean))
    if model and len(readers) == 2:  # either reader against the other is one comparison
        found = found[:2]
    return found


def tost(gap: Any, *, margin: float, clusters: Any = None) -> dict[str, Any]:
    """The verdict on one bias. gap: differences (n,), no missing value. margin: above 0.

    Returns bias {estimate, ci (95%)}, p (the larger of both), equivalent (None below ``SMALLEST`` patients or
    without spread), power (chance of "equivalent" with such differences if there were no bias), patients,
    notes.
    """
    gap = np.asarray(gap, dtype=float)
    mean, error, patients = _mean(gap, clusters)
    nothing = {"p": None, "equivalent": None, "power": None, "patients": patients}
    if mean is None or not error > 0:
        return {"bias": estimate(mean)} | nothing | {"notes": {"bias": _why_not(patients)}}
    df = patients - 1
    half = float(special.stdtrit(df, 1 - TAIL)) * error
    p = float(special.stdtr(df, (abs(mean) - margin) / error))
    few = patients < SMALLEST
    return {
        "bias": estimate(mean, mean - half, mean + half),
        "p": p,
        "equivalent": None if few else p < TAIL,
        "power": number(power(margin / error, df)),
        "patients": patients,
        "notes": {"equivalent": FEW.format(smallest=SMALLEST, patients=patients)} if few else {},
    }


def _why_not(patients: int) -> str:
    known = {0: "no subject was rated by both", 1: "two patients are needed"}
    return known.get(patients, "all differences are one and the same: their spread is not known")


def power(margin: float, df: int) -> float:
    """Chance that two one-sided t tests call a bias of 0 equivalent. margin: in standard errors of the bias.

    The mean and its standard error are independent: the normal probability of each possible standard error is
    averaged over their distribution.
    """
    error = np.sqrt(2 * special.gammaincinv(df / 2, POINTS) / df)
    reach = margin - float(special.stdtrit(df, 1 - TAIL)) * error
    return float(np.maximum(2 * special.ndtr(reach) - 1, 0.0).mean())


def _mean(gap: np.ndarray, clusters: Any) -> tuple[float | None, float, int]:
    """(mean over rows, its standard error over patients, patients)."""
    if not len(gap):
        return None, math.nan, 0
    mean = float(gap.mean())
    names, place = np.unique(np.arange(len(gap)) if clusters is None else clusters, return_inverse=True)
    sums, n = np.bincount(place, gap - mean), len(names)
    if n < 2 or np.ptp(gap) <= 1e-12 * max(np.abs(gap).max(), 1e-300):
        return mean, math.nan, n
    return mean, math.sqrt(float(sums @ sums) * n / (n - 1)) / len(gap), n
