"""ICC from a mixed model, for ratings with gaps: every rating counts, also of incompletely read subjects.

Model: rating = rater (fixed) + subject (random) + residual, fitted by REML; the rater variance is that of the
fitted rater effects less what their own error puts into it. On complete tables this gives exactly the
mean-square ICCs, negative ones included. Only sums per pattern of gaps are needed, so size does not matter.
Compared in the tests with statsmodels' MixedLM. See docs/decisions/agreement.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.agreement.estimate import MISSING, estimate, number
from core.agreement.icc import MCGRAW_WONG, SHROUT_FLEISS, MeanSquares, intervals, spearman_brown

FORMS = ("ICC(A,1)", "ICC(C,1)", "ICC(A,k)", "ICC(C,k)")
PERFECT = 1e-7
METHOD = "REML, raters fixed; F intervals with effective numbers of subjects and raters"


def mixed_icc(ratings: Any) -> dict[str, Any]:
    """ICC(A,.) and ICC(C,.) of a table with gaps.

    ratings: shape (n subjects, k raters), NaN where missing; subjects without any rating are left out.
    Returns ``forms``, ``variance_components`` {subject, rater, residual}, ``subjects`` (with a rating),
    ``ratings``, ``method`` and ``notes``. None with a reason where two ratings of one subject are lacking.
    """
    table = np.asarray(ratings, dtype=float)
    table = table[:, ~np.isnan(table).all(axis=0)] if table.size else table
    table = table[~np.isnan(table).all(axis=1)] if table.size else table
    size = {"subjects": len(table), "ratings": int((~np.isnan(table)).sum()), "method": METHOD}
    reason = why_not(table)
    if reason:
        return {"forms": {form: _named(form, MISSING) for form in FORMS}, **_no_parts(), **size} | {
            "notes": {"icc_mixed": reason}
        }
    fit = _fit(_Sums.of(table))
    found = _forms(fit, table.shape[1])
    return {"forms": found, **_parts(fit), **size, "notes": _notes(found)}


@dataclass(frozen=True)
class _Sums:
    """Sums per pattern of gaps: who rated (p, k), subjects (p,), rating sums (p, k), squared totals (p,)."""

    raters: np.ndarray
    subjects: np.ndarray
    total: np.ndarray
    whole: np.ndarray
    square: float

    @classmethod
    def of(cls, table: np.ndarray) -> _Sums:
        there = ~np.isnan(table)
        x = np.where(there, table - np.nanmean(table), 0.0)
        patterns, place = np.unique(there, axis=0, return_inverse=True)
        place = place.ravel()
        total = np.stack([np.bincount(place, column, len(patterns)) for column in x.T], axis=1)
        whole = np.bincount(place, x.sum(axis=1) ** 2, len(patterns))
        return cls(patterns.astype(float), np.bincount(place), total, whole, float((x**2).sum()))


@dataclass(frozen=True)
class _Fit:
    """Variances and the effective numbers of subjects and raters."""

    subject: float
    rater: float
    residual: float
    subjects: float
    raters: float


def why_not(table: np.ndarray) -> str:
    """Why subjects, raters and error cannot be told apart in a table with gaps; "" where they can."""
    if table.ndim != 2 or min(table.shape, default=0) < 2:
        return "two subjects and two raters with ratings are needed"
    per_subject = (~np.isnan(table)).sum(axis=1)
    if (per_subject > 1).sum() == 0:
        return "no subject has two ratings"
    if np.nanmax(table) == np.nanmin(table):
        return "all ratings are equal: no variance to compare"
    if per_subject.sum() <= len(table) + table.shape[1] - 1:
        return "too few repeated ratings to tell raters, subjects and error apart"
    return ""


def _fit(sums: _Sums) -> _Fit:
    from scipy.optimize import minimize_scalar

    per_subject = sums.raters.sum(axis=1)
    lowest = -1 / (per_subject.max() - 1)
    grid = lowest + (1 - lowest) * np.linspace(0.001, 0.9999, 60)
    values = [_criterion(rho, sums)[0] for rho in grid]
    best = int(np.argmin(values))
    low, high = (lowest if best == 0 else grid[best - 1]), (1.0 if best == 59 else grid[best + 1])
    rho = minimize_scalar(
        lambda value: _criterion(value, sums)[0],
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-12},
    ).x
    _, residual, beta, covariance = _criterion(float(rho), sums)
    k = len(beta)
    centre = np.eye(k) - 1 / k
    own_error = float(np.trace(centre @ covariance))
    rater = (float(((beta - beta.mean()) ** 2).sum()) - own_error) / (k - 1)
    subjects = (k - 1) * residual / own_error if own_error > 0 else float(sums.subjects.sum())
    raters = sums.subjects.sum() / (sums.subjects / per_subject).sum()
    subject = float(rho / (1 - rho)) * residual
    if 1 - rho < PERFECT:  # nothing is left over: raters differ by a constant at most
        residual, rater = 0.0, rater if rater > PERFECT * subject else 0.0
    return _Fit(subject, rater, residual, subjects, raters)


def _criterion(rho: float, sums: _Sums) -> tuple[float, float, np.ndarray, np.ndarray]:
    """(-2 x profiled REML log-likelihood, residual variance, rater effects, their covariance)."""
    ratio = rho / (1 - rho)  # subject over residual variance
    per_subject = sums.raters.sum(axis=1)
    shrink = ratio / (1 + ratio * per_subject)
    weights = (sums.subjects * shrink)[:, None] * sums.raters
    information = np.diag(sums.subjects @ sums.raters) - sums.raters.T @ weights
    right = (sums.total - (shrink * sums.total.sum(axis=1))[:, None] * sums.raters).sum(axis=0)
    beta = np.linalg.solve(information, right)
    free = float(sums.subjects @ per_subject) - len(beta)
    residual = max(sums.square - float(shrink @ sums.whole) - float(beta @ right), 1e-13 * sums.square) / free
    logs = float(sums.subjects @ np.log1p(ratio * per_subject)) + np.linalg.slogdet(information)[1]
    return free * np.log(residual) + logs, residual, beta, residual * np.linalg.inv(information)


def _forms(fit: _Fit, k: int) -> dict[str, Any]:
    squares = MeanSquares(
        subjects=fit.raters * fit.subject + fit.residual,
        raters=fit.subjects * fit.rater + fit.residual,
        residual=fit.residual,
        within=fit.rater + fit.residual,
        n=fit.subjects,
        k=fit.raters,
    )
    single = {
        "ICC(A,1)": fit.subject / (fit.subject + fit.rater + fit.residual),
        "ICC(C,1)": fit.subject / (fit.subject + fit.residual),
    }
    limits = intervals(squares)
    found = {form: estimate(value, *limits[form]) for form, value in single.items()}
    for form, value in single.items():
        parts = [spearman_brown(part, k) for part in (value, *limits[form])]
        found[form.replace("1", "k")] = estimate(*parts)
    return {form: _named(form, value) for form, value in found.items()}


def _notes(found: dict[str, Any]) -> dict[str, str]:
    notes = {}
    for form, value in found.items():
        if None in (value["estimate"], *value["ci"]):
            notes[form] = "a limit runs to minus infinity: too few subjects for this form"
        elif value["estimate"] > 1:
            notes[form] = "the estimate lies above 1: raters differ less than their residual would let them"
    return notes


def _named(form: str, value: dict[str, Any]) -> dict[str, Any]:
    return value | {"shrout_fleiss": SHROUT_FLEISS[form], "mcgraw_wong": MCGRAW_WONG[form]}


def _parts(fit: _Fit) -> dict[str, Any]:
    parts = {"subject": fit.subject, "rater": fit.rater, "residual": fit.residual}
    return {"variance_components": {name: number(value) for name, value in parts.items()}}


def _no_parts() -> dict[str, Any]:
    return {"variance_components": dict.fromkeys(("subject", "rater", "residual"))}
