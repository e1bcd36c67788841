"""Counts that stand beside a total: syndesmophytes and bridges (mSASSS), SENS (Sharp/van der Heijde).

All count graded sites only: nothing imputed is counted, so the number of graded sites belongs beside each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from core.scores.engine.grid import Grid, grids
from core.scores.engine.reads import Reads, code_reads
from core.scores.engine.states import apply_states
from core.scores.system import ScoreSystem

SYNDESMOPHYTE, BRIDGE = 2, 3


def companions(
    frame: pd.DataFrame,
    system: ScoreSystem,
    settings: dict[str, str] | None = None,
    *,
    by: Sequence[str] = ("reader",),
    visits: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Counts of every reading, in order of first appearance; parameters as in ``totals.compute``.

    mSASSS: ``syndesmophytes`` (corners >= 2), ``bridges`` (3); against the reader's own reading of the
    subject's first visit, over corners graded at both: ``at_risk`` (0 or 1 then), ``new_syndesmophytes``
    (0 or 1 then, 2 or 3 now), ``new_bridges`` (below 3 then, 3 now); missing without such a reading, and at
    that visit itself only ``at_risk`` is given.
    Sharp/van der Heijde: ``eroded``, ``narrowed`` (sites above 0, findings applied), ``sens`` their sum.
    Other systems: no counts. Source: domain.md A1, A2.
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
    if reads.system.name == "msasss":
        return pd.DataFrame(_corners(grid, keys["is_baseline"].to_numpy(bool)), index=keys.index)
    if reads.system.name == "mtss":
        return pd.DataFrame(_sens(reads, grid, settings), index=keys.index)
    return pd.DataFrame(index=keys.index)


def _corners(grid: Grid, is_baseline: np.ndarray) -> dict[str, np.ndarray]:
    now = grid.grade
    has_baseline = is_baseline[grid.first]
    then = np.where(has_baseline[:, None], now[grid.first], np.nan)
    both = ~np.isnan(now) & ~np.isnan(then)
    later = has_baseline & ~is_baseline
    at_risk = both & (then < SYNDESMOPHYTE)
    return {
        "syndesmophytes": (now >= SYNDESMOPHYTE).sum(axis=1),
        "bridges": (now == BRIDGE).sum(axis=1),
        "at_risk": _known(at_risk, has_baseline),
        "new_syndesmophytes": _known(at_risk & (now >= SYNDESMOPHYTE), later),
        "new_bridges": _known(both & (then < BRIDGE) & (now == BRIDGE), later),
    }


def _known(flag: np.ndarray, is_known: np.ndarray) -> np.ndarray:
    """Number of flags per reading, NaN where it cannot be known."""
    return np.where(is_known, flag.sum(axis=1), np.nan)


def _sens(reads: Reads, grid: Grid, settings: dict[str, str]) -> dict[str, np.ndarray]:
    lifted = apply_states(reads, grid, settings)
    affected = (lifted.grade > 0) & ~lifted.replaced
    is_erosion = np.array([site.feature == "erosion" for site in reads.system.sites])
    eroded, narrowed = affected[:, is_erosion].sum(axis=1), affected[:, ~is_erosion].sum(axis=1)
    return {"eroded": eroded, "narrowed": narrowed, "sens": eroded + narrowed}
