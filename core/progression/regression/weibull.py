"""Weibull accelerated failure time model for interval-censored times, by statsmodels' likelihood class.

log T = x beta + sigma W, W the smallest extreme value: exp(beta) is the ratio of times, above 1 later. The
same parametrisation as R's ``survreg(Surv(left, right, type = "interval2"))``, with which the tests compare.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.progression.regression.first_progression import check_intervals
from core.progression.regression.result import attempt


def log_likelihood(params: np.ndarray, x: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Of each patient, shape (n,). params: beta, then log sigma. right infinite: not by ``left``."""
    beta, sigma = params[:-1], np.exp(params[-1])
    upper, lower = _hazard(right, x @ beta, sigma), _hazard(left, x @ beta, sigma)
    # S(left) - S(right) = exp(-H(left)) (1 - exp(-(H(right) - H(left))))
    return np.asarray(-lower + np.log(-np.expm1(-np.maximum(upper - lower, 1e-300))))


def _hazard(time: np.ndarray, middle: np.ndarray, sigma: float) -> np.ndarray:
    """Cumulative hazard: 0 at time 0, infinite at infinity."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(np.isinf(time), np.inf, np.exp((np.log(np.maximum(time, 0.0)) - middle) / sigma))


def fit_weibull(left: Any, right: Any, x: np.ndarray, names: list[str]) -> Any:
    """(estimates, errors, story): of beta and, last, log sigma.

    x: shape (n, p) with the column of ones. ``story.fit`` is None where nothing was found.
    """
    left, right = check_intervals(left, right)
    model = _model(x, left, right, names)
    start = _start(x, left, right)
    tries = [
        (method, lambda method=method: _search(model, start, method)) for method in ("bfgs", "nm", "newton")
    ]
    return attempt(tries)


def _search(model: Any, start: np.ndarray, method: str) -> tuple[Any, bool]:
    fit = model.fit(start_params=start, method=method, maxiter=5000, disp=0)
    fit = model.fit(start_params=fit.params, method="bfgs", maxiter=5000, disp=0, gtol=1e-9)
    errors = np.asarray(fit.bse, float)
    is_sound = np.isfinite(errors).all() and bool((errors > 0).all()) and bool((errors < 50).all())
    slope = np.asarray(model.score(fit.params), float)
    is_flat = bool(np.abs(slope).max() < 1e-3 * max(1.0, abs(fit.llf)) ** 0.5)
    return (fit if is_sound else None), bool(is_sound and is_flat)


def _start(x: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Least squares of the log of interval middles; those without an end twice their left end."""
    middle = np.where(
        np.isinf(right), 2 * np.maximum(left, 0.5), (left + np.where(np.isinf(right), 0, right)) / 2
    )
    beta = np.linalg.lstsq(x, np.log(middle), rcond=None)[0]
    return np.append(beta, 0.0)


def _model(x: np.ndarray, left: np.ndarray, right: np.ndarray, names: list[str]) -> Any:
    from statsmodels.base.model import GenericLikelihoodModel

    class WeibullAft(GenericLikelihoodModel):  # type: ignore[misc]
        def loglikeobs(self, params: np.ndarray) -> np.ndarray:
            return log_likelihood(np.asarray(params), x, left, right)

    ends = pd.DataFrame({"left": left})
    model = WeibullAft(ends["left"], pd.DataFrame(x, columns=names), extra_params_names=["log sigma"])
    return model
