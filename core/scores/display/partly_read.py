"""Totals of the worst blocks of a score among those that could be read, where others could not.

A rule that chooses blocks has a total as soon as enough of them were read, so a total of a few blocks looks
like any other, and may be too low. Pages say which ones are.
"""

from __future__ import annotations

import pandas as pd

from core.scores.system import ScoreSystem


def partly_read(totals: pd.DataFrame, system: ScoreSystem) -> pd.DataFrame:
    """The rows with a whole total (``component`` total) though sites were not graded; none of other scores.

    totals: columns ``component, total, scored_sites``.
    """
    if not system.chooses_blocks:
        return totals.iloc[:0]
    is_total = (totals["component"] == "total") & totals["total"].notna()
    return totals[is_total & (totals["scored_sites"] < len(system.sites_of("total")))]


def in_words(found: pd.DataFrame, system: ScoreSystem) -> str:
    """What the rows of ``partly_read`` are, in a sentence; ``""`` of none."""
    if found.empty:
        return ""
    many = "1 total is" if len(found) == 1 else f"{len(found):,} totals are"
    blocks = len({site.block for site in system.sites_of("total")})
    return (
        f"{many} the worst {system.block_title}s among those that could be read, not among all {blocks}, "
        "and may be too low."
    )
