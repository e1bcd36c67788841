"""Linear mixed model: every patient has a level and a slope of their own.

statsmodels' MixedLM stops a little short of the optimum; the fit goes on from there with a tighter tolerance,
and has converged when that gains nothing. Compared in the tests with the exact optimum for ``sleepstudy``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.progression.regression.result import ModelResult, attempt, left_out, no_variance, wald_terms

TITLE = "Linear mixed model, random intercept and slope"
GAIN = 1e-6  # of log-likelihood, that a second search may find


def random_slope(
    table: pd.DataFrame, formula: str, *, subject: str, time: str, reml: bool = True
) -> ModelResult:
    """Fit ``formula`` with a random intercept and slope on ``time`` per ``subject``.

    table: one row per film, no missing value in model columns. Where the slopes have no variance to estimate
    the model falls back to a random intercept, and says so.
    extra: ``loglik, criterion`` (-2 log-likelihood, REML where so), ``variances {intercept, slope,
    covariance, residual}``, ``fixed_cov`` (matrix in the order of terms), ``random_effects`` subject ->
    [intercept, slope] (predicted deviations from the mean course).
    """
    outcome = formula.partition("~")[0].strip()
    if table[subject].nunique() < 2 or no_variance(table[outcome]):
        why = "all values are equal" if no_variance(table[outcome]) else "two patients are needed"
        return _nothing(formula, table, subject, why)
    tries = [
        ("random intercept and slope", lambda: _search(table, formula, subject, f"~{time}", reml)),
        ("random intercept only", lambda: _search(table, formula, subject, "1", reml)),
    ]
    if table.groupby(subject)[time].nunique().max() < 2:
        return _nothing(formula, table, subject, f"no patient has films at two values of {time}")
    found = attempt(tries)
    if found.fit is None:
        return _nothing(formula, table, subject, "no search reached an optimum", found.tried)
    return _result(found.fit, found.converged, found.tried, table, formula, subject, reml)


def _search(table: pd.DataFrame, formula: str, subject: str, random: str, reml: bool) -> tuple[Any, bool]:
    """(fit, converged): MixedLM's own search, then BFGS from where it ended, each from scaled outcome."""
    import statsmodels.formula.api as smf

    model = smf.mixedlm(formula, table, groups=table[subject].to_numpy(), re_formula=random)
    first = model.fit(reml=reml)
    second = model.fit(reml=reml, start_params=first.params_object, method="bfgs", gtol=1e-10)
    best = second if second.llf >= first.llf - 1e-12 else first
    eigen = np.linalg.eigvalsh(np.asarray(best.cov_re))
    is_inside = eigen[0] > 1e-8 * max(eigen[-1], best.scale)
    third = model.fit(reml=reml, start_params=best.params_object, method="bfgs", gtol=1e-10)
    is_still = abs(third.llf - best.llf) < GAIN
    is_usable = bool(np.isfinite(best.llf) and np.isfinite(eigen).all() and best.scale > 0)
    return (best if is_usable else None), is_usable and is_inside and is_still


def _result(
    fit: Any,
    converged: bool,
    tried: tuple[str, ...],
    table: pd.DataFrame,
    formula: str,
    subject: str,
    reml: bool,
) -> ModelResult:
    patients = int(table[subject].nunique())
    names = list(fit.model.exog_names)
    random = np.asarray(fit.cov_re)
    has_slope = len(random) > 1
    notes = {}
    if not has_slope:
        notes["slope"] = "slopes do not differ enough between patients to be estimated: random intercept only"
    if not converged:
        notes["converged"] = "no optimum was reached: " + "; ".join(tried)
    single = int((table.groupby(subject).size() == 1).sum())
    if single:
        notes["one film"] = f"{single} patients have one film: they inform the level, not the slope"
    fixed_cov = _fixed_cov(fit)
    return ModelResult(
        name="mixed",
        title=TITLE if has_slope else "Linear mixed model, random intercept",
        formula=formula,
        scale="score units; a term with years is per year",
        terms=wald_terms(names, fit.fe_params, np.sqrt(np.diag(fixed_cov)), patients),
        n_subjects=patients,
        n_rows=len(table),
        converged=converged,
        tried=tried,
        method=f"{'REML' if reml else 'ML'} (statsmodels MixedLM, on to the optimum), normal intervals",
        notes=notes,
        extra={
            "loglik": float(fit.llf),
            "criterion": float(-2 * fit.llf),
            "variances": {
                "intercept": float(random[0, 0]),
                "slope": float(random[1, 1]) if has_slope else None,
                "covariance": float(random[0, 1]) if has_slope else None,
                "residual": float(fit.scale),
            },
            "fixed_cov": fixed_cov.tolist(),
            "random_effects": {
                str(name): [float(value) for value in values] for name, values in fit.random_effects.items()
            },
        },
    )


def _fixed_cov(fit: Any) -> np.ndarray:
    """(X'V^-1 X)^-1 at the estimated variances, as R and SAS; statsmodels' own comes from its Hessian."""
    information = 0.0
    for x, z in zip(fit.model.exog_li, fit.model.exog_re_li, strict=True):
        variance = z @ np.asarray(fit.cov_re) @ z.T + fit.scale * np.eye(len(x))
        information = information + x.T @ np.linalg.solve(variance, x)
    return np.asarray(np.linalg.inv(information))


def _nothing(
    formula: str, table: pd.DataFrame, subject: str, why: str, tried: tuple[str, ...] = ()
) -> ModelResult:
    return ModelResult(
        "mixed", TITLE, formula, "score units", (), int(table[subject].nunique()), len(table),
        None if not tried else False, tried, "not fitted", left_out=left_out(), notes={"model": why},
    )  # fmt: skip
