"""Who progresses: logistic regression of a progressor definition on baseline damage and arm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.progression.regression.result import ModelResult, attempt, wald_terms

TITLE = "Logistic regression of progressors"
LARGEST = 15.0  # a log odds beyond it, per SD of its term, means that the term separates the outcomes


def logistic(table: pd.DataFrame, formula: str) -> ModelResult:
    """Maximum likelihood of a 0/1 outcome.

    table: one row per patient, no missing value in model columns. Where a term separates all progressors
    from all others, its odds ratio is infinite: no estimate is given, and the note names the term.
    extra: ``progressors`` (count), ``loglik``.
    """
    outcome = formula.partition("~")[0].strip()
    count, n = int(table[outcome].sum()), len(table)
    if count in (0, n):
        why = f"{count} of {n} patients progressed: nothing to compare"
        return _result(formula, None, n, count, (), {"model": why})
    tries = [(name, lambda name=name: _fit(table, formula, name)) for name in ("newton", "bfgs")]
    found = attempt(tries)
    fit = found.fit
    apart = _separating(fit) if fit is not None else []
    if apart:
        note = f"{', '.join(apart)} separates all progressors from all others: the odds ratio has no limit"
        return _result(formula, None, n, count, found.tried, {"separation": note}, converged=False)
    notes = {} if found.converged else {"converged": "no optimum was reached: " + "; ".join(found.tried)}
    few = min(count, n - count) / max(len(fit.params) - 1, 1) if fit is not None else 10
    if few < 10:
        notes["few"] = f"{min(count, n - count)} patients in the smaller group: estimates lean away from 1"
    return _result(formula, fit, n, count, found.tried, notes, converged=found.converged)


def _fit(table: pd.DataFrame, formula: str, method: str) -> tuple[Any, bool]:
    import statsmodels.formula.api as smf

    fit = smf.logit(formula, table).fit(method=method, disp=0, maxiter=200)
    return fit, bool(fit.mle_retvals["converged"])


def _separating(fit: Any) -> list[str]:
    spread = np.asarray(fit.model.exog).std(axis=0)
    size = np.abs(np.asarray(fit.params)) * np.where(spread > 0, spread, 0.0)
    return [name for name, value in zip(fit.model.exog_names, size, strict=True) if value > LARGEST / 2]


def _result(
    formula: str,
    fit: Any,
    n: int,
    count: int,
    tried: tuple[str, ...],
    notes: dict[str, str],
    *,
    converged: bool | None = None,
) -> ModelResult:
    return ModelResult(
        "logistic",
        TITLE,
        formula,
        "log odds",
        wald_terms(fit.model.exog_names, fit.params, fit.bse, n) if fit is not None else (),
        n,
        n,
        converged,
        tried,
        "maximum likelihood of statsmodels Logit, normal intervals" if fit is not None else "not fitted",
        ratio="odds ratio",
        notes=notes,
        extra={"progressors": count, "loglik": float(fit.llf) if fit is not None else None},
    )
