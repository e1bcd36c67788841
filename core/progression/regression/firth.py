"""Firth's penalised logistic regression: finite estimates where a term separates the outcomes.

The log-likelihood plus half the log-determinant of the information (Firth 1993, Biometrika 80:27); intervals
and p-values from the profile of that (Heinze and Schemper 2002, Stat Med 21:2409), as R's logistf.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

STEPS = 200
LARGEST_STEP = 5.0
FARTHEST = 60.0  # standard errors within which a profile limit is sought
QUANTILE = 3.841458820694124  # 95% of chi-square with 1 df


@dataclass(frozen=True)
class Firth:
    """beta: (p,). covariance: inverse of the information there. loglik: penalised. low, high, p: profile,
    (p,), NaN where a limit was not reached. converged: whether the penalised score is 0.
    """

    beta: np.ndarray
    covariance: np.ndarray
    loglik: float
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    converged: bool


def firth(x: np.ndarray, y: np.ndarray, *, has_profile: bool = True) -> Firth:
    """The penalised fit of 0/1 outcomes y, shape (n,), on the columns of x, (n, p), of full rank.

    Raises LinAlgError where the columns depend on each other. has_profile: also intervals and p-values, which
    take a few dozen fits.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    size = x.shape[1]
    free = np.ones(size, bool)
    beta, loglik, converged = _climb(x, y, np.zeros(size), free)
    covariance = np.linalg.inv(_information(x, beta))
    empty = np.full(size, np.nan)
    if not has_profile:
        return Firth(beta, covariance, loglik, empty, empty, empty, converged)
    low, high, p = (empty.copy() for _ in range(3))
    for place in range(size):
        error = float(np.sqrt(covariance[place, place]))

        def drop(value: float, place: int = place) -> float:
            """Twice the fall of the penalised log-likelihood with this coefficient held."""
            held = np.arange(size) != place
            start = beta.copy()
            start[place] = value
            return 2 * (loglik - _climb(x, y, start, held)[1])

        low[place] = _limit(drop, beta[place], -error)
        high[place] = _limit(drop, beta[place], error)
        p[place] = float(special.chdtrc(1, max(drop(0.0), 0.0)))
    return Firth(beta, covariance, loglik, low, high, p, converged)


def _limit(drop: object, middle: float, step: float) -> float:
    """Where the profile has fallen by the quantile, NaN where it does not within reach."""
    assert callable(drop)
    reach = 2.0
    while drop(middle + reach * step) < QUANTILE:
        reach *= 1.7
        if reach > FARTHEST:
            return float("nan")
    return float(
        optimize.brentq(lambda value: drop(value) - QUANTILE, middle, middle + reach * step, xtol=1e-8)
    )


def _shares(x: np.ndarray, beta: np.ndarray) -> np.ndarray:
    return np.asarray(special.expit(x @ beta))


def _information(x: np.ndarray, beta: np.ndarray) -> np.ndarray:
    share = _shares(x, beta)
    return np.asarray((x * (share * (1 - share))[:, None]).T @ x)


def _penalised(x: np.ndarray, y: np.ndarray, beta: np.ndarray) -> float:
    at = x @ beta
    sign, size = np.linalg.slogdet(_information(x, beta))
    plain = float(y @ special.log_expit(at) + (1 - y) @ special.log_expit(-at))
    return plain + size / 2 if sign > 0 else -np.inf


def _climb(
    x: np.ndarray, y: np.ndarray, beta: np.ndarray, free: np.ndarray
) -> tuple[np.ndarray, float, bool]:
    """(coefficients, penalised log-likelihood, whether its slope is 0), moving only those that are free."""
    value = _penalised(x, y, beta)
    if not free.any():
        return beta, value, True
    for _ in range(STEPS):
        share = _shares(x, beta)
        weight = share * (1 - share)
        information = (x * weight[:, None]).T @ x
        hat = weight * np.einsum("ij,ji->i", x, np.linalg.solve(information, x.T))
        slope = (x.T @ (y - share + hat * (0.5 - share)))[free]
        step = np.linalg.solve(information[np.ix_(free, free)], slope)
        if float(slope @ step) < 1e-14:
            return beta, value, True
        step *= min(1.0, LARGEST_STEP / np.abs(step).max())
        better = _shorter(x, y, beta, free, step, value)
        if better is None:
            return beta, value, float(slope @ step) < 1e-8
        beta, value = better
    return beta, value, False


def _shorter(
    x: np.ndarray, y: np.ndarray, beta: np.ndarray, free: np.ndarray, step: np.ndarray, value: float
) -> tuple[np.ndarray, float] | None:
    """The first of the steps 1, 1/2, 1/4 ... that raises the penalised log-likelihood."""
    for halving in range(30):
        tried = beta.copy()
        tried[free] += step / 2**halving
        found = _penalised(x, y, tried)
        if found > value:
            return tried, found
    return None
