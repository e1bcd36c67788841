"""Excess zeros: change as a count of steps, in a negative-binomial or a hurdle model."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.progression.regression.result import Attempts, ModelResult, Term, attempt, wald_terms

COUNT = "count"


@dataclass(frozen=True)
class Steps:
    """Change in steps of 1 / readers. negative: changes below 0, set to 0; rounded: not a whole step."""

    count: np.ndarray
    step: float
    negative: int
    rounded: int

    def explanation(self) -> str:
        """How the counts were formed, in a sentence."""
        text = f"one count is a step of {self.step:g} (one unit of one reader); "
        text += f"{self.negative} negative changes count as 0"
        return text + (f"; {self.rounded} changes between steps were rounded" if self.rounded else "")


def steps(change: Any, readers: int) -> Steps:
    """Counts of the mean of so many readers: change x readers, negative ones 0, others to the nearest."""
    exact = np.asarray(change, float) * readers
    whole = np.round(exact)
    return Steps(
        np.maximum(whole, 0).astype(int),
        1 / readers,
        int((exact < -1e-9).sum()),
        int((np.abs(exact - whole) > 1e-6).sum()),
    )


def negative_binomial(table: pd.DataFrame, terms: str, counted: Steps) -> ModelResult:
    """Log of the mean count, variance mean + alpha mean^2 (NB2); ``count ~ terms``.

    extra: ``alpha`` (None where the counts do not vary more than Poisson ones), ``zeros``, ``loglik``.
    """
    title = "Negative-binomial model of change in steps"
    notes = {"counts": counted.explanation()}
    if not counted.count.any():
        return _nothing("negbin", title, terms, table, counted, notes)
    rows = table.assign(count=counted.count)
    formula = f"{COUNT} ~ {terms}"
    found = attempt(
        [
            (f"negative binomial, {method}", lambda method=method: _negbin(rows, formula, method))
            for method in ("bfgs", "newton", "nm")
        ]
        + [("Poisson with robust errors", lambda: _poisson(rows, formula))]
    )
    fit = found.fit
    if fit is None:
        return _nothing("negbin", title, terms, table, counted, notes | _failed(found))
    size = fit.model.exog.shape[1]
    alpha = float(np.asarray(fit.params)[-1]) if len(fit.params) > size else None
    if alpha is None:
        notes["alpha"] = "no more spread than Poisson counts: Poisson model with robust errors"
    names = fit.model.exog_names[:size]
    values, errors = np.asarray(fit.params)[:size], np.asarray(fit.bse)[:size]
    terms_found = wald_terms(names, values, errors, len(rows))
    extra = {"alpha": alpha, "loglik": float(fit.llf)}
    return _counted("negbin", title, formula, terms_found, table, counted, found, notes, extra)


def hurdle(table: pd.DataFrame, terms: str, counted: Steps) -> ModelResult:
    """Two questions: any change at all (logistic), and how much among those with any (truncated counts).

    Terms are named ``any: ...`` (log odds) and ``amount: ...`` (log of the mean of the untruncated count); n
    of the second part is patients with a count above 0.
    extra: ``zeros``, ``loglik``, ``alpha`` (None where Poisson).
    """
    title = "Hurdle model: any change, and how much"
    notes = {"counts": counted.explanation()}
    rows = table.assign(count=counted.count, any=(counted.count > 0).astype(int))
    if not counted.count.any() or (counted.count > 0).all():
        return _nothing("hurdle", title, terms, table, counted, notes)
    first = attempt([("any change, logistic", lambda: _logit(rows, f"any ~ {terms}"))])
    some = rows[rows[COUNT] > 0]
    formula = f"{COUNT} ~ {terms}"
    second = attempt(
        [
            ("amount, truncated negative binomial", lambda: _truncated(some, formula, "negbin")),
            ("amount, truncated Poisson with robust errors", lambda: _truncated(some, formula, "poisson")),
        ]
    )
    story = Attempts(None, first.converged and second.converged, first.tried + second.tried)
    parts: tuple[Term, ...] = ()
    alpha = None
    if first.fit is not None:
        parts += _named("any", first.fit, len(rows))
    if second.fit is not None:
        parts += _named("amount", second.fit, len(some))
        size = second.fit.model.exog.shape[1]
        alpha = float(np.asarray(second.fit.params)[-1]) if len(second.fit.params) > size else None
        if alpha is None:
            notes["alpha"] = "amounts vary no more than Poisson counts, or are too few to tell: Poisson"
    if not story.converged:
        notes |= _failed(story)
    fits = [part.fit for part in (first, second)]
    loglik = float(sum(fit.llf for fit in fits)) if all(fit is not None for fit in fits) else None
    extra = {"alpha": alpha, "loglik": loglik}
    return _counted("hurdle", title, f"any, {formula}", parts, table, counted, story, notes, extra)


def _named(part: str, fit: Any, n: int) -> tuple[Term, ...]:
    size = fit.model.exog.shape[1]
    names = [f"{part}: {name}" for name in fit.model.exog_names[:size]]
    return wald_terms(names, np.asarray(fit.params)[:size], np.asarray(fit.bse)[:size], n)


def _negbin(rows: pd.DataFrame, formula: str, method: str) -> tuple[Any, bool]:
    import statsmodels.formula.api as smf

    start = smf.poisson(formula, rows).fit(disp=0, maxiter=200)
    guess = np.append(np.asarray(start.params), 1.0)
    fit = smf.negativebinomial(formula, rows).fit(start_params=guess, method=method, disp=0, maxiter=2000)
    return _sound(fit), _sound(fit) is not None and bool(fit.mle_retvals["converged"])


def _poisson(rows: pd.DataFrame, formula: str) -> tuple[Any, bool]:
    import statsmodels.formula.api as smf

    fit = smf.poisson(formula, rows).fit(disp=0, maxiter=200, cov_type="HC0")
    return fit, bool(fit.mle_retvals["converged"])


def _logit(rows: pd.DataFrame, formula: str) -> tuple[Any, bool]:
    import statsmodels.formula.api as smf

    fit = smf.logit(formula, rows).fit(disp=0, maxiter=200)
    is_sound = _sound(fit) is not None and float(np.abs(fit.params).max()) < 15
    return (fit if is_sound else None), is_sound and bool(fit.mle_retvals["converged"])


def _truncated(rows: pd.DataFrame, formula: str, kind: str) -> tuple[Any, bool]:
    """Counts above 0; BFGS, then Newton from there, judged by the slope at the end.

    The negative binomial counts as converged with an alpha away from 0 and from infinity.
    """
    import statsmodels.discrete.truncated_model as truncated

    is_negbin = kind == "negbin"
    model = (
        truncated.TruncatedLFNegativeBinomialP if is_negbin else truncated.TruncatedLFPoisson
    ).from_formula(formula, rows)
    errors = {} if is_negbin else {"cov_type": "HC0"}
    fit = model.fit(disp=0, maxiter=2000, method="bfgs", **errors)
    with suppress(np.linalg.LinAlgError, ValueError):
        polished = model.fit(disp=0, maxiter=200, method="newton", start_params=fit.params, **errors)
        fit = polished if polished.llf >= fit.llf else fit
    slope = float(np.abs(model.score(np.asarray(fit.params))).max())
    is_sound = _sound(fit) is not None
    if is_negbin:
        is_sound = is_sound and 1e-4 < float(np.asarray(fit.params)[-1]) < 100
    return (fit if is_sound else None), is_sound and slope < 1e-3


def _sound(fit: Any) -> Any:
    """The fit if its errors are finite and above 0, else None."""
    errors = np.asarray(fit.bse, float)
    return fit if np.isfinite(errors).all() and (errors > 0).all() else None


def _failed(found: Attempts) -> dict[str, str]:
    return {"converged": "no optimum was reached: " + "; ".join(found.tried)}


def _nothing(
    name: str, title: str, terms: str, table: pd.DataFrame, counted: Steps, notes: dict[str, str]
) -> ModelResult:
    some = int((counted.count > 0).sum())
    if "converged" not in notes:
        notes = notes | {"model": f"{some} of {len(table)} patients have a count above 0: nothing to fit"}
    story = Attempts(None, False, ())
    return _counted(name, title, f"{COUNT} ~ {terms}", (), table, counted, story, notes, {})


def _counted(
    name: str,
    title: str,
    formula: str,
    terms: tuple[Term, ...],
    table: pd.DataFrame,
    counted: Steps,
    found: Attempts,
    notes: dict[str, str],
    extra: dict[str, Any],
) -> ModelResult:
    zeros = int((counted.count == 0).sum())
    return ModelResult(
        name,
        title,
        formula,
        "log of the ratio of mean counts" if name == "negbin" else "log odds (any), log ratio (amount)",
        terms,
        len(table),
        len(table),
        found.converged if found.tried else None,
        found.tried,
        "maximum likelihood of statsmodels, normal intervals" if terms else "not fitted",
        ratio="rate ratio" if name == "negbin" else "odds or rate ratio",
        notes=notes,
        extra={"zeros": zeros, "step": counted.step, **extra},
    )
