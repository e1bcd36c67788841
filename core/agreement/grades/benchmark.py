"""Figures that benchmarks of grades state: quadratic kappa, errors, accuracies, present or not.

All come from one table of counts, given by true grade. Balanced accuracy is the mean of the sensitivities of
the true grades that occur (Brodersen et al. 2010, doi:10.1109/ICPR.2010.764), kappa that of Cohen 1968 with
squared weights; both as scikit-learn has them, which the tests compare. ``error_by_grade`` and
``rmse_by_grade`` weigh every true grade that occurs alike, so that many healthy sites do not hide errors at
damaged ones. Present means a grade above 0. Intervals resample patients.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.agreement.bootstrap import count_blocks, percentiles
from core.agreement.estimate import MISSING, Estimate, estimate

DRAWS = 500
MEASURES = (
    "kappa_quadratic", "mae", "rmse", "accuracy", "balanced_accuracy", "within_one", "error_by_grade",
    "rmse_by_grade", "present.accuracy", "present.balanced_accuracy", "present.sensitivity",
    "present.specificity", "present.f1",
)  # fmt: skip


def counted(given: Any, true: Any, levels: int) -> np.ndarray:
    """(levels, levels) counts, rows the given grade, columns the true one; whole grades from 0."""
    table = np.zeros((levels, levels))
    np.add.at(table, (np.asarray(given, int), np.asarray(true, int)), 1)
    return table


def measures(tables: np.ndarray) -> dict[str, np.ndarray]:
    """Every measure of tables (..., q, q); NaN where it does not exist (no row, one grade only)."""
    tables = np.asarray(tables, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _of_grades(tables) | {f"present.{name}": value for name, value in _present(tables).items()}


def _of_grades(tables: np.ndarray) -> dict[str, np.ndarray]:
    q = tables.shape[-1]
    gap = np.abs(np.arange(q)[:, None] - np.arange(q)[None, :]).astype(float)
    n, of_true = tables.sum((-1, -2)), tables.sum(-2)
    chance = tables.sum(-1)[..., :, None] * of_true[..., None, :] / n[..., None, None]
    squared = (gap**2 * tables).sum((-1, -2))
    expected = (gap**2 * chance).sum((-1, -2))
    return {
        "kappa_quadratic": np.where(expected > 0, 1 - squared / expected, np.nan),
        "mae": (gap * tables).sum((-1, -2)) / n,
        "rmse": np.sqrt(squared / n),
        "accuracy": np.trace(tables, axis1=-2, axis2=-1) / n,
        "balanced_accuracy": _mean_over(np.diagonal(tables, axis1=-2, axis2=-1), of_true),
        "within_one": ((gap <= 1) * tables).sum((-1, -2)) / n,
        "error_by_grade": _mean_over((gap * tables).sum(-2), of_true),
        "rmse_by_grade": np.sqrt(_mean_over((gap**2 * tables).sum(-2), of_true)),
    }


def _present(tables: np.ndarray) -> dict[str, np.ndarray]:
    found, missed = tables[..., 1:, 1:].sum((-1, -2)), tables[..., 0, 1:].sum(-1)
    false, absent = tables[..., 1:, 0].sum(-1), tables[..., 0, 0]
    sensitivity, specificity = found / (found + missed), absent / (absent + false)
    return {
        "accuracy": (found + absent) / (found + missed + false + absent),
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "f1": 2 * found / (2 * found + missed + false),
    }


def _mean_over(hits: np.ndarray, of_true: np.ndarray) -> np.ndarray:
    """The mean over true grades that occur of hits by their number."""
    occurs = of_true > 0
    shares = np.where(occurs, hits / np.where(occurs, of_true, 1), 0.0)
    return np.asarray(shares.sum(-1) / occurs.sum(-1))


def compared(rows: pd.DataFrame, levels: int, *, draws: int = DRAWS) -> dict[str, Any]:
    """n, patients and every measure with its interval. rows: ``subject, given, true``, no gaps.

    levels: of the scale, grades 0 to levels - 1. An interval is None where a draw in 20 has no value.
    """
    subjects, place = np.unique(rows["subject"].to_numpy(str), return_inverse=True)
    tables = np.zeros((len(subjects), levels, levels))
    np.add.at(tables, (place, rows["given"].to_numpy(int), rows["true"].to_numpy(int)), 1)
    whole = measures(tables.sum(0))
    drawn = _drawn(tables, draws) if len(subjects) > 1 and draws else {}
    return {
        "n": len(rows),
        "patients": len(subjects),
        **{name: _estimate(whole[name], drawn.get(name)) for name in MEASURES},
    }


def _drawn(tables: np.ndarray, draws: int) -> dict[str, np.ndarray]:
    q = tables.shape[-1]
    flat = tables.reshape(len(tables), q * q)
    blocks = [
        measures((counts @ flat).reshape(-1, q, q)) for counts in count_blocks(len(tables), draws=draws)
    ]
    return {name: np.concatenate([block[name] for block in blocks]) for name in MEASURES}


def _estimate(value: np.ndarray, drawn: np.ndarray | None) -> Estimate:
    if np.isnan(value):
        return dict(MISSING)
    if drawn is None or np.isnan(drawn).mean() > 0.05:
        return estimate(float(value), None, None)
    (low, high), _ = percentiles(drawn)
    return estimate(float(value), float(low), float(high))


def by_joint(rows: pd.DataFrame, levels: int) -> dict[str, dict[str, Any]]:
    """Joint -> n and measures without intervals. rows: as in ``compared``, and ``joint``."""
    found = {}
    for joint, own in rows.groupby("joint", sort=False):
        values = measures(counted(own["given"], own["true"], levels))
        found[str(joint)] = {"n": len(own)} | {name: _number(values[name]) for name in MEASURES}
    return found


def mean_of_joints(joints: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    """The plain mean of each measure over the joints that have it, as RAM-H1200 states its table."""
    found = {}
    for name in MEASURES:
        values = [row[name] for row in joints.values() if row[name] is not None]
        found[name] = float(np.mean(values)) if values else None
    return found


def _number(value: np.ndarray) -> float | None:
    return None if np.isnan(value) else float(value)


def total_error(given: Any, true: Any) -> dict[str, Any]:
    """Errors of totals: n, mean absolute error, root mean squared error and bias (given minus true)."""
    gap = np.asarray(given, float) - np.asarray(true, float)
    if not len(gap):
        return {"n": 0, "mae": None, "rmse": None, "bias": None}
    return {
        "n": len(gap),
        "mae": float(np.abs(gap).mean()),
        "rmse": float(np.sqrt((gap**2).mean())),
        "bias": float(gap.mean()),
    }
