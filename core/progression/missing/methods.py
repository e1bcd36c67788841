"""Change at the second visit for everyone with a baseline film: what stands in for films that are missing.

Each method answers another question (its estimand); none of them creates information. Single values put in
(all but multiple imputation) count as if they had been observed, so their intervals are too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.progression.courses import Courses
from core.progression.missing.extrapolation import (
    MIN_INTERVAL,
    carry_forward,
    extrapolate_linearly,
    interpolate,
)
from core.ties import is_below


@dataclass(frozen=True)
class Method:
    """name: as in options. title: for people. estimand: what the result then stands for."""

    name: str
    title: str
    estimand: str
    is_multiple: bool = False


METHODS = (
    Method(
        "observed",
        "observed films only",
        "Mean change among patients with both films; it stands for all of them only if films are missing by "
        "chance alone.",
    ),
    Method(
        "linear",
        "linear extrapolation",
        "Mean change had every patient without the film gone on at the rate up to the last film "
        "(linear extrapolation); it keeps the mean and widens the spread. A film sooner after baseline than "
        "the shortest interval (12 weeks unless set) has no rate that could go on.",
    ),
    Method(
        "locf",
        "last observation carried forward",
        "Mean change had nothing happened after a patient's last film (LOCF); for damage that only grows "
        "this is too low.",
    ),
    Method(
        "interpolation",
        "interpolation",
        "Mean change among patients with the film, or with films on both sides of it, change in between "
        "taken as even; nobody is extrapolated.",
    ),
    Method(
        "multiple",
        "multiple imputation",
        "Mean change of all patients with a baseline film had no film been missing, where being missing "
        "depends only on arm, baseline and the films that there are (missing at random). Its intervals do "
        "not hold where patients left after a large change: see the weighted estimate among the estimands.",
        is_multiple=True,
    ),
)
BY_NAME = {method.name: method for method in METHODS}


@dataclass(frozen=True)
class FilledChange:
    """Change from baseline to the second visit of every patient of the courses.

    change: shape (imputations, patients), one row unless the method is multiple; NaN where the method gives
    none. is_imputed: (patients,), True where the value is not that of a film. films_used: (subject, day) of
    the films that values rest on. readers: (patients,), how many gave the change at the film of the second
    visit, NaN where it is put in. too_early: (subject, since) of patients whose only rate comes from a film
    too soon after baseline to go on with; they have no value.
    """

    method: Method
    change: np.ndarray
    is_imputed: np.ndarray
    films_used: pd.DataFrame
    readers: np.ndarray
    too_early: tuple[tuple[str, float], ...] = ()

    @property
    def is_known(self) -> np.ndarray:
        return np.asarray(~np.isnan(self.change).any(axis=0))


def observed_change(courses: Courses) -> np.ndarray:
    """Change at the film of the second visit, NaN without one, shape (patients,)."""
    keys = pd.MultiIndex.from_frame(courses.patients[["subject", "target_day"]])
    value = courses.films.set_index(["subject", "day"])["change"]
    return np.asarray(value.reindex(keys).to_numpy(float))


def observed_readers(courses: Courses) -> np.ndarray:
    """How many readers gave the change at the film of the second visit, NaN without one, (patients,)."""
    keys = pd.MultiIndex.from_frame(courses.patients[["subject", "target_day"]])
    value = courses.films.set_index(["subject", "day"])["readers"]
    return np.asarray(value.reindex(keys).to_numpy(float))


def fill_change(courses: Courses, name: str, *, min_interval: float = MIN_INTERVAL) -> FilledChange:
    """Change under one of the single-value methods; see ``METHODS``.

    min_interval: shortest time from baseline to a film whose rate ``linear`` lets go on, in days: two weeks
    of reading error would become years of progression.

    ``linear`` and ``locf`` need a film after baseline and before the second visit, ``interpolation`` one
    after the second visit (baseline may be the one before). Target time is that between the planned days.
    """
    seen = observed_change(courses)
    before, after = _beside(courses, is_before=True), _beside(courses, is_before=False)
    interval = courses.interval
    target = np.full(len(seen), interval.to_days - interval.from_days)
    if name == "linear":
        value = extrapolate_linearly(before["change"], before["since"], target, min_interval)
    elif name == "locf":
        value = carry_forward(np.column_stack([before["change"], np.full(len(seen), np.nan)]))[:, 1]
    elif name == "interpolation":
        value = _between(before, after, target)
    else:
        value = np.full(len(seen), np.nan)
    change = np.where(np.isnan(seen), value, seen)
    is_imputed = np.isnan(seen) & ~np.isnan(change)
    used = _films_used(courses, ~np.isnan(change), is_imputed, before, after, name == "interpolation")
    is_early = np.isnan(change) & is_below(before["since"], min_interval) & (name == "linear")
    early = zip(courses.patients["subject"][is_early], before["since"][is_early], strict=True)
    too_early = tuple((str(subject), float(since)) for subject, since in early)
    return FilledChange(BY_NAME[name], change[None], is_imputed, used, observed_readers(courses), too_early)


def _beside(courses: Courses, *, is_before: bool) -> pd.DataFrame:
    """Each patient's last film before the second visit's planned day, or first one after it."""
    films = courses.films
    side = films["day"] < courses.interval.to_days
    films = films[side if is_before else ~side]
    films = films.drop_duplicates("subject", keep="last" if is_before else "first").set_index("subject")
    return films.reindex(courses.patients["subject"])[["day", "since", "change"]].reset_index(drop=True)


def _between(before: pd.DataFrame, after: pd.DataFrame, target: np.ndarray) -> np.ndarray:
    """On the line between both neighbours in time; baseline (no change) is one where no film lies between."""
    start, since = before["change"].fillna(0.0), before["since"].fillna(0.0)
    has_after = after["since"].to_numpy() > target
    values = np.column_stack([start, np.full(len(target), np.nan), after["change"]])
    days = np.column_stack([since, target, np.where(has_after, after["since"], target + 1)])
    return np.where(has_after & (since < target), interpolate(values, days)[:, 1], np.nan)


def _films_used(
    courses: Courses,
    is_known: np.ndarray,
    is_imputed: np.ndarray,
    before: pd.DataFrame,
    after: pd.DataFrame,
    is_both: bool,
) -> pd.DataFrame:
    patients = courses.patients
    parts = [(is_known, patients["from_day"]), (is_known & ~is_imputed, patients["target_day"])]
    parts += [(is_imputed, before["day"])] + ([(is_imputed, after["day"])] if is_both else [])
    frames = [
        pd.DataFrame({"subject": patients["subject"][mask], "day": day[mask]}).dropna() for mask, day in parts
    ]
    return pd.concat(frames, ignore_index=True)
