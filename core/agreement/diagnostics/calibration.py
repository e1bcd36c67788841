"""Calibration: do the probabilities that a model states come true?

Source: Cox 1958 for intercept and slope; Brier 1950. Shares per bin with Wilson intervals.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.estimate import MISSING, Z95, Estimate, estimate
from core.agreement.proportion import proportion

EDGE = 1e-6


def calibration(labels: Any, probabilities: Any, *, bins: int = 10) -> dict[str, Any]:
    """Calibration curve, Brier score, expected calibration error, and the logistic intercept and slope.

    labels: shape (n,), true where the finding is there. probabilities: shape (n,), 0 to 1.
    bins: groups of equal size by probability; equal probabilities stay together.
    Returns bins [{n, mean_probability, observed {estimate, ci}}], brier, ece, intercept and slope
    {estimate, ci} (slope 1 and intercept 0 are perfect), n and notes.
    Raises ValueError for probabilities outside 0..1.
    """
    y, p = np.asarray(labels).astype(bool), np.asarray(probabilities, dtype=float)
    if len(p) and (p.min() < 0 or p.max() > 1):
        raise ValueError(f"probabilities run from {p.min()} to {p.max()}; 0 to 1 is needed")
    if not len(p):
        empty: dict[str, Any] = {
            "bins": [],
            "brier": None,
            "ece": None,
            "intercept": dict(MISSING),
            "slope": dict(MISSING),
        }
        return empty | {"n": 0, "notes": {"calibration": "no cases"}}
    groups = _bins(y, p, bins)
    gaps = [group["n"] * abs(group["mean_probability"] - group["observed"]["estimate"]) for group in groups]
    intercept, slope, reason = _logistic(y, p)
    return {
        "bins": groups,
        "brier": float(((p - y) ** 2).mean()),
        "ece": sum(gaps) / len(p),
        "intercept": intercept,
        "slope": slope,
        "n": len(p),
        "notes": {"slope": reason} if reason else {},
    }


def _bins(y: np.ndarray, p: np.ndarray, bins: int) -> list[dict[str, Any]]:
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(edges, p, side="left")
    groups = []
    for group in np.unique(place):
        here = place == group
        n = int(here.sum())
        share = proportion(int(y[here].sum()), n)
        groups.append({"n": n, "mean_probability": float(p[here].mean()), "observed": share})
    return groups


def _logistic(y: np.ndarray, p: np.ndarray) -> tuple[Estimate, Estimate, str]:
    """Logistic regression of the label on the logit of the probability, by Newton's method."""
    x = np.log(np.clip(p, EDGE, 1 - EDGE) / np.clip(1 - p, EDGE, 1 - EDGE))
    if y.all() or not y.any():
        return dict(MISSING), dict(MISSING), "cases with and without the finding are needed"
    if np.ptp(x) < 1e-12:
        return dict(MISSING), dict(MISSING), "all probabilities are equal"
    if x[y].min() >= x[~y].max() or x[y].max() <= x[~y].min():
        return (
            dict(MISSING),
            dict(MISSING),
            "the probabilities separate the two kinds: the slope has no limit",
        )
    design = np.column_stack([np.ones_like(x), x])
    beta = np.zeros(2)
    for _ in range(100):
        mean = 1 / (1 + np.exp(-design @ beta))
        information = design.T @ (design * (mean * (1 - mean))[:, None])
        step = np.linalg.solve(information, design.T @ (y - mean))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    half = Z95 * np.sqrt(np.diag(np.linalg.inv(information)))
    low, high = beta - half, beta + half
    return estimate(beta[0], low[0], high[0]), estimate(beta[1], low[1], high[1]), ""
