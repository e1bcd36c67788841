"""The numbers that a plan begins with, from the changes of a study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.progression.change import Changes, changes
from core.progression.courses import courses
from core.progression.pairing import Interval
from core.progression.sdc import study_sdc
from core.progression.totals_table import Readings

VISIT_GAP = 45.0  # days between films of one visit and those of the next
FEW = 3  # patients with both visits, below whom there is no correlation


@dataclass(frozen=True)
class Start:
    """What a study says about a trial like it.

    controls: the reference arm, None where there are no arms (then ``changes`` and ``mean`` are of all).
    sd, correlation: within arms. readers: whose mean a patient's change usually is. sdc: of one reader; None
    with one. retention: share of patients with a film at each visit or later; between_visits: correlations of
    the change there, given the baseline value and arm. lost: share of patients without a change.
    """

    patients: int
    controls: str | None
    readers: int
    mean: float
    sd: float | None
    sdc: float | None
    correlation: float | None
    changes: np.ndarray
    lost: float
    visits: list[float]
    retention: np.ndarray | None
    between_visits: np.ndarray | None
    notes: list[str]


def start(readings: Readings, interval: Interval) -> Start:
    """The starting numbers, of the change over the interval; what cannot be computed is None."""
    change = changes(readings, interval)
    table = change.table
    controls = change.arms[0] if len(change.arms) > 1 else None
    chosen = change.mean if controls is None else change.mean[(table["arm"] == controls).to_numpy()]
    arm = table["arm"].astype(object).where(table["arm"].notna(), "").to_numpy()
    sdc = study_sdc(change.per_reader)
    everyone = len(table) + len(change.left_out)
    visits, retention, between, notes = _visits(readings, interval)
    return Start(
        patients=len(table),
        controls=controls,
        readers=max(1, round(float(table["readers"].median()))) if len(table) else 1,
        mean=float(chosen.mean()) if len(chosen) else float("nan"),
        sd=_pooled_sd(change.mean, arm),
        sdc=None if sdc is None else sdc.limit(),
        correlation=_within(change, arm),
        changes=chosen,
        lost=len(change.left_out) / everyone if everyone else 0.0,
        visits=visits,
        retention=retention,
        between_visits=between,
        notes=notes,
    )


def _residuals(values: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """Values less the mean of their arm."""
    series = pd.Series(values)
    return (series - series.groupby(arm).transform("mean")).to_numpy()


def _pooled_sd(values: np.ndarray, arm: np.ndarray) -> float | None:
    df = len(values) - len(np.unique(arm))
    found = float(np.sqrt((_residuals(values, arm) ** 2).sum() / df)) if df > 0 else 0.0
    return found if found > 0 else None


def _within(change: Changes, arm: np.ndarray) -> float | None:
    """Correlation of change with baseline within arms."""
    first = _residuals(change.mean, arm)
    second = _residuals(change.table["from_mean"].to_numpy(float), arm)
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum() / size) if len(first) > FEW and size > 0 else None


def _visits(
    readings: Readings, interval: Interval
) -> tuple[list[float], np.ndarray | None, np.ndarray | None, list[str]]:
    """Days of the visits after baseline, retention and correlations; none with fewer than two visits."""
    course = courses(readings, interval)
    films = course.films[course.films["since"] <= interval.to_days - interval.from_days + interval.window]
    if films.empty:
        return [], None, None, []
    days = np.sort(films["since"].unique())
    starts = np.append(days[0], days[1:][np.diff(days) > VISIT_GAP])
    films = films.assign(visit=np.searchsorted(starts, films["since"], side="right") - 1)
    wide = films.groupby(["subject", "visit"])["change"].last().unstack("visit")
    patients = course.patients.set_index("subject")
    wide = wide.reindex(patients.index)
    visits = [float(films.loc[films["visit"] == visit, "since"].median()) for visit in wide.columns]
    known = wide.notna().to_numpy()
    later = np.flip(np.maximum.accumulate(np.flip(known, axis=1), axis=1), axis=1)
    if len(visits) < 2:
        return visits, None, None, []
    matrix, notes = _correlations(wide, patients)
    return visits, later.mean(axis=0), matrix, notes


def _correlations(wide: pd.DataFrame, patients: pd.DataFrame) -> tuple[np.ndarray | None, list[str]]:
    """Correlations between visits of the change, given arm and baseline value, from pairs of films."""
    arm = patients["arm"].astype(object).where(patients["arm"].notna(), "").to_numpy()
    base = patients["from_mean"].to_numpy(float)
    left = pd.DataFrame({visit: _given(wide[visit].to_numpy(float), arm, base) for visit in wide.columns})
    found = left.corr(min_periods=FEW).to_numpy()
    if np.isnan(found).any():
        return None, [
            "too few patients with two visits, or no variance at one: no correlation between visits"
        ]
    if np.linalg.eigvalsh(found).min() > 1e-3:
        return found, []
    count = len(found)
    mean = float((found.sum() - count) / (count * (count - 1)))
    mean = min(max(mean, 0.0), 0.99)
    equal = np.full((count, count), mean) + (1 - mean) * np.eye(count)
    return equal, [f"correlations between visits contradict each other: {mean:.2f} between all"]


def _given(values: np.ndarray, arm: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Values less what arm and baseline explain, NaN where missing."""
    known = ~np.isnan(values) & ~np.isnan(base)
    left = np.full(len(values), np.nan)
    y, x = _residuals(values[known], arm[known]), _residuals(base[known], arm[known])
    slope = (x @ y) / (x @ x) if known.any() and x @ x > 0 else 0.0
    left[known] = y - slope * x
    return left
