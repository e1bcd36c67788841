"""What each site adds to a total: the same engine as the totals, site by site.

A total is the sum of what its sites add, and so is each component: a test holds this to 1e-9 for every system
and rule. Nothing here decides anything about a grade; it reads what ``totals.apply_rule`` did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from core.scores.engine.fill import block_columns
from core.scores.engine.grid import grids
from core.scores.engine.reads import Reads, code_reads
from core.scores.engine.totals import Steps, apply_rule, joint_set
from core.scores.system import Choose, Fill, Rule, ScoreSystem


class How(StrEnum):
    """How a site came to what it adds."""

    GRADED = "graded"  # the reader's grade
    LIFTED = "lifted"  # a finding at the joint set the grade
    SURGERY = "surgery"  # the rule for operated joints set it
    COMBINED = "combined"  # looked up from two other grades
    IMPUTED = "imputed"  # the rule for missing sites put it in
    DROPPED = "dropped"  # left out at every visit
    NOT_CHOSEN = "not chosen"  # its block does not count at this visit
    MISSING = "not scored"  # nobody put anything in


@dataclass(frozen=True)
class Parts:
    """The sites of every reading.

    sites: one row per reading and site, readings in order of subject, ``by`` and visit: ``subject, visit``,
    the columns of ``by``, ``site, block, in_total`` (whether the block belongs to the total, not only to a
    component), ``given`` (the reader's grade, NaN where not scorable or without a row), ``grade`` (after
    findings at the joint and combination, before the rule for missing sites), ``counts`` (the grade after
    that rule), ``value`` (what it adds; 0 where it is left out, NaN where its block has no sum), ``how``
    (``How``), ``state`` (code of the finding that set the grade, "" without), ``donor`` (visit that a grade
    was taken from, "" without).
    """

    system: ScoreSystem
    rule: Rule
    settings: dict[str, str]
    sites: pd.DataFrame


def parts(
    frame: pd.DataFrame,
    system: ScoreSystem,
    rule: str | Rule | None = None,
    settings: dict[str, str] | None = None,
    *,
    by: Sequence[str] = ("reader",),
    visits: Iterable[str] | None = None,
) -> Parts:
    """What each site adds; parameters and errors as in ``totals.compute``."""
    used = rule if isinstance(rule, Rule) else system.rule(rule)
    chosen = system.choices(settings)
    wanted = joint_set(system, chosen)
    reads = code_reads(frame, system, by=by, visits=visits)
    tables = [_table(reads, used, apply_rule(reads, grid, used, chosen, wanted)) for grid in grids(reads)]
    columns = ["subject", "visit", *by, *COLUMNS]
    sites = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    return Parts(system, used, chosen, sites[columns])


COLUMNS = ("site", "block", "in_total", "given", "grade", "counts", "value", "how", "state", "donor")


def _table(reads: Reads, rule: Rule, work: Steps) -> pd.DataFrame:
    system = reads.system
    count, width = work.given.shape
    names = ["subject", "visit", *reads.by]
    frame = work.keys[names].loc[work.keys.index.repeat(width)].reset_index(drop=True)
    frame["site"] = np.tile(np.array(system.codes, object), count)
    blocks = np.array([site.block for site in system.sites], object)
    frame["block"] = np.tile(blocks, count)
    frame["in_total"] = np.tile(np.isin(blocks, system.total_blocks), count)
    frame["given"], frame["grade"] = work.given.ravel(), work.grade.ravel()
    values = added(system, rule, work)
    how = _how(system, rule, work)
    counts = np.where(
        how == How.IMPUTED, np.where(work.filled.imputed, work.filled.grade, values), work.grade
    )
    frame["counts"], frame["value"], frame["how"] = counts.ravel(), values.ravel(), how.ravel()
    codes = np.array([*(state.code for state in system.states), ""], object)
    frame["state"] = codes[work.lifted.by.ravel()]
    visits = np.append(work.keys["visit"].to_numpy(object), "")
    frame["donor"] = visits[np.maximum(work.filled.donor, work.lifted.donor).ravel()]
    return frame


def added(system: ScoreSystem, rule: Rule, work: Steps) -> np.ndarray:
    """What each site adds to the sum of its block, shape (readings, sites); see ``Parts``."""
    is_in = ~np.isnan(work.filled.grade) & ~work.filled.dropped
    values = np.where(is_in, work.filled.grade, 0.0)
    for number, columns in enumerate(block_columns(system).values()):
        total = work.sums.total[:, number]
        if rule.fill == Fill.PRO_RATE:
            rest = work.in_set[:, columns] & ~is_in[:, columns]
            share = (total - values[:, columns].sum(axis=1)) / np.maximum(rest.sum(axis=1), 1)
            values[:, columns] = np.where(rest, share[:, None], values[:, columns])
        values[np.ix_(np.isnan(total), columns)] = np.nan
        values[np.ix_(~work.sums.counted[:, number], columns)] = 0.0
    values[np.isin(work.code, (1, 2))] = np.nan
    return values


def _how(system: ScoreSystem, rule: Rule, work: Steps) -> np.ndarray:
    """``How`` of every cell, later lines winning."""
    filled = work.filled
    how = np.full(work.given.shape, How.GRADED, object)
    surgery = np.isin(work.lifted.by, [i for i, state in enumerate(system.states) if state.is_surgery])
    how[(work.lifted.by >= 0) & ~surgery] = How.LIFTED
    how[surgery & work.lifted.replaced] = How.SURGERY
    if system.combination is not None:
        how[:, [site.feature == system.combination.feature for site in system.sites]] = How.COMBINED
    how[np.isnan(work.grade)] = How.MISSING
    imputed = filled.imputed
    if rule.fill == Fill.PRO_RATE:
        has_sum = ~np.isnan(work.sums.total)[:, [system.blocks.index(site.block) for site in system.sites]]
        imputed = work.in_set & np.isnan(work.grade) & has_sum
    how[imputed] = How.IMPUTED
    how[filled.dropped] = How.DROPPED
    if rule.choose != Choose.ALL:
        place = [system.blocks.index(site.block) for site in system.sites]
        how[~work.sums.counted[:, place]] = How.NOT_CHOSEN
    return how
