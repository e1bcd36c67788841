"""Intervals of evaluation figures: patients resampled, Wilson limits where a proportion is 0 or 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.bootstrap import draw_counts, percentiles
from core.agreement.estimate import estimate
from core.agreement.icc import forms, mean_squares
from core.agreement.proportion import wilson

DRAWS = 1000
Rows = np.ndarray  # indices into a table, a patient's rows as often as the patient was drawn


def resampled(
    subjects: pd.Series,
    statistics: Callable[[Rows], Mapping[str, float]],
    *,
    shares: Mapping[str, np.ndarray] | None = None,
    draws: int = DRAWS,
) -> dict[str, Any]:
    """Each statistic with its 95% interval over patients drawn with replacement.

    subjects: patient of each row. statistics: called with row indices; NaN where it cannot be computed.
    shares: for statistics that are shares, the rows that they are a share of (boolean). A share of exactly 0
    or 1 is 0 or 1 in every draw, so it gets Wilson's limits for as many cases as it has patients.
    """
    value = statistics(np.arange(len(subjects)))
    names, place = np.unique(subjects.to_numpy(dtype=str), return_inverse=True)
    if len(names) < 2:
        return {name: estimate(number) for name, number in value.items()}
    rows_of = [np.flatnonzero(place == patient) for patient in range(len(names))]
    drawn: dict[str, list[float]] = {name: [] for name in value}
    for counts in draw_counts(len(names), draws=draws):
        rows = np.concatenate([np.tile(rows_of[p], counts[p]) for p in np.flatnonzero(counts)])
        for name, number in statistics(rows).items():
            drawn[name].append(number)
    found = {name: estimate(number, *percentiles(np.array(drawn[name]))[0]) for name, number in value.items()}
    for name, counted in (shares or {}).items():
        if value[name] in (0.0, 1.0):
            patients = len(np.unique(place[counted]))
            found[name] = estimate(value[name], *wilson(value[name] * patients, patients))
    return found


def share(above: np.ndarray, below: np.ndarray) -> float:
    """Count of ``above`` over count of ``below``, NaN over nothing."""
    return float(above.sum() / below.sum()) if below.sum() else float("nan")


def icc_a1(pairs: np.ndarray) -> float:
    """ICC(A,1) of a complete table; NaN below two rows or without variance."""
    if len(pairs) < 2 or not np.ptp(pairs):
        return float("nan")
    return float(forms(mean_squares(pairs))["ICC(A,1)"])
