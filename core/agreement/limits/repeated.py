"""Limits of agreement where a subject has several pairs of ratings (visits, sites) and its true value varies.

Source: Bland and Altman 2007 (doi:10.1080/10543400701329422), true value varying: one-way analysis of
variance of the differences; intervals by variance recovery, Zou 2013 (doi:10.1177/0962280211402548).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from core.agreement.estimate import LIMITS, Z95, estimate, number
from core.agreement.limits.bland_altman import t_quantile


def repeated_limits(subject: Any, first: Any, second: Any) -> dict[str, Any]:
    """Bias, components of variance and limits of first minus second, several pairs a subject.

    subject: any labels, shape (m,). first, second: shape (m,), no missing value.
    The between-subject component is not allowed below 0 in the limits. With one pair a subject it is the
    ordinary Bland-Altman. Returns subjects, pairs, bias, sd, between, within, loa and notes.
    """
    difference = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    codes, counts = _groups(subject)
    n, m = len(counts), len(difference)
    if n < 2:
        return _nothing(n, m, "limits for repeated ratings need two subjects")
    means = np.bincount(codes, difference) / counts
    within_ss = float(((difference - means[codes]) ** 2).sum())
    within = within_ss / (m - n) if m > n else 0.0
    spread = float(means.var(ddof=1))  # of subject means: between + within / harmonic mean count
    per_subject = n / float((1 / counts).sum())
    between = max(spread - within / per_subject, 0.0)
    sd = float(np.sqrt(between + within))
    bias = float(means.mean())
    half = float(t_quantile(n - 1) * np.sqrt(spread / n))
    low, high = _variance_limits(sd**2, spread, within * (1 - 1 / per_subject), n, m)
    return {
        "subjects": n,
        "pairs": m,
        "bias": estimate(bias, bias - half, bias + half),
        "sd": number(sd),
        "between": between,
        "within": within if m > n else None,
        "loa": _mover(bias, sd, spread / n, low, high),
        "notes": {} if m > n else {"within": "every subject has one pair: no repeats"},
    }


def _groups(subject: Any) -> tuple[np.ndarray, np.ndarray]:
    _, codes = np.unique(np.asarray(subject), return_inverse=True)
    return codes, np.bincount(codes)


def _variance_limits(total: float, spread: float, rest: float, n: int, m: int) -> tuple[float, float]:
    """95% limits of the total variance, the sum of the variance of subject means and the rest of within."""
    down, up = [], []
    for share, df in ((spread, n - 1), (rest, m - n)):
        if df > 0 and share > 0:
            down.append(share * (1 - df / special.chdtri(df, 0.025)))
            up.append(share * (df / special.chdtri(df, 0.975) - 1))
    low = total - float(np.sqrt(np.sum(np.square(down))))
    return max(low, 0.0), total + float(np.sqrt(np.sum(np.square(up))))


def _mover(bias: float, sd: float, mean_variance: float, low: float, high: float) -> dict[str, Any]:
    side = Z95 * np.sqrt(mean_variance)
    inner = np.sqrt(side**2 + (LIMITS * (sd - np.sqrt(low))) ** 2)
    outer = np.sqrt(side**2 + (LIMITS * (np.sqrt(high) - sd)) ** 2)
    lower, upper = bias - LIMITS * sd, bias + LIMITS * sd
    return {
        "lower": estimate(lower, lower - outer, lower + inner),
        "upper": estimate(upper, upper - inner, upper + outer),
    }


def _nothing(n: int, m: int, reason: str) -> dict[str, Any]:
    nothing = {"lower": estimate(None), "upper": estimate(None)}
    empty = {"subjects": n, "pairs": m, "bias": estimate(None), "sd": None, "between": None, "within": None}
    return empty | {"loa": nothing, "notes": {"repeated_limits": reason}}
