"""Figures of networks on patients whom they had not learned from, fold by fold, as the card keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from models.synovitis.predictions import DEVICE_SCHEME, FOLDS_SCHEME, Predicted, of_task
from models.synovitis.tasks import GRADE, TASKS

LEFT_OUT, DEVICE_LEFT_OUT = "patients left out of five folds", "patients of one device left out"


def card_figures(table: pd.DataFrame) -> dict[str, Any]:
    """Scheme -> task -> figure: of folds mean and SD, of devices that were left out the value for each."""
    folds = {task: _of_parts(of_task(table, task, FOLDS_SCHEME)) for task in TASKS}
    devices = {task: _of_parts(of_task(table, task, DEVICE_SCHEME)) for task in TASKS}
    return {
        LEFT_OUT: {
            task: {name: _mean_and_sd([part[name] for part in parts.values()]) for name in _names(task)}
            for task, parts in folds.items()
        },
        DEVICE_LEFT_OUT: {
            task: {
                name: {device: _round(part[name]) for device, part in parts.items()} for name in _names(task)
            }
            for task, parts in devices.items()
        },
    }


def _names(task: str) -> tuple[str, ...]:
    plain = ("auc", "balanced_accuracy")
    return (*plain, "spearman") if task == GRADE else plain


def _of_parts(said: Predicted) -> dict[str, dict[str, float]]:
    parts = said.rows["part"].to_numpy()
    return {
        str(part): figures(
            said.truth[parts == part], said.answer[parts == part], said.probabilities[parts == part]
        )
        for part in sorted(set(parts))
    }


def figures(truth: np.ndarray, answer: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """``auc`` (one class against the rest, weighted by how often each is there), ``balanced_accuracy`` (mean
    sensitivity of the classes that are there), ``spearman`` (of truth and answer); NaN where not defined.
    """
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    there = sorted(set(truth.tolist()))
    if len(there) < 2:
        return dict.fromkeys(("auc", "balanced_accuracy", "spearman"), float("nan"))
    areas = [float(roc_auc_score(truth == place, probabilities[:, place])) for place in there]
    shares = [float((truth == place).mean()) for place in there]
    found = [float((answer[truth == place] == place).mean()) for place in there]
    is_varied = len(set(answer.tolist())) > 1
    together = float(spearmanr(truth, answer).statistic) if is_varied else float("nan")
    return {
        "auc": float(np.average(areas, weights=shares)),
        "balanced_accuracy": float(np.mean(found)),
        "spearman": together,
    }


def _mean_and_sd(values: list[float]) -> dict[str, float | None]:
    known = [value for value in values if np.isfinite(value)]
    if len(known) < 2:
        return {"mean": None, "sd": None, "parts": len(known)}
    return {"mean": _round(np.mean(known)), "sd": _round(np.std(known, ddof=1)), "parts": len(known)}


def _round(value: Any) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
