"""Sites that newly reach a grade between two visits, judged three ways (domain.md B3).

With several readers "new" can be asked of the mean grade, of every reader, or of any reader: three flags,
kept apart (the agreement variants are not verified against a primary paper).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.progression.progressors import TIE

VARIANTS = ("by_mean", "by_all_readers", "by_any_reader")


def new_sites(before: np.ndarray, after: np.ndarray, least: float) -> dict[str, np.ndarray]:
    """For each variant which sites go from below ``least`` to at least it, shape (subjects, sites).

    before, after: grades of shape (subjects, readers, sites), NaN for missing. A reader counts at a site only
    with both grades; the mean is over those readers. Where no reader has both nothing is new.
    """
    known = ~(np.isnan(before) | np.isnan(after))
    count = known.sum(axis=1)
    fresh = known & (before < least) & (after >= least)
    mean_before, mean_after = _mean(before, known, count), _mean(after, known, count)
    return {
        "by_mean": (count > 0) & (mean_before < least - TIE) & (mean_after >= least - TIE),
        "by_all_readers": (count > 0) & (fresh.sum(axis=1) == count),
        "by_any_reader": fresh.any(axis=1),
    }


def grade_grids(frame: pd.DataFrame, from_visit: str, to_visit: str) -> tuple[list[str], list[np.ndarray]]:
    """Subjects in file order, and the grades at both visits, each of shape (subjects, readers, sites).

    frame: long grades ``subject, visit, reader, site, grade``, one row per site, NaN for missing.
    """
    both = frame[frame["visit"].isin([from_visit, to_visit])]
    names = [list(pd.unique(both[name])) for name in ("subject", "reader", "site")]
    grids = []
    for visit in (from_visit, to_visit):
        rows = both[both["visit"] == visit]
        grid = np.full([len(known) for known in names], np.nan)
        place = [
            pd.Index(known).get_indexer(rows[name])
            for name, known in zip(("subject", "reader", "site"), names, strict=True)
        ]
        grid[place[0], place[1], place[2]] = rows["grade"].to_numpy(float)
        grids.append(grid)
    return [str(subject) for subject in names[0]], grids


def count_new(subjects: list[str], grids: list[np.ndarray], least: float, judged: str) -> pd.DataFrame:
    """Per subject the number of new sites under each variant; ``judged`` names the column of sites judged.

    A subject with no site graded at both visits by one reader has 0 judged sites and missing counts.
    """
    graded = (~np.isnan(grids[0] + grids[1])).any(axis=1).sum(axis=1)
    counts = {
        name: np.where(graded > 0, flags.sum(axis=1), np.nan)
        for name, flags in new_sites(grids[0], grids[1], least).items()
    }
    return pd.DataFrame({"subject": subjects, judged: graded, **counts})


def _mean(grade: np.ndarray, known: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.where(known, grade, 0.0).sum(axis=1) / np.maximum(count, 1)
