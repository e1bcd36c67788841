"""Generalised estimating equations: mean course with a working correlation and robust standard errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.progression.regression.result import ModelResult, attempt, no_variance, wald_terms

CORRELATIONS = ("exchangeable", "ar1")
FEW_PATIENTS = 40
NEGLIGIBLE = 1e-12  # of the largest variance


def gee(
    table: pd.DataFrame,
    formula: str,
    *,
    subject: str,
    time: str,
    correlation: str = "exchangeable",
    few: int = FEW_PATIENTS,
) -> ModelResult:
    """Fit ``formula`` (normal outcome, identity link), rows of one subject correlated.

    correlation: ``exchangeable``, or ``ar1``: between neighbouring films of a patient, its powers between
    farther ones, whatever the time between them (as geepack counts them). Standard
    errors are the sandwich's; below ``few`` patients in its bias-reduced form (Mancl and DeRouen 2001), and
    the notes say so.
    Every reader's row can go in (a column ``reader`` in the formula): the integrated analysis of DESIR.
    extra: ``correlation`` name and value (``ar1``: between neighbouring films).
    Raises ValueError for an unknown correlation.
    """
    if correlation not in CORRELATIONS:
        raise ValueError(f"{correlation} is none of {', '.join(CORRELATIONS)}")
    title = f"GEE, {correlation} correlation"
    table = table.sort_values([subject, time], kind="stable")
    outcome = formula.partition("~")[0].strip()
    patients = int(table[subject].nunique())
    if patients < 2 or no_variance(table[outcome]):
        why = "two patients are needed" if patients < 2 else "all values are equal"
        return _result(None, title, formula, patients, table, (), {"model": why}, correlation, "")
    robust = "robust" if patients >= few else "bias_reduced"
    tries = [(f"{correlation} correlation", lambda: _fit(table, formula, subject, time, correlation, robust))]
    found = attempt([*tries, ("independence", lambda: _fit(table, formula, subject, time, "", robust))])
    notes = {}
    if robust == "bias_reduced":
        notes["few"] = f"{patients} patients: robust standard errors in their bias-reduced form"
    if len(found.tried) > 1:
        notes["correlation"] = f"{found.tried[0]}; working independence instead, robust errors still hold"
    if not found.converged:
        notes["converged"] = "no solution was reached: " + "; ".join(found.tried)
    return _result(found, title, formula, patients, table, found.tried, notes, correlation, robust)


def _fit(
    table: pd.DataFrame, formula: str, subject: str, time: str, correlation: str, robust: str
) -> tuple[Any, bool]:
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    structures = sm.cov_struct
    kinds = {"exchangeable": structures.Exchangeable, "ar1": _ar1, "": structures.Independence}
    model = smf.gee(
        formula,
        table[subject].to_numpy(),
        table,
        time=table[time].to_numpy(float),
        cov_struct=kinds[correlation](),
        family=sm.families.Gaussian(),
    )
    fit = model.fit(cov_type=robust, maxiter=200, ctol=1e-10)
    is_finite = bool(np.isfinite(standard_errors(fit)).all())
    return (fit if is_finite else None), is_finite and bool(fit.converged)


def standard_errors(fit: Any) -> np.ndarray:
    """(p,) robust standard errors; a variance of 0 that rounding left just below 0 counts as 0."""
    variances = np.diag(np.asarray(fit.cov_params(), dtype=float))
    negligible = np.abs(variances) <= NEGLIGIBLE * np.abs(variances).max(initial=0)
    return np.asarray(np.sqrt(np.where(negligible, np.maximum(variances, 0), variances)))


def _ar1() -> Any:
    import statsmodels.api as sm

    return sm.cov_struct.Autoregressive(grid=True)


def _result(
    found: Any,
    title: str,
    formula: str,
    patients: int,
    table: pd.DataFrame,
    tried: tuple[str, ...],
    notes: dict[str, str],
    correlation: str,
    robust: str,
) -> ModelResult:
    fit = found.fit if found else None
    terms = (
        wald_terms(fit.model.exog_names, fit.params, standard_errors(fit), patients)
        if fit is not None
        else ()
    )
    value = getattr(fit.cov_struct, "dep_params", None) if fit is not None else None
    return ModelResult(
        "gee",
        title,
        formula,
        "score units; a term with years is per year",
        terms,
        patients,
        len(table),
        found.converged if found else None,
        tried,
        f"GEE of statsmodels, {robust.replace('_', '-')} standard errors, normal intervals; films are "
        "taken as missing by chance alone"
        if fit is not None
        else "not fitted",
        notes=notes,
        extra={
            "correlation": {"name": correlation, "value": None if value is None else float(np.mean(value))}
        },
    )
