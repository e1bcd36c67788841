"""The table of two raters' grades: counts, exact agreement and agreement within one grade."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.estimate import Estimate
from core.agreement.proportion import proportion
from core.ties import TIE, is_same

MAX_LEVELS = 30


def is_gradeable(first: Any, second: Any) -> bool:
    """Whether both raters gave whole numbers with at most 30 distinct values together (and at least one)."""
    both = np.concatenate([np.asarray(first, dtype=float), np.asarray(second, dtype=float)])
    whole = is_same(both, np.round(both)).all()
    return bool(len(both)) and bool(whole) and len(np.unique(np.round(both))) <= MAX_LEVELS


def confusion(first: Any, second: Any, levels: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """(counts, levels): counts[i, j] = subjects with levels[i] by the first and levels[j] by the second.

    levels: grades in ascending order, by default the distinct values of both raters together. Ratings
    outside ``levels`` raise ValueError.
    """
    first, second = whole(first), whole(second)
    seen = np.unique(np.concatenate([first, second]))
    grades = seen if levels is None else np.unique(np.asarray(levels, dtype=float))
    if not np.isin(seen, grades).all():
        raise ValueError(f"ratings {seen[~np.isin(seen, grades)].tolist()} are not among the levels")
    q = len(grades)
    cell = np.searchsorted(grades, first) * q + np.searchsorted(grades, second)
    return np.bincount(cell, minlength=q * q).reshape(q, q), grades


def whole(ratings: Any) -> np.ndarray:
    """The ratings, whole numbers without the rounding noise of how they were computed."""
    ratings = np.asarray(ratings, dtype=float)
    return np.where(is_same(ratings, np.round(ratings)), np.round(ratings), ratings)


def exact_agreement(first: Any, second: Any) -> Estimate:
    """Share of subjects with the same rating, Wilson interval."""
    gap = np.abs(np.asarray(first, dtype=float) - np.asarray(second, dtype=float))
    return proportion(int((gap <= TIE).sum()), len(gap))


def within_one(first: Any, second: Any) -> Estimate:
    """Share of subjects whose ratings lie at most 1 apart, Wilson interval."""
    gap = np.abs(np.asarray(first, dtype=float) - np.asarray(second, dtype=float))
    return proportion(int((gap <= 1 + TIE).sum()), len(gap))
