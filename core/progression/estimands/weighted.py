"""Dropout that depends on the changes seen: patients who stayed weigh for those like them who left.

Augmented inverse probability weighting for dropout over visits (Robins, Rotnitzky and Zhao 1995; Tsiatis
2006, chapter 9): the mean is right where either the normal model of change or the logistic model of leaving
is. Where the course bends with the size of the change, as with many patients without any, the first is not.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from core.progression.estimands.imputation import Effects, ancova, filled, leave_one_out
from core.progression.estimands.normal_model import NormalModel, fit, regression
from core.progression.estimands.panel import Panel
from core.ties import mid_ranks

MAX_LEAVING = 0.9  # chance of leaving before a visit above which a weight would rest on one patient
STEPS, PENALTY = 15, 1.0


def weighted_effects(panel: Panel) -> Effects:
    """ANCOVA of the weighted changes, as estimated and with each patient left out in turn."""
    parts, converged = [], True
    for weights in leave_one_out(len(panel.y)):
        change, ended = _weighted(panel, weights)
        parts.append(ancova(panel, change, weights))
        converged &= ended
    means, shift = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Effects(means, shift, len(panel.y) - panel.x.shape[1], converged)


def _weighted(panel: Panel, weights: np.ndarray) -> tuple[np.ndarray, bool]:
    """One value per patient whose mean is that of the change, shape (sets, n), and whether the fit ended."""
    seen = ~np.isnan(panel.y)
    visits = panel.y.shape[1]
    last = np.where(seen.any(axis=1), visits - 1 - seen[:, ::-1].argmax(axis=1), -1)
    end = panel.target + 1
    known = np.stack([_last_change(panel.y, before) for before in range(end)], axis=1)
    at_risk = last[:, None] >= np.arange(end) - 1
    leaves = last[:, None] == np.arange(end) - 1
    hazard = _hazards(panel, known, at_risk, leaves, weights)
    staying = np.cumprod(1.0 - hazard * at_risk, axis=2)
    stayed = last >= panel.target
    model = fit(panel.y, panel.x, weights * stayed / staying[:, :, -1])
    change = filled(panel, model, "mar")
    total = np.where(stayed, change / staying[:, :, -1], 0.0)
    for step in range(end):
        expected = _expected(panel, model, step)
        total += (leaves[:, step] - hazard[:, :, step] * at_risk[:, step]) / staying[:, :, step] * expected
    return np.asarray(total), model.converged


def _last_change(y: np.ndarray, before: int) -> np.ndarray:
    """The last change seen before a visit, 0 (that of baseline) without one."""
    found = np.zeros(len(y))
    for visit in range(before):
        found = np.where(np.isnan(y[:, visit]), found, y[:, visit])
    return found


def _expected(panel: Panel, model: NormalModel, before: int) -> np.ndarray:
    """Mean of the change at the visit given the films before another, shape (sets, n)."""
    mean = panel.x @ model.coefficients
    found = mean[:, :, panel.target].copy()
    early = ~np.isnan(panel.y[:, :before])
    kinds, kind = np.unique(early, axis=0, return_inverse=True)
    for place, row in enumerate(kinds):
        seen, rows = np.flatnonzero(row), np.flatnonzero(kind.ravel() == place)
        if len(seen):
            slope = regression(model.covariance, seen, np.array([panel.target]))
            rest = panel.y[np.ix_(rows, seen)] - mean[:, rows[:, None], seen]
            found[:, rows] += (rest @ slope)[:, :, 0]
    return found


def _hazards(
    panel: Panel, known: np.ndarray, at_risk: np.ndarray, leaves: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Chance of leaving before each visit, by the last change, its rank, arm and visit; (sets, n, visits)."""
    n, end = at_risk.shape
    found = np.zeros((len(weights), n, end))
    steps = [step for step in range(end) if leaves[:, step].any()]
    blocks = []
    for place, step in enumerate(steps):
        rows = np.flatnonzero(at_risk[:, step])
        size = known[rows, step]
        spread = size.std()
        columns = [
            (size - size.mean()) / (spread if spread > 0 else 1.0),
            mid_ranks(size) / len(size) - 0.5,
        ]
        columns += [panel.x[rows, arm] for arm in range(1, len(panel.arms))]
        columns += [np.full(len(rows), float(other == place)) for other in range(1, len(steps))]
        blocks.append((rows, step, np.column_stack([np.ones(len(rows)), *columns])))
    if blocks:
        who = np.concatenate([rows for rows, _, _ in blocks])
        visit = np.concatenate([np.full(len(rows), step) for rows, step, _ in blocks])
        z = np.concatenate([columns for _, _, columns in blocks])
        found[:, who, visit] = _logistic(z, leaves[who, visit].astype(float), weights[:, who])
    return found


def _logistic(z: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fitted chances under every set of weights, slopes held back by a small penalty; (sets, rows)."""
    q = z.shape[1]
    products = (z[:, :, None] * z[:, None, :]).reshape(len(z), q * q)
    penalty = PENALTY * np.diag(np.r_[0.01, np.ones(q - 1)])
    b = np.zeros((len(weights), q))
    for _ in range(STEPS):
        chance = special.expit(b @ z.T)
        gradient = ((y - chance) * weights) @ z - b @ penalty
        curve = ((chance * (1 - chance) * weights) @ products).reshape(-1, q, q) + penalty
        b = b + np.linalg.solve(curve, gradient[:, :, None])[:, :, 0]
    return np.minimum(special.expit(b @ z.T), MAX_LEAVING)
