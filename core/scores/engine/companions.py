"""Counts that stand beside a total, as the system defines them: bridges, new bridges, eroded sites.

All count graded sites only: nothing imputed is counted, so the number of graded sites belongs beside each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from core.scores.engine.grid import Grid, grids
from core.scores.engine.reads import Reads, code_reads
from core.scores.engine.states import apply_states
from core.scores.system import Companion, Counted, ScoreSystem


def companions(
    frame: pd.DataFrame,
    system: ScoreSystem,
    settings: dict[str, str] | None = None,
    *,
    by: Sequence[str] = ("reader",),
    visits: Iterable[str] | None = None,
) -> pd.DataFrame:
    """``system.companions`` of every reading, in order of first appearance; parameters as in
    ``totals.compute``.

    Grades are those after the findings at joints, without what surgery replaced. A count against the
    reader's own reading of the subject's first visit takes sites graded at both visits; it is missing
    without such a reading, and a count of new sites also at the first visit itself.
    """
    reads = code_reads(frame, system, by=by, visits=visits)
    chosen = system.choices(settings)
    parts = [_counts(reads, grid, chosen) for grid in grids(reads)]
    names = ["subject", "visit", *reads.by]
    both = pd.concat(
        [reads.keys[[*names, "first_row"]], pd.concat(parts) if parts else pd.DataFrame()], axis=1
    )
    return both.sort_values("first_row", kind="stable", ignore_index=True).drop(columns="first_row")


def _counts(reads: Reads, grid: Grid, settings: dict[str, str]) -> pd.DataFrame:
    keys = reads.keys.iloc[grid.keys : grid.keys + len(grid.grade)]
    is_baseline = keys["is_baseline"].to_numpy(bool)
    lifted = apply_states(reads, grid, settings)
    now = np.where(lifted.replaced, np.nan, lifted.grade)
    then = np.where(is_baseline[grid.first, None], now[grid.first], np.nan)
    feature = np.array([site.feature for site in reads.system.sites])
    counts = {}
    for one in reads.system.companions:
        here = np.isin(feature, one.features)
        count = _sites(one, now[:, here], then[:, here]).sum(axis=1)
        is_now = one.counted is Counted.NOW
        counts[one.name] = count if is_now else np.where(_is_known(one, is_baseline, grid), count, np.nan)
    return pd.DataFrame(counts, index=keys.index)


def _sites(one: Companion, now: np.ndarray, then: np.ndarray) -> np.ndarray:
    """Which sites are counted, shape (readings, sites)."""
    if one.counted is Counted.NOW:
        return now >= one.grade
    was_below = (then < one.grade) & ~np.isnan(now)
    return was_below if one.counted is Counted.AT_RISK else was_below & (now >= one.grade)


def _is_known(one: Companion, is_baseline: np.ndarray, grid: Grid) -> np.ndarray:
    """Readings that can be compared with a first visit, shape (readings,)."""
    compared = is_baseline[grid.first]
    return compared & ~is_baseline if one.counted is Counted.NEW else compared
