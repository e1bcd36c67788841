"""Degrees of freedom and standard errors of linear combinations of the fixed effects.

Both methods use the inverse of the observed information of the covariance parameters, as SAS and R mmrm do
(pbkrtest uses the expected one). Kenward-Roger leaves out second derivatives of the covariance (SAS
``firstorder``, mmrm ``Kenward-Roger-Linear``), so that the parametrisation does not matter; for one
coefficient its df are Satterthwaite's and its standard error is the adjusted one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from core.progression.mmrm.fit import Fit
from core.progression.mmrm.panel import Panel
from core.progression.mmrm.structures import Structure

METHODS = ("satterthwaite", "kenward-roger")


@dataclass(frozen=True)
class Inference:
    """What a test of any combination needs.

    beta: (p,). beta_cov: what standard errors come from. model_cov: A^-1. model_slopes: its derivatives by
    the covariance parameters, (q, p, p). theta_cov: their covariance, None where the fit has none: then df
    are NaN.
    """

    beta: np.ndarray
    beta_cov: np.ndarray
    model_cov: np.ndarray
    model_slopes: np.ndarray
    theta_cov: np.ndarray | None


@dataclass(frozen=True)
class Effect:
    """Estimate, standard error, df, t, two-sided p and 95% interval of one combination."""

    estimate: float
    se: float
    df: float
    t: float
    p: float
    low: float
    high: float


def inference(panel: Panel, structure: Structure, fit: Fit, method: str) -> Inference:
    """The pieces for tests under ``satterthwaite`` or ``kenward-roger``."""
    state = fit.state
    model_slopes = state.beta_cov @ fit.slopes.x_slopes @ state.beta_cov
    beta_cov = state.beta_cov
    if method == "kenward-roger" and fit.theta_cov is not None:
        beta_cov = beta_cov + _adjustment(panel, structure, fit)
    return Inference(state.beta, beta_cov, state.beta_cov, model_slopes, fit.theta_cov)


def effect(pieces: Inference, combination: np.ndarray) -> Effect:
    """The combination of fixed effects, with the test that it is 0."""
    estimate = float(combination @ pieces.beta)
    se = float(np.sqrt(combination @ pieces.beta_cov @ combination))
    df = satterthwaite_df(pieces, combination)
    t = estimate / se if se > 0 else np.nan
    half = float(special.stdtrit(df, 0.975)) * se
    return Effect(
        estimate, se, df, t, float(2 * special.stdtr(df, -abs(t))), estimate - half, estimate + half
    )


def satterthwaite_df(pieces: Inference, combination: np.ndarray) -> float:
    """2 v^2 / (g'Wg): v the model variance of the combination, g its slopes, W the covariance of theta."""
    if pieces.theta_cov is None:
        return float("nan")
    variance = combination @ pieces.model_cov @ combination
    slope = pieces.model_slopes @ combination @ combination
    spread = slope @ pieces.theta_cov @ slope
    return float(2 * variance**2 / spread) if spread > 0 else float("inf")


def _adjustment(panel: Panel, structure: Structure, fit: Fit) -> np.ndarray:
    """2 Phi {sum W_ab (Q_ab - P_a Phi P_b)} Phi, with Q_ab = sum X'W V_a W V_b W X and P_a = -B_a."""
    state, spread = fit.state, fit.theta_cov
    assert spread is not None
    first = [structure.first(part) for part in np.split(state.theta, panel.groups)]
    q = np.zeros_like(state.beta_cov)
    size = structure.size
    for cell, group in enumerate(panel.cell_group):
        own = spread[group * size : (group + 1) * size, group * size : (group + 1) * size]
        v = first[group]
        middle = np.einsum("ab,aij,jk,bkl->il", own, v, state.weight[cell], v, optimize=True)
        wx = state.wx[panel.cell == cell]
        q += np.einsum("ntp,ts,nsq->pq", wx, middle, wx, optimize=True)
    b = fit.slopes.x_slopes
    pairs = np.einsum("ab,aij,jk,bkl->il", spread, b, state.beta_cov, b, optimize=True)
    adjustment = 2 * state.beta_cov @ (q - pairs) @ state.beta_cov
    return np.asarray((adjustment + adjustment.T) / 2)
