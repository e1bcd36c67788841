"""Grades that follow from others, and grades that cannot stand without others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.scores.engine.states import site_of_unit
from core.scores.system import Combination, ScoreSystem


def combined(
    system: ScoreSystem, combination: Combination, grade: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Grades with the combined feature looked up, and the units where the table asks a question.

    grade: shape (readings, sites), NaN for missing; a combined grade needs both parts, one given by hand is
    replaced. The mask has shape (readings, units with that feature), see ``combined_units``.
    """
    target, rows, columns = _places(system, combination)
    table = np.array([[np.nan if cell is None else cell for cell in line] for line in combination.table])
    row, column = grade[:, rows], grade[:, columns]
    known = ~(np.isnan(row) | np.isnan(column))
    looked_up = table[np.where(known, row, 0).astype(int), np.where(known, column, 0).astype(int)]
    grade = grade.copy()
    grade[:, target] = np.where(known, looked_up, np.nan)
    return grade, known & np.isnan(looked_up)


def looked_up(combination: Combination, row: Any, column: Any) -> int | None:
    """The combined grade of two grades; None for a query, and where one of them is missing."""
    if pd.isna(row) or pd.isna(column):
        return None
    return combination.table[int(row)][int(column)]


def combined_units(system: ScoreSystem, combination: Combination) -> list[str]:
    """The units in the order of the mask's columns."""
    return [system.sites[index].unit for index in _places(system, combination)[0]]


def given_combined(
    system: ScoreSystem, combination: Combination, given: np.ndarray, derived: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where a combined grade was given without both parts, and where it differs from the table's."""
    target = _places(system, combination)[0]
    own, looked_up = given[:, target], derived[:, target]
    has_own = ~np.isnan(own)
    return has_own & np.isnan(looked_up), has_own & ~np.isnan(looked_up) & (own != looked_up)


def impossible(system: ScoreSystem, grade: np.ndarray) -> np.ndarray:
    """Cells with a finding whose needed finding is graded absent all over its group; shape of ``grade``."""
    wrong = np.zeros(grade.shape, bool)
    if system.needs is None:
        return wrong
    groups: dict[str, tuple[list[int], list[int]]] = {}
    for index, site in enumerate(system.sites):
        needing, needed = groups.setdefault(site.group, ([], []))
        if site.feature == system.needs.needed:
            needed.append(index)
        elif site.feature in system.needs.features:
            needing.append(index)
    for needing, needed in groups.values():
        absent = (grade[:, needed] == 0).all(axis=1)
        wrong[:, needing] = absent[:, None] & (grade[:, needing] > 0)
    return wrong


def one_sided(system: ScoreSystem, grade: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Units where one site has the partner grade and the other, graded, has less; mask and unit names."""
    if system.partner is None:
        return np.zeros((len(grade), 0), bool), []
    pairs = [[index for index, site in enumerate(system.sites) if site.unit == unit] for unit in system.units]
    upper, lower = grade[:, [pair[0] for pair in pairs]], grade[:, [pair[1] for pair in pairs]]
    known = ~(np.isnan(upper) | np.isnan(lower))
    full = system.partner.grade
    return known & ((upper == full) != (lower == full)), list(system.units)


def _places(system: ScoreSystem, combination: Combination) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indexes of the combined sites and of their two parts, unit by unit."""
    target, rows, columns = (
        site_of_unit(system, feature)
        for feature in (combination.feature, combination.rows, combination.columns)
    )
    return target, rows, columns
