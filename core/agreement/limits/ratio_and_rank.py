"""Limits of agreement as ratios, and without assuming a normal distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.estimate import MISSING, estimate
from core.agreement.limits.bland_altman import bland_altman


def ratio_limits(first: Any, second: Any, *, loa_ci: str = "exact") -> dict[str, Any]:
    """Limits of first / second: Bland-Altman on logarithms, taken back (Bland and Altman 1999, 3.1).

    Returns ``bias`` (the geometric mean ratio) and ``loa`` with their intervals; None with a note where a
    rating is 0 or less.
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if not len(first) or min(first.min(), second.min()) <= 0:
        nothing = {"lower": dict(MISSING), "upper": dict(MISSING)}
        reason = "ratios need ratings above 0"
        return {"bias": dict(MISSING), "loa": nothing, "notes": {"ratio_limits": reason}}
    logs = bland_altman(np.log(first), np.log(second), loa_ci=loa_ci)
    loa = {side: _back(value) for side, value in logs["loa"].items()}
    return {"bias": _back(logs["bias"]), "loa": loa, "notes": logs["notes"]}


def percentile_limits(first: Any, second: Any) -> dict[str, Any]:
    """Median and 2.5% and 97.5% quantiles (type 7) of first minus second; None without subjects."""
    difference = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    if not len(difference):
        return {"median": None, "lower": None, "upper": None}
    lower, median, upper = (float(value) for value in np.quantile(difference, [0.025, 0.5, 0.975]))
    return {"median": median, "lower": lower, "upper": upper}


def _back(value: dict[str, Any]) -> dict[str, Any]:
    with np.errstate(over="ignore"):
        taken = [None if x is None else np.exp(x) for x in (value["estimate"], *value["ci"])]
    return estimate(*taken)
