"""Change between two films: within each reader first, then the mean over readers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.progression.annualise import change_per_year
from core.progression.pairing import Interval, choose_films
from core.progression.totals_table import Readings


@dataclass(frozen=True)
class Changes:
    """Change of every subject who has both films read by the same reader.

    table: one row per subject in file order: ``subject, arm, from_day, to_day, from_mean, to_mean,
    mean_change, annualised, readers`` (how many averaged; the two means are over the same ones).
    per_reader: shape (subjects, readers), NaN where the reader lacks one of the films.
    left_out: ``subject, reason``. arms: those with a change, the reference first.
    """

    interval: Interval
    readers: list[str]
    table: pd.DataFrame
    per_reader: np.ndarray
    left_out: pd.DataFrame
    arms: list[str]

    @property
    def mean(self) -> np.ndarray:
        return self.table["mean_change"].to_numpy()

    @property
    def is_complete(self) -> np.ndarray:
        """Subjects whose change every reader has."""
        return np.asarray(~np.isnan(self.per_reader).any(axis=1))

    @property
    def complete(self) -> np.ndarray:
        """Change by reader of the complete subjects, shape (subjects, readers): what the SDC is made of."""
        return self.per_reader[self.is_complete]


def changes(readings: Readings, interval: Interval) -> Changes:
    """Change from the first to the second film of every subject."""
    rows = readings.rows
    films = choose_films(rows, interval)
    first = totals_at(readings, films["from_day"])
    second = totals_at(readings, films["to_day"])
    per_reader = second - first
    known = ~np.isnan(per_reader)
    count = known.sum(axis=1)
    in_ = count > 0
    arm = rows.drop_duplicates("subject").set_index("subject")["arm"].reindex(films.index).astype(object)
    table = pd.DataFrame(
        {
            "subject": films.index,
            "arm": arm.where(arm.notna(), None).to_numpy(),
            "from_day": films["from_day"].to_numpy(),
            "to_day": films["to_day"].to_numpy(),
            "from_mean": _mean(first, known),
            "to_mean": _mean(second, known),
            "mean_change": _mean(per_reader, known),
            "readers": count,
        }
    )[in_].reset_index(drop=True)
    table.insert(7, "annualised", change_per_year(table["mean_change"], table["to_day"] - table["from_day"]))
    reason = films["reason"].where(films["reason"].notna(), "no reader has a total on both films")
    left_out = pd.DataFrame({"subject": films.index[~in_], "reason": reason[~in_].to_numpy()})
    present = set(table["arm"].dropna())
    arms = [name for name in readings.arms if name in present]
    return Changes(interval, readings.readers, table, per_reader[in_], left_out, arms)


def totals_at(readings: Readings, day: pd.Series) -> np.ndarray:
    """Totals on each subject's chosen day, shape (subjects, readers), NaN where there is none."""
    rows = readings.rows
    subject = rows["subject"].cat.codes.to_numpy()
    here = rows["days"].to_numpy() == day.to_numpy()[subject]
    grid = np.full((len(day), len(readings.readers)), np.nan)
    grid[subject[here], rows["reader"].cat.codes.to_numpy()[here]] = rows["total"].to_numpy()[here]
    return grid


def _mean(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean over the known columns of each row, NaN where there is none."""
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
