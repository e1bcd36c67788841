"""Who progresses: logistic regression of a progressor definition on baseline damage and arm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.estimate import number
from core.progression.regression.firth import firth
from core.progression.regression.result import ModelResult, attempt, wald_terms

TITLE = "Logistic regression of progressors"
LARGEST = 15.0  # a log odds beyond it, per SD of its term, means that the term separates the outcomes


def logistic(table: pd.DataFrame, formula: str) -> ModelResult:
    """Maximum likelihood of a 0/1 outcome.

    table: one row per patient, no missing value in model columns. Where a term separates all progressors
    from all others, its odds ratio is infinite: no estimate is given, and the note names the term.
    extra: ``progressors`` (count), ``loglik``, and with such a term ``firth``: coefficients by Firth's
    penalised likelihood, which stay finite, with profile intervals.
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
        note = f"{', '.join(apart)} separates all progressors from all others: the odds ratio has no limit; "
        note += "by Firth's penalised likelihood it is finite, with profile intervals (firth)"
        kept = _result(formula, None, n, count, found.tried, {"separation": note}, converged=False)
        return replace(kept, extra=kept.extra | {"firth": _firth(fit)})
    notes = {} if found.converged else {"converged": "no optimum was reached: " + "; ".join(found.tried)}
    few = min(count, n - count) / max(len(fit.params) - 1, 1) if fit is not None else 10
    if few < 10:
        notes["few"] = f"{min(count, n - count)} patients in the smaller group: estimates lean away from 1"
    return _result(formula, fit, n, count, found.tried, notes, converged=found.converged)


def _fit(table: pd.DataFrame, formula: str, method: str) -> tuple[Any, bool]:
    import statsmodels.formula.api as smf

    fit = smf.logit(formula, table).fit(method=method, disp=0, maxiter=200)
    return fit, bool(fit.mle_retvals["converged"])


def _firth(fit: Any) -> list[dict[str, Any]]:
    """Rows as ``coefficients`` of a result in JSON."""
    found = firth(np.asarray(fit.model.exog), np.asarray(fit.model.endog))
    errors = np.sqrt(np.diag(found.covariance))
    return [
        {
            "term": name, "estimate": float(found.beta[place]), "se": float(errors[place]),
            "ci": [number(found.low[place]), number(found.high[place])], "p": number(found.p[place]),
            "n": len(fit.model.endog), "odds_ratio": float(np.exp(found.beta[place])),
        }
        for place, name in enumerate(fit.model.exog_names)
    ]  # fmt: skip


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
