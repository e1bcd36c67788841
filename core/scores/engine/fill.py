"""Missing-site rules on arrays: what a site that was not graded counts as; sources are those of the rules.

Every function takes grades of shape (readings, sites) with NaN for missing, and gives new ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.scores.engine.grid import Grid, earlier, in_group, later
from core.scores.engine.states import maxima
from core.scores.system import Fill, Rule, ScoreSystem


@dataclass(frozen=True)
class Filled:
    """Grades after the rule, and what it did.

    grade: shape (readings, sites); NaN where still missing.
    imputed, dropped: same shape, True where the rule put a grade in, or left the site out of the sum.
    donor: same shape, row of the other visit that a grade was taken from, -1 where from none.
    """

    grade: np.ndarray
    imputed: np.ndarray
    dropped: np.ndarray
    donor: np.ndarray


def fill(system: ScoreSystem, rule: Rule, grid: Grid, grade: np.ndarray) -> Filled:
    """The grades under the rule; what cannot be filled stays NaN and ends in a missing block."""
    missing = np.isnan(grade)
    nothing = np.zeros(grade.shape, bool)
    donor = np.broadcast_to(np.int64(-1), grade.shape)
    if rule.fill == Fill.BLOCK_MEAN:
        grade = _block_mean(system, rule, grade, missing)
    elif rule.fill == Fill.OTHER_VISIT:
        donor = _donor(grid, missing)
        grade = _other_visit(grade, donor)
    elif rule.fill == Fill.OTHER_VISIT_PLUS_CHANGE:
        donor = _donor(grid, missing)
        grade = _plus_change(system, grade, missing, donor)
    elif rule.fill == Fill.DROP_SITE:
        return Filled(grade, nothing, in_group(missing, grid.first, grid.last), donor)
    return Filled(grade, missing & ~np.isnan(grade), nothing, donor)


def _block_mean(system: ScoreSystem, rule: Rule, grade: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Missing sites take the mean of their block where enough of it is graded."""
    grade = grade.copy()
    for columns in block_columns(system).values():
        gaps = missing[:, columns].sum(axis=1)
        rows = np.flatnonzero((gaps > 0) & block_is_allowed(rule, gaps, len(columns)))
        part = grade[np.ix_(rows, columns)]
        part = np.where(np.isnan(part), np.nanmean(part, axis=1, keepdims=True), part)
        grade[np.ix_(rows, columns)] = part
    return grade


def block_is_allowed(rule: Rule, gaps: np.ndarray, size: int) -> np.ndarray:
    """Whether a block of ``size`` sites with so many missing may be imputed under the rule."""
    allowed = gaps < size
    if rule.max_missing is not None:
        allowed &= gaps <= rule.max_missing
    if rule.min_share is not None:
        allowed &= (size - gaps) >= rule.min_share * size
    return allowed


def _donor(grid: Grid, missing: np.ndarray) -> np.ndarray:
    """For each missing cell the row of the other visit: nearest earlier, else nearest later; -1 if none."""
    before, after = earlier(~missing, grid.first), later(~missing, grid.last)
    return np.where(missing, np.where(before >= 0, before, after), -1)


def _other_visit(grade: np.ndarray, donor: np.ndarray) -> np.ndarray:
    return np.where(donor >= 0, np.take_along_axis(grade, np.maximum(donor, 0), axis=0), grade)


def _plus_change(
    system: ScoreSystem, grade: np.ndarray, missing: np.ndarray, donor: np.ndarray
) -> np.ndarray:
    """The other visit's grade plus the block's mean change from that visit to this one, within the range."""
    filled = grade.copy()
    largest = maxima(system)
    for columns in block_columns(system).values():
        row, place = np.nonzero(missing[:, columns] & (donor[:, columns] >= 0))
        site = columns[place]
        other = donor[row, site]
        pairs, pair = np.unique(np.column_stack([row, other]), axis=0, return_inverse=True)
        change = grade[np.ix_(pairs[:, 0], columns)] - grade[np.ix_(pairs[:, 1], columns)]
        both = (~np.isnan(change)).sum(axis=1)
        mean = np.where(both > 0, np.nansum(change, axis=1) / np.maximum(both, 1), np.nan)
        value = grade[other, site] + mean[pair.ravel()]
        filled[row, site] = np.clip(value, 0, largest[site])
    return filled


def block_columns(system: ScoreSystem) -> dict[str, np.ndarray]:
    """Block name to the indexes of its sites."""
    return {
        block: np.array([index for index, site in enumerate(system.sites) if site.block == block])
        for block in system.blocks
    }
