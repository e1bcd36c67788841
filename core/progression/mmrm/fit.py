"""The REML optimum: Newton steps on the exact Hessian, Fisher scoring where that is not definite."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.progression.mmrm.likelihood import Slopes, State, evaluate, slopes
from core.progression.mmrm.panel import Panel
from core.progression.mmrm.structures import Structure

STEPS = 200
HALVINGS = 40
TOLERANCE = 1e-14  # of the Newton decrement g'H^-1 g, in units of log-likelihood


@dataclass(frozen=True)
class Fit:
    """The state where the search ended.

    converged: gradient near 0 and minus the Hessian positive definite. tried: what was tried, in words.
    """

    state: State
    slopes: Slopes
    converged: bool
    iterations: int
    tried: list[str] = field(default_factory=list)

    @property
    def theta_cov(self) -> np.ndarray | None:
        """Inverse of the observed information of the covariance parameters, None where it is not definite."""
        return _inverse(-self.slopes.hessian)


def fit(panel: Panel, structure: Structure) -> Fit | None:
    """The REML fit from up to three starts, None where no start has a likelihood (too few rows)."""
    best: Fit | None = None
    tried = []
    for name, covariance in _starts(panel):
        theta = np.concatenate([structure.start(matrix) for matrix in covariance])
        found = _climb(panel, structure, theta)
        if found is None:
            tried.append(f"start {name}: no likelihood")
            continue
        end = "converged" if found.converged else "did not converge"
        tried.append(
            f"start {name}: {end} after {found.iterations} steps, log-likelihood {found.state.loglik:.6f}"
        )
        if best is None or (found.converged, found.state.loglik) > (best.converged, best.state.loglik):
            best = found
        if found.converged:
            break
    return None if best is None else Fit(best.state, best.slopes, best.converged, best.iterations, tried)


def _climb(panel: Panel, structure: Structure, theta: np.ndarray) -> Fit | None:
    state = evaluate(panel, structure, theta)
    if state is None:
        return None
    for step in range(STEPS):
        derivatives = slopes(panel, structure, state)
        direction, is_newton = _direction(derivatives)
        gain = float(direction @ derivatives.gradient)
        if is_newton and gain < TOLERANCE:
            return Fit(state, derivatives, True, step)
        better = _line_search(panel, structure, state, direction)
        if better is None:
            flat = is_newton and gain < 1e-8  # rounding leaves nothing to gain
            return Fit(state, derivatives, flat, step)
        state = better
    return Fit(state, slopes(panel, structure, state), False, STEPS)


def _direction(derivatives: Slopes) -> tuple[np.ndarray, bool]:
    """An ascent direction, and whether it is Newton's."""
    inverse = _inverse(-derivatives.hessian)
    if inverse is not None:
        return inverse @ derivatives.gradient, True
    scale = np.sqrt(np.maximum(np.diag(derivatives.fisher), 1e-300))
    scaled = derivatives.fisher / np.outer(scale, scale) + 1e-8 * np.eye(len(scale))
    return np.linalg.solve(scaled, derivatives.gradient / scale) / scale, False


def _line_search(panel: Panel, structure: Structure, state: State, direction: np.ndarray) -> State | None:
    """The first of the steps 1, 1/2, 1/4 ... that raises the likelihood."""
    length = 1.0
    for _ in range(HALVINGS):
        found = evaluate(panel, structure, state.theta + length * direction)
        if found is not None and found.loglik > state.loglik:
            return found
        length /= 2
    return None


def _starts(panel: Panel) -> list[tuple[str, np.ndarray]]:
    """Covariances to begin with, shape (groups, T, T): of ordinary residuals, then simpler ones."""
    flat, seen = panel.x.reshape(-1, panel.x.shape[2]), panel.seen.ravel()
    beta = np.linalg.lstsq(flat[seen], panel.y.ravel()[seen], rcond=None)[0]
    residual = (panel.y - panel.x @ beta) * panel.seen
    overall = float((residual**2).sum() / max(panel.rows - len(beta), 1)) or 1.0
    matrix = _pairwise(residual, panel.seen, overall)
    visits = len(matrix)
    half = overall * (np.eye(visits) + np.ones((visits, visits))) / 2
    return [
        ("residual covariances", np.tile(matrix, (panel.groups, 1, 1))),
        ("equal correlation 0.5", np.tile(half, (panel.groups, 1, 1))),
        ("no correlation", np.tile(overall * np.eye(visits), (panel.groups, 1, 1))),
    ]


def _pairwise(residual: np.ndarray, seen: np.ndarray, overall: float) -> np.ndarray:
    """Covariances of residuals over the pairs of visits that there are, pulled to a definite matrix."""
    pairs = seen.T.astype(float) @ seen
    raw = np.where(pairs > 0, residual.T @ residual / np.maximum(pairs, 1), 0.0)
    diagonal = np.where(np.diag(raw) > 1e-8 * overall, np.diag(raw), overall)
    scale = np.sqrt(diagonal)
    correlation = raw / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    while np.linalg.eigvalsh(correlation)[0] < 0.05:
        correlation = 0.9 * correlation + 0.1 * np.eye(len(correlation))
    return correlation * np.outer(scale, scale)


def _inverse(matrix: np.ndarray) -> np.ndarray | None:
    """The inverse of a positive definite matrix, None where it is none; scaled, as parameters differ."""
    diagonal = np.diag(matrix)
    if not (np.isfinite(matrix).all() and (diagonal > 0).all()):
        return None
    scale = np.sqrt(diagonal)
    scaled = matrix / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(scaled)
    if values[0] < 1e-10:
        return None
    return np.asarray((vectors / values) @ vectors.T / np.outer(scale, scale))
