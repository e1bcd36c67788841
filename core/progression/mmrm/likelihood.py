"""REML log-likelihood of a panel, with its exact gradient and Hessian.

With W the inverse covariance of a subject's visits, A = sum X'WX, e = W (y - X beta):
l = -1/2 [(n - p) log 2 pi + log|V| + log|A| + r'V^-1 r].
Derivatives follow from the ones of V by the chain rule; sums over subjects are formed once per cell of
subjects with the same visits, so that their cost hardly depends on the number of subjects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.progression.mmrm.panel import Panel
from core.progression.mmrm.structures import Structure


@dataclass(frozen=True)
class State:
    """Everything known at one set of covariance parameters.

    loglik: REML log-likelihood. beta: (p,). beta_cov: A^-1, (p, p). sigma: (groups, T, T).
    weight: W per cell, (cells, T, T), zero where a visit is missing. wx: W X, (n, T, p). e: W r, (n, T).
    """

    theta: np.ndarray
    loglik: float
    beta: np.ndarray
    beta_cov: np.ndarray
    sigma: np.ndarray
    weight: np.ndarray
    wx: np.ndarray
    e: np.ndarray


@dataclass(frozen=True)
class Slopes:
    """Derivatives of the log-likelihood by the covariance parameters.

    gradient: (q,). hessian: (q, q). fisher: (q, q), the expected information, positive definite.
    x_slopes: B_a = sum X'W V_a W X, (q, p, p): minus the derivative of A.
    """

    gradient: np.ndarray
    hessian: np.ndarray
    fisher: np.ndarray
    x_slopes: np.ndarray


def evaluate(panel: Panel, structure: Structure, theta: np.ndarray) -> State | None:
    """The state at these parameters, None where the covariance or the design is not positive definite."""
    sigma = np.array([structure.matrix(part) for part in np.split(theta, panel.groups)])
    if not np.isfinite(sigma).all() or not all(_is_definite(matrix) for matrix in sigma):
        return None
    try:
        weight, logdet = _inverses(sigma[panel.cell_group], panel.cell_seen)
    except np.linalg.LinAlgError:  # definite by its factors, singular in the last digits
        return None
    w = weight[panel.cell]
    wx = w @ panel.x
    flat = panel.x.reshape(-1, panel.x.shape[2])
    information = flat.T @ wx.reshape(flat.shape)
    if not _is_definite(information):
        return None
    beta_cov = np.linalg.inv(information)
    beta_cov = (beta_cov + beta_cov.T) / 2
    beta = beta_cov @ np.einsum("ntp,nt->p", wx, panel.y)
    residual = (panel.y - panel.x @ beta) * panel.seen
    e = np.einsum("nts,ns->nt", w, residual)
    free = panel.rows - len(beta)
    log_a = np.linalg.slogdet(information)[1]
    parts = free * np.log(2 * np.pi) + logdet @ panel.cell_counts + log_a + np.vdot(residual, e)
    return State(theta, float(-parts / 2), beta, beta_cov, sigma, weight, wx, e)


def slopes(panel: Panel, structure: Structure, state: State) -> Slopes:
    """Gradient, Hessian and Fisher information at a state."""
    cell_e = panel.by_cell(state.e[:, :, None] * state.e[:, None, :])
    cell_f = panel.by_cell(state.wx @ state.beta_cov @ state.wx.swapaxes(1, 2))
    cell_w = state.weight * panel.cell_counts[:, None, None]
    parts = [
        _group_slopes(panel, structure, state, group, part, (cell_w, cell_f, cell_e))
        for group, part in enumerate(np.split(state.theta, panel.groups))
    ]
    b = np.concatenate([part.b for part in parts])
    c = np.concatenate([part.c for part in parts])
    ab = state.beta_cov @ b  # (q, p, p)
    cross = np.einsum("aij,bji->ab", ab, ab)
    score = _blocks([part.score for part in parts])
    trace = _blocks([part.trace for part in parts]) + cross
    curvature = _blocks([part.curvature for part in parts])
    quadratic = score - c @ state.beta_cov @ c.T
    hessian = curvature + trace / 2 - quadratic
    return Slopes(
        np.concatenate([part.gradient for part in parts]), (hessian + hessian.T) / 2, (trace + trace.T) / 4, b
    )


@dataclass(frozen=True)
class _Part:
    """One group's share of the derivatives.

    score: sum e'V_a W V_b e. trace: sum tr(W V_a W V_b) - 2 tr(A^-1 X'W V_a W V_b W X).
    curvature: the share of the second derivatives of V. b: B_a. c: sum X'W V_a e.
    """

    gradient: np.ndarray
    score: np.ndarray
    trace: np.ndarray
    curvature: np.ndarray
    b: np.ndarray
    c: np.ndarray


def _group_slopes(
    panel: Panel,
    structure: Structure,
    state: State,
    group: int,
    theta: np.ndarray,
    cells: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> _Part:
    own = panel.cell_group == group
    weight = state.weight[own]
    cell_w, cell_f, cell_e = (part[own] for part in cells)
    first = structure.first(theta)
    by_sigma = -(cell_w - cell_f - cell_e).sum(axis=0) / 2
    subjects = panel.group == group
    wx, e = state.wx[subjects], state.e[subjects]
    n, visits, p = wx.shape
    flat = wx.reshape(n, visits * p)
    products = (flat.T @ flat).reshape(visits, p, visits, p)
    return _Part(
        gradient=np.einsum("ajk,kj->a", first, by_sigma),
        score=_twice(first, cell_e, weight),
        trace=_twice(first, cell_w - 2 * cell_f, weight),
        curvature=np.einsum("abjk,kj->ab", structure.second(theta), by_sigma),
        b=np.einsum("ajk,jpkq->apq", first, products, optimize=True),
        c=np.einsum("ajk,jpk->ap", first, (flat.T @ e).reshape(visits, p, visits), optimize=True),
    )


def _twice(first: np.ndarray, left: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """sum over cells of tr(left V_a weight V_b), shape (q, q)."""
    middle = np.einsum("cij,ajk,ckl->ail", left, first, weight, optimize=True)
    return np.einsum("ail,bli->ab", middle, first, optimize=True)


def _blocks(parts: list[np.ndarray]) -> np.ndarray:
    """A block diagonal matrix."""
    size = sum(len(part) for part in parts)
    whole, start = np.zeros((size, size)), 0
    for part in parts:
        stop = start + len(part)
        whole[start:stop, start:stop] = part
        start = stop
    return whole


def _inverses(sigma: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverse and log determinant of the seen part of each matrix; zero rows where not seen."""
    both = seen[:, :, None] & seen[:, None, :]
    eye = np.eye(sigma.shape[1])
    filled = np.where(both, sigma, eye)
    return np.linalg.inv(filled) * both, np.linalg.slogdet(filled)[1]


def _is_definite(matrix: np.ndarray) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True
