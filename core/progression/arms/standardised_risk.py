"""Adjusted risk difference: shares that a logistic model expects if all patients were in one arm or another.

Standardisation of a logistic model (g-computation; Ge et al. 2011, Drug Inf J 45:481): the mean over all
patients of the expected shares, so that the difference is one of proportions. Its variance is that of the
model by the delta method plus that of the patients' covariates, times n / (n - p) for the p coefficients, and
the interval takes t with n - p df: with 24 to 80 patients it held 94 to 99% in simulation, plain normal
limits 90 to 96%. Where a term separates progressors from others (or nearly so) the model is fitted by Firth's
penalised likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from core.progression.regression.firth import firth
from core.progression.regression.independent import independent_columns

STEPS = 100
FARTHEST = 30.0  # log odds


@dataclass(frozen=True)
class RiskDifference:
    """One arm minus the reference, in shares, with t interval (within -1 and 1) and p."""

    estimate: float
    se: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class StandardisedRisk:
    """differences: each arm minus the reference. is_penalised: whether Firth's likelihood was needed.

    covariance: of the differences, (arms - 1, arms - 1). df: of t.
    """

    differences: list[RiskDifference]
    is_penalised: bool
    covariance: np.ndarray
    df: int


def standardised_risk(flag: np.ndarray, arm: np.ndarray, covariates: np.ndarray) -> StandardisedRisk | None:
    """None where all or none progressed, or arms follow from covariates.

    flag: 0/1, shape (n,). arm: codes, 0 the reference, each with a subject. covariates: (n, q).
    """
    y = flag.astype(float)
    arms = int(arm.max()) if len(arm) else 0
    plain = np.column_stack([np.ones(len(y)), covariates])
    plain = plain[:, independent_columns(plain)]
    design = np.column_stack([plain, arm[:, None] == np.arange(1, arms + 1)]).astype(float)
    if not arms or y.min() == y.max() or not independent_columns(design).all():
        return None
    df = len(y) - design.shape[1]
    if df < 1:
        return None
    found = None if is_separated(design, y) else _likelihood(design, y)
    is_penalised = found is None
    if found is None:
        fit = firth(design, y, has_profile=False)
        found = fit.beta, fit.covariance
    beta, covariance = found
    gaps, variance = _standardised(design, beta, covariance, arms)
    variance *= len(y) / df
    differences = [_difference(gap, variance[place, place], df) for place, gap in enumerate(gaps)]
    return StandardisedRisk(differences, is_penalised, variance, df)


def _standardised(
    design: np.ndarray, beta: np.ndarray, covariance: np.ndarray, arms: int
) -> tuple[np.ndarray, np.ndarray]:
    """Differences from the reference, (arms,), and their covariance; the last columns are the arms'."""
    n = len(design)
    shares, slopes = [], []
    for code in range(arms + 1):
        moved = design.copy()
        moved[:, -arms:] = np.arange(1, arms + 1) == code
        share = special.expit(moved @ beta)
        shares.append(share)
        slopes.append((share * (1 - share)) @ moved / n)
    gaps, gradient = np.array(shares[1:]) - shares[0], np.array(slopes[1:]) - slopes[0]
    spread = np.atleast_2d(np.cov(gaps)) / n
    return gaps.mean(axis=1), gradient @ covariance @ gradient.T + spread


def _difference(gap: float, variance: float, df: int) -> RiskDifference:
    gap, se = float(gap), float(np.sqrt(variance))
    half = float(special.stdtrit(df, 0.975)) * se
    p = float(2 * special.stdtr(df, -abs(gap) / se))
    return RiskDifference(gap, se, max(-1.0, gap - half), min(1.0, gap + half), p)


def is_separated(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether some combination of the columns divides the outcomes, so that no finite estimate is likeliest.

    Linear programming, as Konis 2007 (thesis, Oxford): a direction in which no outcome becomes less likely.
    """
    signed = x * np.where(y > 0, 1.0, -1.0)[:, None]
    scale = np.abs(signed).max(axis=0)
    signed = signed / np.where(scale > 0, scale, 1.0)
    found = optimize.linprog(-signed.sum(axis=0), -signed, np.zeros(len(y)), bounds=(-1, 1), method="highs")
    return bool(found.status == 0 and float(found.fun or 0.0) < -1e-6)


def _likelihood(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Coefficients of the logistic model at the optimum, and the inverse of the information there.

    None where the optimum lies so far away that a share is as good as 0 or 1.
    """
    beta = np.zeros(x.shape[1])
    value = _loglik(x, y, beta)
    for _ in range(STEPS):
        at = x @ beta
        if np.abs(at).max() > FARTHEST:
            return None
        share = special.expit(at)
        information = (x * (share * (1 - share))[:, None]).T @ x
        slope = x.T @ (y - share)
        step = np.linalg.solve(information, slope)
        if slope @ step < 1e-16:
            return beta, np.linalg.inv(information)
        while _loglik(x, y, beta + step) < value and np.abs(step).max() > 1e-12:
            step /= 2
        beta = beta + step
        value = _loglik(x, y, beta)
    return None


def _loglik(x: np.ndarray, y: np.ndarray, beta: np.ndarray) -> float:
    at = x @ beta
    return float(y @ special.log_expit(at) + (1 - y) @ special.log_expit(-at))
