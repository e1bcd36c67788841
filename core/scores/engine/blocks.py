"""Block sums, and which blocks make the total."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.scores.engine.fill import Filled, block_columns
from core.scores.system import Choose, Fill, Rule, ScoreSystem
from core.ties import tied


@dataclass(frozen=True)
class Sums:
    """Sums per block, shape (readings, blocks).

    total: NaN where the rule forbids it.
    gaps: sites that keep a block from having a sum.
    counted: True where the block counts towards total and components.
    """

    total: np.ndarray
    gaps: np.ndarray
    counted: np.ndarray


def block_sums(system: ScoreSystem, rule: Rule, filled: Filled, in_set: np.ndarray) -> Sums:
    """Every block's sum under the rule.

    in_set: shape (readings, sites), sites of the joint set, which pro-rating scales up to.
    """
    total = np.full((len(filled.grade), len(system.blocks)), np.nan)
    gaps = np.zeros(total.shape, np.int64)
    for number, columns in enumerate(block_columns(system).values()):
        grade, dropped = filled.grade[:, columns], filled.dropped[:, columns]
        graded = ~np.isnan(grade) & ~dropped
        sums = np.where(graded, grade, 0.0).sum(axis=1)
        if rule.fill == Fill.DROP_SITE:
            short = np.where(graded.any(axis=1), 0, len(columns))
        elif rule.fill in (Fill.GRADED_ONLY, Fill.PRO_RATE):
            short = np.where(graded.any(axis=1), 0, 1)
        else:
            short = (~graded).sum(axis=1)
        if rule.fill == Fill.PRO_RATE:
            sums = sums * (in_set[:, columns].sum(axis=1) / np.maximum(graded.sum(axis=1), 1))
        total[:, number] = np.where(short == 0, sums, np.nan)
        gaps[:, number] = short
    return Sums(total, gaps, np.ones(total.shape, bool))


def choose_blocks(rule: Rule, sums: Sums, keys: pd.DataFrame, first: np.ndarray) -> tuple[Sums, np.ndarray]:
    """The sums with ``counted`` set by the rule, and a code per reading: 0 fine, else why none are counted.

    Codes: 1 fewer scorable blocks than needed at the visit that chooses, 2 no baseline reading by this
    reader, 3 a chosen block is not scorable at this visit. Ties go to the first block (most cranial).
    keys: the readings, with ``is_baseline``; first: first row of each reading's group.
    """
    fine = np.zeros(len(sums.total), np.int64)
    if rule.choose == Choose.ALL:
        return sums, fine
    chosen, enough = _worst(sums.total, rule.count)
    code = np.where(enough, 0, 1)
    if rule.choose == Choose.WORST_AT_BASELINE:
        has_baseline = keys["is_baseline"].to_numpy(bool)[first]
        chosen, code = chosen[first], np.where(has_baseline, code[first], 2)
        chosen = chosen & (code == 0)[:, None]
        lost = (chosen & np.isnan(sums.total)).any(axis=1)
        code = np.where((code == 0) & lost, 3, code)
    return Sums(sums.total, sums.gaps, chosen), code


def _worst(total: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``count`` largest of each row as a mask (none where there are fewer), and whether there were."""
    enough = (~np.isnan(total)).sum(axis=1) >= count
    level = tied(total)
    order = np.argsort(np.where(np.isnan(level), np.inf, -level), axis=1, kind="stable")[:, :count]
    chosen = np.zeros(total.shape, bool)
    np.put_along_axis(chosen, order, True, axis=1)
    return chosen & enough[:, None], enough


def component_sums(system: ScoreSystem, sums: Sums, code: np.ndarray, blocks: tuple[str, ...]) -> np.ndarray:
    """The sum of the counted ones of these blocks; NaN where one of them has none, or nothing was chosen."""
    columns = [system.blocks.index(block) for block in blocks]
    counted = sums.counted[:, columns]
    value = np.where(counted, sums.total[:, columns], 0.0).sum(axis=1)
    return np.where(np.isin(code, (1, 2)), np.nan, value)
