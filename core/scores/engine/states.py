"""Findings at a joint that lift or replace its grades: ankylosis, luxation, surgery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.scores.engine.grid import Grid, earlier
from core.scores.engine.reads import Reads
from core.scores.system import ScoreSystem, State


@dataclass(frozen=True)
class Lifted:
    """Grades after the findings at joints; every array has shape (readings, sites).

    replaced: True where a rule set the grade instead of the reader (surgery).
    by: which of ``system.states`` set the grade, -1 where the reader's own stands.
    donor: row of the grid whose grade was kept after surgery, -1 elsewhere.
    """

    grade: np.ndarray
    replaced: np.ndarray
    by: np.ndarray
    donor: np.ndarray


def apply_states(reads: Reads, grid: Grid, settings: dict[str, str]) -> Lifted:
    """Grades after every state, and what set them.

    A lifted grade is the larger of the reader's and the state's, never a sum; a joint without a grade gets
    the state's. ``grid.grade`` is left as it is.
    """
    grade = grid.grade.copy()
    replaced = np.zeros(grade.shape, bool)
    none = np.broadcast_to(np.int64(-1), grade.shape)
    if not len(grid.state_rows):
        return Lifted(grade, replaced, none, none)
    by, donor = none.copy(), none.copy()
    system = reads.system
    for index, state in enumerate(system.states):
        rows = grid.state_rows[
            (reads.state_code[grid.state_rows] == index) & (reads.state_grade[grid.state_rows] == 1)
        ]
        key, unit = reads.state_key[rows] - grid.keys, reads.state_unit[rows]
        for feature, lift in _lifts(state, settings):
            raised = _lift(system, grade, key, unit, feature, lift)
            by[raised] = index
        if state.is_surgery and len(rows):
            operated = _operated(system, grid, key, unit)
            replaced |= operated
            choice = settings[f"{system.name}.after_surgery"]
            grade, donor = _after_surgery(system, grid, grade, operated, choice)
            by[operated] = index
    return Lifted(grade, replaced & ~np.isnan(grade), by, donor)


def _lifts(state: State, settings: dict[str, str]) -> tuple[tuple[str, int], ...]:
    extra = state.lifts_under if state.setting and settings[state.setting] == state.value else ()
    return state.lifts + extra


def _lift(
    system: ScoreSystem, grade: np.ndarray, key: np.ndarray, unit: np.ndarray, feature: str, lift: int
) -> tuple[np.ndarray, np.ndarray]:
    """Raise the grade of this feature at these joints; a joint without the feature stays out.

    Returns the cells (rows, sites) whose grade it set.
    """
    site = site_of_unit(system, feature)[unit]
    key, site = key[site >= 0], site[site >= 0]
    value = maxima(system)[site] if lift < 0 else np.full(len(site), lift)
    raised = ~(grade[key, site] >= value)
    grade[key, site] = np.fmax(grade[key, site], value)
    return key[raised], site[raised]


def _operated(system: ScoreSystem, grid: Grid, key: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Cells at and after the first visit with surgery on their joint, in the same group."""
    surgery = np.zeros((len(grid.grade), len(system.units)), bool)
    surgery[key, unit] = True
    return np.asarray((earlier(surgery, grid.first) >= 0)[:, unit_of_site(system)])


def _after_surgery(
    system: ScoreSystem, grid: Grid, grade: np.ndarray, operated: np.ndarray, choice: str
) -> tuple[np.ndarray, np.ndarray]:
    """Grades with those of operated joints set, and the rows that they were taken from, -1 where none."""
    if choice == "maximum":
        return np.where(operated, maxima(system), grade), np.full(grade.shape, -1)
    before = np.where(operated, np.nan, grade)
    donor = earlier(~np.isnan(before), grid.first)
    kept = np.where(donor >= 0, np.take_along_axis(before, np.maximum(donor, 0), axis=0), np.nan)
    return np.where(operated, kept, grade), np.where(operated, donor, -1)


def site_of_unit(system: ScoreSystem, feature: str) -> np.ndarray:
    """For each unit the index of its site with this feature, -1 where it has none."""
    place = {site.unit: index for index, site in enumerate(system.sites) if site.feature == feature}
    return np.array([place.get(unit, -1) for unit in system.units])


def unit_of_site(system: ScoreSystem) -> np.ndarray:
    place = {unit: index for index, unit in enumerate(system.units)}
    return np.array([place[site.unit] for site in system.sites])


def maxima(system: ScoreSystem) -> np.ndarray:
    return np.array([site.maximum for site in system.sites], np.float64)
