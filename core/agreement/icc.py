"""Intraclass correlation: the six forms with F intervals, from the mean squares of subject x rater.

| key      | Shrout-Fleiss | McGraw-Wong | model                               |
|----------|---------------|-------------|-------------------------------------|
| ICC(1,1) | ICC(1,1)      | ICC(1)      | one-way random                      |
| ICC(A,1) | ICC(2,1)      | ICC(A,1)    | two-way random, absolute agreement  |
| ICC(C,1) | ICC(3,1)      | ICC(C,1)    | two-way mixed, consistency          |
| (., k)   | ICC(., k)     | ICC(., k)   | the same for the mean of k raters   |

Nothing is clamped: negative estimates and negative variance components stay as they are.
Sources: Shrout and Fleiss 1979 (doi:10.1037/0033-2909.86.2.420); McGraw and Wong 1996
(doi:10.1037/1082-989X.1.1.30). Compared in the tests with pingouin and with the printed tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from core.agreement.estimate import MISSING, estimate, number

FORMS = ("ICC(1,1)", "ICC(A,1)", "ICC(C,1)", "ICC(1,k)", "ICC(A,k)", "ICC(C,k)")
SHROUT_FLEISS = {
    "ICC(1,1)": "ICC(1,1)",
    "ICC(A,1)": "ICC(2,1)",
    "ICC(C,1)": "ICC(3,1)",
    "ICC(1,k)": "ICC(1,k)",
    "ICC(A,k)": "ICC(2,k)",
    "ICC(C,k)": "ICC(3,k)",
}
MCGRAW_WONG = {form: form for form in FORMS} | {"ICC(1,1)": "ICC(1)", "ICC(1,k)": "ICC(k)"}
ROUNDING = 32 * np.finfo(float).eps


@dataclass(frozen=True)
class MeanSquares:
    """Mean squares of a complete subject x rater table; every field a number or an array of tables.

    subjects, raters, residual, within: BMS, JMS, EMS and WMS. n: subjects. k: raters.
    """

    subjects: Any
    raters: Any
    residual: Any
    within: Any
    n: Any
    k: Any


def icc(ratings: Any) -> dict[str, Any]:
    """All six ICCs with 95% intervals, mean squares and variance components of a complete table.

    ratings: shape (n subjects, k raters), no missing value.
    Returns ``forms`` {key: {estimate, ci, shrout_fleiss, mcgraw_wong}}, ``mean_squares`` {BMS, JMS, EMS,
    WMS}, ``variance_components`` {subject, rater, residual}, ``subjects``, ``raters`` and ``notes``
    {key: reason}.
    What cannot be computed is None with its reason in ``notes``.
    """
    table = np.asarray(ratings, dtype=float)
    n, k = table.shape
    if n < 2 or k < 2:
        reason = f"an ICC needs two subjects and two raters; here are {n} and {k}"
        return _nothing(n, k, {"icc": reason})
    scale = power_of_two(table)
    squares = mean_squares(table / scale)
    if squares.subjects == 0 and squares.within == 0:
        nothing = _nothing(n, k, {"icc": "all ratings are equal: no variance to compare"})
        return nothing | _parts(squares, scale)
    estimates, limits = forms(squares), intervals(squares)
    result = {form: _named(form, estimate(estimates[form], *limits[form])) for form in FORMS}
    parts = _parts(squares, scale)
    return {"subjects": n, "raters": k, "forms": result, **parts, "notes": _notes(result, parts)}


def power_of_two(values: Any) -> float:
    """The power of 2 next to the largest size: dividing by it is exact, and squares stay in range."""
    largest = float(np.abs(values).max(initial=0.0))
    return math.ldexp(1.0, math.frexp(largest)[1] - 1) if largest else 1.0


def mean_squares(table: np.ndarray) -> MeanSquares:
    """Mean squares of one table (n, k) with at least two rows and columns; rounding noise is set to 0."""
    n, k = table.shape
    centred = table - table.mean()
    subject, rater = centred.mean(axis=1), centred.mean(axis=0)
    residual = centred - subject[:, None] - rater[None, :]
    floor = n * k * (ROUNDING * np.abs(table).max()) ** 2
    between, of_raters, left = (
        0.0 if value <= floor else value
        for value in (k * (subject**2).sum(), n * (rater**2).sum(), (residual**2).sum())
    )
    return from_sums(between, of_raters, left, n, k)


def from_sums(subjects: Any, raters: Any, residual: Any, n: Any, k: Any) -> MeanSquares:
    """Mean squares from sums of squares (numbers or arrays alike)."""
    return MeanSquares(
        subjects=subjects / (n - 1),
        raters=raters / (k - 1),
        residual=residual / ((n - 1) * (k - 1)),
        within=(raters + residual) / (n * (k - 1)),
        n=n,
        k=k,
    )


def forms(s: MeanSquares) -> dict[str, Any]:
    """The six estimates; NaN where the denominator is 0. Works on arrays of tables."""
    rater = (s.raters - s.residual) / s.n
    gap, one_way = s.subjects - s.residual, s.subjects - s.within
    size = s.subjects + s.raters + s.k * s.residual
    return {
        "ICC(1,1)": ratio(one_way, s.subjects + (s.k - 1) * s.within),
        "ICC(A,1)": ratio(gap, _or_zero(s.subjects + (s.k - 1) * s.residual + s.k * rater, size)),
        "ICC(C,1)": ratio(gap, s.subjects + (s.k - 1) * s.residual),
        "ICC(1,k)": ratio(one_way, s.subjects),
        "ICC(A,k)": ratio(gap, _or_zero(s.subjects + rater, size)),
        "ICC(C,k)": ratio(gap, s.subjects),
    }


def intervals(s: MeanSquares) -> dict[str, tuple[Any, Any]]:
    """95% limits of the six forms: F for (1,.) and (C,.), Satterthwaite df for (A,.). NaN: not defined."""
    one = _f_limits(s.subjects, s.within, s.n - 1, s.n * (s.k - 1), s.k)
    consistency = _f_limits(s.subjects, s.residual, s.n - 1, (s.n - 1) * (s.k - 1), s.k)
    agreement = _agreement_limits(s)
    return {
        "ICC(1,1)": one,
        "ICC(A,1)": agreement,
        "ICC(C,1)": consistency,
        "ICC(1,k)": tuple(spearman_brown(limit, s.k) for limit in one),
        "ICC(A,k)": tuple(spearman_brown(limit, s.k) for limit in agreement),
        "ICC(C,k)": tuple(spearman_brown(limit, s.k) for limit in consistency),
    }


def satterthwaite_df(s: MeanSquares) -> Any:
    """Degrees of freedom v of the (A,.) intervals, with the estimate put in (McGraw and Wong 1996)."""
    rho = forms(s)["ICC(A,1)"]
    a = s.k * rho
    b = s.n * (1 - rho) + s.k * rho * (s.n - 1)  # both x n (1 - rho), which cancels
    x, y = a * s.raters, b * s.residual
    size = np.abs(x) + np.abs(y)
    x, y = ratio(x, size), ratio(y, size)
    return ratio((x + y) ** 2, x**2 / (s.k - 1) + y**2 / ((s.n - 1) * (s.k - 1)))


def spearman_brown(single: Any, k: Any) -> Any:
    """The reliability of the mean of k raters from that of one; NaN where it has fallen to minus infinity."""
    below = 1 + (k - 1) * np.asarray(single, dtype=float)
    return np.where(below > 0, ratio(k * single, below), np.nan)


def ratio(above: Any, below: Any) -> Any:
    """above / below, NaN where below is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.equal(below, 0), np.nan, np.divide(above, below))


def _or_zero(value: Any, size: Any) -> Any:
    """The value, 0 where only rounding is left of terms of this size."""
    return np.where(np.abs(value) <= ROUNDING * size, 0.0, value)


def _f_limits(between: Any, error: Any, df_between: Any, df_error: Any, k: Any) -> tuple[Any, Any]:
    low = between - f_quantile(df_between, df_error) * error
    high_scale = f_quantile(df_error, df_between)
    low_of = low + k * f_quantile(df_between, df_error) * error
    high_of = high_scale * between + (k - 1) * error
    return ratio(low, low_of), ratio(high_scale * between - error, high_of)


def _agreement_limits(s: MeanSquares) -> tuple[Any, Any]:
    v = satterthwaite_df(s)
    v = np.where(
        np.isnan(v), s.k - 1, v
    )  # no residual and no subjects: the rater mean square is all there is
    low_f, high_f = f_quantile(s.n - 1, v), f_quantile(v, s.n - 1)
    spread = s.k * s.raters + (s.k * s.n - s.k - s.n) * s.residual
    low = ratio(s.n * (s.subjects - low_f * s.residual), low_f * spread + s.n * s.subjects)
    high = ratio(s.n * (high_f * s.subjects - s.residual), spread + s.n * high_f * s.subjects)
    return low, high


def f_quantile(df_above: Any, df_below: Any) -> Any:
    """The 97.5% quantile of F; NaN where it is not finite."""
    value = special.fdtri(df_above, df_below, 0.975)
    return np.where(np.isfinite(value), value, np.nan)


def _named(form: str, value: dict[str, Any]) -> dict[str, Any]:
    return value | {"shrout_fleiss": SHROUT_FLEISS[form], "mcgraw_wong": MCGRAW_WONG[form]}


def _parts(s: MeanSquares, scale: float) -> dict[str, Any]:
    """Mean squares and variance components in the units of the ratings, which were divided by ``scale``."""

    def back(value: Any) -> float | None:
        return number(float(value) * scale * scale)

    return {
        "mean_squares": {
            "BMS": back(s.subjects),
            "JMS": back(s.raters),
            "EMS": back(s.residual),
            "WMS": back(s.within),
        },
        "variance_components": {
            "subject": back((s.subjects - s.residual) / s.k),
            "rater": back((s.raters - s.residual) / s.n),
            "residual": back(s.residual),
        },
    }


def _nothing(n: int, k: int, notes: dict[str, str]) -> dict[str, Any]:
    return {
        "subjects": n,
        "raters": k,
        "forms": {form: _named(form, MISSING) for form in FORMS},
        "mean_squares": dict.fromkeys(("BMS", "JMS", "EMS", "WMS")),
        "variance_components": dict.fromkeys(("subject", "rater", "residual")),
        "notes": notes,
    }


def _notes(result: dict[str, Any], parts: dict[str, Any]) -> dict[str, str]:
    notes = {}
    if None in parts["mean_squares"].values():
        notes["mean_squares"] = "the ratings are too large for their squares to be written as numbers"
    for form, value in result.items():
        if value["estimate"] is None:
            notes[form] = "subjects do not differ: the form divides by 0"
        elif None in value["ci"]:
            notes[form] = "a limit runs to minus infinity: too few subjects for this form"
        elif value["estimate"] > 1:
            notes[form] = "the estimate lies above 1: raters differ less than their residual would let them"
    return notes
