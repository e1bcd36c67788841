"""Limits of agreement between two raters, with exact or approximate intervals.

Differences are first minus second. The multiplier of the limits is exactly 1.96.
Sources: Bland and Altman 1986 (doi:10.1016/S0140-6736(86)90837-8) and 1999
(doi:10.1177/096228029900800204); exact intervals by the noncentral t, Carkeet 2015
(doi:10.1097/OPX.0000000000000513). Compared in the tests with the peak flow meters of the paper of 1986.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from core.agreement.estimate import LIMITS, MISSING, estimate, number
from core.agreement.line import straight_line

ROUNDING = 8 * np.finfo(float).eps
METHODS = ("exact", "approximate")


def bland_altman(first: Any, second: Any, *, loa_ci: str = "exact") -> dict[str, Any]:
    """Bias, SD of the differences, limits of agreement and proportional bias.

    first, second: ratings of the same n subjects, shape (n,), no missing value.
    loa_ci: ``exact`` (noncentral t) or ``approximate`` (limit +- t SD sqrt(1/n + 1.96^2 / 2(n-1))).
    Returns bias {estimate, ci}, sd, loa {lower, upper}, loa_ci_method, proportional_bias {slope, se, ci,
    intercept, p}, n and notes {key: reason}.
    Raises ValueError for another ``loa_ci``.
    """
    if loa_ci not in METHODS:
        raise ValueError(f"loa_ci is {loa_ci!r}; one of {', '.join(METHODS)} is needed")
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    difference = differences(first, second)
    n = len(difference)
    result = _limits(difference, loa_ci) | {
        "proportional_bias": straight_line((first + second) / 2, difference).as_dict()
    }
    return {"n": n} | result | {"notes": _notes(result, n)}


def differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """first minus second; where they differ among themselves only by rounding, all are made equal."""
    difference = first - second
    if len(difference) and np.ptp(difference) <= ROUNDING * max(np.abs(first).max(), np.abs(second).max()):
        return np.full(len(difference), difference[0])
    return difference


def limits_of_agreement(bias: Any, sd: Any, n: Any, *, loa_ci: str = "exact") -> dict[str, tuple]:
    """``lower`` and ``upper`` as (estimate, low, high). Numbers, or arrays of many comparisons.

    sd has divisor n - 1; n is at least 2.
    """
    bias, sd, n = np.asarray(bias, dtype=float), np.asarray(sd, dtype=float), np.asarray(n)
    lower, upper = bias - LIMITS * sd, bias + LIMITS * sd
    if loa_ci == "approximate":
        half = t_quantile(n - 1) * sd * np.sqrt(1 / n + LIMITS**2 / (2 * (n - 1)))
        return {"lower": (lower, lower - half, lower + half), "upper": (upper, upper - half, upper + half)}
    near, far = exact_factors(n)
    return {
        "lower": (lower, bias - far * sd, bias - near * sd),
        "upper": (upper, bias + near * sd, bias + far * sd),
    }


def exact_factors(n: Any) -> tuple[np.ndarray, np.ndarray]:
    """(c.025, c.975): quantiles of the noncentral t (df n-1, noncentrality 1.96 sqrt(n)) over sqrt(n)."""
    n = np.asarray(n, dtype=float)
    root = np.sqrt(n)
    near, far = (special.nctdtrit(n - 1, LIMITS * root, p) / root for p in (0.025, 0.975))
    return near, far


def t_quantile(df: Any) -> Any:
    """The 97.5% quantile of Student's t."""
    return special.stdtrit(df, 0.975)


def _limits(difference: np.ndarray, loa_ci: str) -> dict[str, Any]:
    n = len(difference)
    bias = difference.mean() if n else None
    if n < 2:
        nothing = {"lower": dict(MISSING), "upper": dict(MISSING)}
        return {"bias": estimate(bias), "sd": None, "loa": nothing, "loa_ci_method": loa_ci}
    sd = difference.std(ddof=1)
    half = t_quantile(n - 1) * sd / np.sqrt(n)
    limits = limits_of_agreement(bias, sd, n, loa_ci=loa_ci)
    return {
        "bias": estimate(bias, bias - half, bias + half),
        "sd": number(sd),
        "loa": {side: estimate(*values) for side, values in limits.items()},
        "loa_ci_method": loa_ci,
    }


def _notes(result: dict[str, Any], n: int) -> dict[str, str]:
    notes = {}
    if n < 2:
        notes["bland_altman"] = f"limits of agreement need two subjects; {n} is here"
    if result["proportional_bias"]["slope"] is None:
        notes["proportional_bias"] = "the means of the two raters do not differ between subjects"
    elif result["proportional_bias"]["p"] is None:
        few = n < 3
        notes["proportional_bias"] = (
            "a test of the slope needs three subjects"
            if few
            else "all differences are equal: nothing to test"
        )
    return notes
