"""Change at a visit without a film, from the films that there are.

Each stands for a different estimand, so a result says which was used and for how many subjects. Linear
extrapolation keeps the mean and inflates the SD (Markusse 2016).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.ties import is_below

MIN_INTERVAL = 84.0  # days from baseline to a film whose rate may go on: 12 weeks


def extrapolate_linearly(
    change: Any, observed_time: Any, target_time: Any, min_interval: float = 0.0
) -> np.ndarray:
    """change x target / observed: the observed rate goes on (linear extrapolation, LE).

    change: from baseline to the last film before rescue; observed_time: of that film, in the unit of
    ``target_time``, both from baseline. NaN where the observed time is not above 0 (it takes baseline and one
    film on treatment) or below ``min_interval``. LE keeps the mean and widens the SD (Markusse 2016).
    """
    change, observed = np.asarray(change, float), np.asarray(observed_time, float)
    is_usable = (observed > 0) & ~is_below(observed, min_interval)
    return change * np.asarray(target_time, float) / np.where(is_usable, observed, np.nan)


def carry_forward(values: np.ndarray) -> np.ndarray:
    """Missing values replaced by the last one before them in the row (LOCF); leading gaps stay missing.

    values: shape (subjects, visits), visits in order of time, NaN for missing.
    """
    values = np.asarray(values, float)
    place = np.where(np.isnan(values), 0, np.arange(values.shape[1]))
    return np.take_along_axis(values, np.maximum.accumulate(place, axis=1), axis=1)


def interpolate(values: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Missing values on the line between their neighbours in time; without a neighbour on both sides missing.

    values, days: shape (subjects, visits), days rising along a row and known for every visit.
    """
    values, days = np.asarray(values, float), np.asarray(days, float)
    visits = np.arange(values.shape[1])
    known = ~np.isnan(values)
    before = np.maximum.accumulate(np.where(known, visits, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, visits, len(visits))[:, ::-1], axis=1)[:, ::-1]
    inside = ~known & (before >= 0) & (after < len(visits))
    low, high = np.where(inside, before, 0), np.where(inside, after, 0)
    start, end = (np.take_along_axis(values, place, axis=1) for place in (low, high))
    from_day, to_day = (np.take_along_axis(days, place, axis=1) for place in (low, high))
    share = (days - from_day) / np.where(inside, to_day - from_day, 1)
    return np.where(inside, start + share * (end - start), values)
