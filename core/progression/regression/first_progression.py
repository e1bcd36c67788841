"""When did each patient first progress? Known only to lie between two films: interval-censored times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.progression.annualise import DAYS_PER_YEAR, change_per_year
from core.progression.courses import Courses
from core.progression.progressors import Cutoff, beyond


def first_progression(courses: Courses, rule: Cutoff, sdc: np.ndarray | float | None = None) -> pd.DataFrame:
    """One row per patient: ``subject, arm, baseline, left, right, films``, times in years from baseline.

    left: last film before the first one beyond the cut-off (0 where there is none); right: that film's time,
    infinite for a patient who never was. A patient without a film after baseline has NaN for both. A later
    film below the cut-off does not undo the first one beyond it.
    sdc: one for all, or one for each of ``courses.films``.
    Raises ValueError where the cut-off is the SDC and there is none.
    """
    cut = rule.limit(sdc)
    if cut is None:
        raise ValueError(f"{rule.name}: there is no SDC")
    limit = np.full(len(courses.films), cut, float)
    films = courses.films.assign(limit=limit).sort_values(["subject", "since"], kind="stable")
    value = change_per_year(films["change"], films["since"]) if rule.is_per_year else films["change"]
    films = films.assign(is_beyond=beyond(np.asarray(value, float), rule.sign, films["limit"].to_numpy()))
    films["years"] = films["since"] / DAYS_PER_YEAR
    films["past"] = films.groupby("subject")["is_beyond"].cummax()
    first = films[films["past"]].groupby("subject")["years"].min()
    before = films[~films["past"]].groupby("subject")["years"].max()
    count = films.groupby("subject").size()
    patients = courses.patients
    names = patients["subject"]
    has_film = names.map(count).fillna(0).astype(int)
    left = names.map(before).fillna(0.0).where(has_film > 0)
    right = names.map(first).fillna(np.inf).where(has_film > 0)
    return pd.DataFrame(
        {
            "subject": names,
            "arm": patients["arm"],
            "baseline": patients["from_mean"],
            "left": left.astype(float),
            "right": right.astype(float),
            "films": has_film,
        }
    )


def check_intervals(left: Any, right: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as floats. Raises ValueError where an interval is empty, missing or begins before 0."""
    left, right = np.asarray(left, float), np.asarray(right, float)
    if np.isnan(left).any() or np.isnan(right).any() or (left < 0).any() or (right <= left).any():
        raise ValueError("intervals need 0 <= left < right, none missing")
    return left, right
