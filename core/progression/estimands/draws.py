"""Multiple imputation from the posterior of the normal model, and Rubin's rules.

Data augmentation of Tanner and Wong 1987 as for the multivariate normal in Schafer 1997: gaps given
parameters, parameters given the completed table (prior |covariance|^-(T+1)/2).
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from core.progression.estimands.imputation import profile
from core.progression.estimands.normal_model import NormalModel, Pattern, fit, patterns, regression
from core.progression.estimands.panel import Panel
from core.progression.missing.multiple_imputation import Pooled, rubin

BURN_IN, APART = 100, 10


def draw_changes(panel: Panel, assumptions: list[str], imputations: int, seed: int) -> dict[str, np.ndarray]:
    """Changes at the visit, shape (imputations, n) for each assumption; the same parameters serve all."""
    rng = np.random.default_rng(seed)
    model = fit(panel.y, panel.x, np.ones((1, len(panel.y))))
    known = patterns(panel.y)
    found: dict[str, list[np.ndarray]] = {name: [] for name in assumptions}
    for step in range(BURN_IN + imputations * APART):
        model = _next(panel, known, model, rng)
        if step >= BURN_IN and (step - BURN_IN) % APART == APART - 1:
            noise = rng.standard_normal(len(panel.y))
            for name, rows in found.items():
                rows.append(_imputed(panel, known, model, name, noise))
    return {name: np.array(rows) for name, rows in found.items()}


def pooled(panel: Panel, change: np.ndarray) -> tuple[dict[int, Pooled], dict[tuple[int, int], Pooled]]:
    """Least squares means by arm, and arm minus arm, by Rubin's rules over the imputations."""
    x = panel.x
    df = len(x) - x.shape[1]
    inverse = np.linalg.inv(x.T @ x)
    theta = change @ x @ inverse
    variance = ((change - theta @ x.T) ** 2).sum(axis=1) / df
    rows = panel.at_arms

    def one(row: np.ndarray) -> Pooled:
        return rubin(theta @ row, variance * float(row @ inverse @ row), df)

    arms = range(len(panel.arms))
    return (
        {arm: one(rows[arm]) for arm in arms},
        {(a, b): one(rows[a] - rows[b]) for b in arms for a in arms if a > b},
    )


def _next(panel: Panel, known: list[Pattern], model: NormalModel, rng: np.random.Generator) -> NormalModel:
    """Gaps drawn given the parameters, then parameters given the completed table."""
    whole = _completed(panel, known, model, rng)
    has_film = ~np.isnan(panel.y).all(axis=1)
    x, y = panel.x[has_film], whole[has_film]
    inverse = np.linalg.inv(x.T @ x)
    middle = inverse @ x.T @ y
    rest = y - x @ middle
    squares = rest.T @ rest
    scale = squares + 1e-9 * np.trace(squares) / len(squares) * np.eye(len(squares))
    sigma = np.atleast_2d(stats.invwishart.rvs(len(x) - x.shape[1], scale, random_state=rng))
    noise = rng.standard_normal(middle.shape)
    b = middle + np.linalg.cholesky(inverse) @ noise @ np.linalg.cholesky(sigma).T
    return NormalModel(b[None], sigma[None], True)


def _completed(
    panel: Panel, known: list[Pattern], model: NormalModel, rng: np.random.Generator
) -> np.ndarray:
    whole = panel.y.copy()
    for pattern in known:
        rows, seen, gaps = pattern.rows, pattern.seen, pattern.gaps
        if not len(gaps) or not len(seen):
            continue
        mean = panel.x[rows] @ model.coefficients[0]
        slope = regression(model.covariance, seen, gaps)[0]
        sigma = model.covariance[0]
        rest = sigma[np.ix_(gaps, gaps)] - sigma[np.ix_(gaps, seen)] @ slope
        values = mean[:, gaps] + (panel.y[np.ix_(rows, seen)] - mean[:, seen]) @ slope
        whole[np.ix_(rows, gaps)] = values + rng.standard_normal(values.shape) @ _root(rest).T
    return whole


def _root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _imputed(
    panel: Panel, known: list[Pattern], model: NormalModel, assumption: str, noise: np.ndarray
) -> np.ndarray:
    """Change at the visit of everyone under one draw of the parameters."""
    target = panel.target
    found = panel.y[:, target].copy()
    sigma = model.covariance
    for pattern in known:
        rows, seen = pattern.rows, pattern.seen
        if target in seen:
            continue
        at_target, at_seen = profile(panel, model, rows, seen, assumption)
        value, variance = at_target[0], float(sigma[0, target, target])
        if len(seen):
            slope = regression(sigma, seen, np.array([target]))[0, :, 0]
            value = value + (panel.y[np.ix_(rows, seen)] - at_seen[0]) @ slope
            variance -= float(sigma[0, target, seen] @ slope)
        found[rows] = value + noise[rows] * np.sqrt(max(variance, 0.0))
    return found
