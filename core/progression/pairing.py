"""Which two films of a subject stand for the two visits of a change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import InputError

WINDOW_DAYS = 90.0


@dataclass(frozen=True)
class Interval:
    """From and to, in days from baseline, and how far a film may lie from either."""

    from_days: float
    to_days: float
    window: float = WINDOW_DAYS


def interval_of(
    rows: pd.DataFrame,
    from_days: float | None = None,
    to_days: float | None = None,
    window: float = WINDOW_DAYS,
) -> Interval:
    """One pair of days for everyone: those given, else day 0 and the last day with a total.

    Where no film lies within the window of day 0 the first day with a total takes its place.
    Raises InputError where there is no total, or where the days do not follow each other.
    """
    days = rows.loc[rows["total"].notna(), "days"].to_numpy()
    if not len(days):
        raise InputError("the table", "rows with a day and a total are needed", "check the columns")
    if from_days is None:
        from_days = 0.0 if (np.abs(days) <= window).any() else float(days.min())
    if to_days is None:
        to_days = float(days.max())
    if to_days <= from_days:
        raise InputError(
            f"from day {from_days:g} to day {to_days:g}",
            "a later day is needed to end with",
            "choose other days",
        )
    return Interval(from_days, to_days, window)


def choose_films(rows: pd.DataFrame, interval: Interval) -> pd.DataFrame:
    """By subject ``from_day`` and ``to_day`` of its films, NaN with a ``reason`` where one lacks.

    rows: ``subject`` (categorical), ``days``, ``total``. A film counts where any reader gave a total. The
    nearest within the window is taken, the earlier of two equally near; the second film is a later one than
    the first, so that one film never serves as both.
    """
    films = rows.loc[rows["total"].notna(), ["subject", "days"]].drop_duplicates()
    first = _nearest(films, interval.from_days, interval.window)
    start = films["subject"].map(first).astype(float)
    later = films[~(films["days"] <= start)]
    second = _nearest(later, interval.to_days, interval.window)
    subjects = rows["subject"].cat.categories
    chosen = pd.DataFrame({"from_day": first.reindex(subjects), "to_day": second.reindex(subjects)})
    served = _nearest(films, interval.to_days, interval.window).reindex(subjects)
    reason = np.full(len(chosen), None, object)
    lacking = chosen.isna().any(axis=1).to_numpy()
    first_read, last_read = (
        _without_total(rows, days, interval) for days in (interval.from_days, interval.to_days)
    )
    told = zip(
        chosen["from_day"][lacking], chosen["to_day"][lacking], served[lacking],
        first_read[lacking], last_read[lacking], strict=True,
    )  # fmt: skip
    reason[lacking] = [_reason(a, b, only, first, last, interval) for a, b, only, first, last in told]
    return chosen.assign(reason=reason)


def _without_total(rows: pd.DataFrame, days: float, interval: Interval) -> np.ndarray:
    """Of every subject, whether a film of these days was read without a total."""
    near = rows["subject"][rows["total"].isna() & ((rows["days"] - days).abs() <= interval.window)]
    return rows["subject"].cat.categories.isin(near)


def _nearest(films: pd.DataFrame, target: float, window: float) -> pd.Series:
    """Day of the film nearest to the target, by subject."""
    near = films.assign(distance=(films["days"] - target).abs())
    near = near[near["distance"] <= window].sort_values(["distance", "days"], kind="stable")
    near = near.drop_duplicates("subject")
    return pd.Series(near["days"].to_numpy(), index=near["subject"].astype("str"))


def _reason(
    from_day: float, to_day: float, served: float, is_first_read: bool, is_last_read: bool, interval: Interval
) -> str | None:
    if np.isnan(from_day):
        return _lacks(interval.from_days, interval, is_first_read)
    if not np.isnan(to_day):
        return None
    if served == from_day:
        return f"one film (day {from_day:g}) for both day {interval.from_days:g} and day {interval.to_days:g}"
    return _lacks(interval.to_days, interval, is_last_read)


def _lacks(days: float, interval: Interval, is_read: bool) -> str:
    if is_read:
        return f"read within {interval.window:g} days of day {days:g}, but without a total"
    return f"no film within {interval.window:g} days of day {days:g}"
