"""New syndesmophytes between two visits, judged three ways (domain.md B3; variants not verified there).

A corner is new where it goes from 0 or 1 to 2 or 3. With several readers that can be asked of the mean grade,
of every reader, or of any reader: three flags, kept apart.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.progression.progressors import TIE

SYNDESMOPHYTE = 2
VARIANTS = ("by_mean", "by_all_readers", "by_any_reader")


def new_corners(before: np.ndarray, after: np.ndarray) -> dict[str, np.ndarray]:
    """For each variant which sites are new, shape (subjects, sites).

    before, after: grades of shape (subjects, readers, sites), NaN for missing. A reader counts at a site only
    with both grades; the mean is over those readers, at or above 2 after and below 2 before. Where no
    reader has both nothing is new.
    """
    known = ~(np.isnan(before) | np.isnan(after))
    count = known.sum(axis=1)
    fresh = known & (before < SYNDESMOPHYTE) & (after >= SYNDESMOPHYTE)
    mean_before, mean_after = _mean(before, known, count), _mean(after, known, count)
    return {
        "by_mean": (count > 0) & (mean_before < SYNDESMOPHYTE - TIE) & (mean_after >= SYNDESMOPHYTE - TIE),
        "by_all_readers": (count > 0) & (fresh.sum(axis=1) == count),
        "by_any_reader": fresh.any(axis=1),
    }


def new_syndesmophytes(frame: pd.DataFrame, from_visit: str, to_visit: str) -> pd.DataFrame:
    """Per subject the number of new syndesmophytes under each variant, and how many corners could be judged.

    frame: long mSASSS grades ``subject, visit, reader, site, grade``, one row per corner, NaN for missing.
    Returns ``subject, judged_corners, by_mean, by_all_readers, by_any_reader`` in file order; a subject with
    no corner graded at both visits by one reader has 0 judged corners and missing counts.
    """
    both = frame[frame["visit"].isin([from_visit, to_visit])]
    subjects, readers, sites = (list(pd.unique(both[name])) for name in ("subject", "reader", "site"))
    grids = []
    for visit in (from_visit, to_visit):
        rows = both[both["visit"] == visit]
        grid = np.full((len(subjects), len(readers), len(sites)), np.nan)
        place = [
            pd.Index(names).get_indexer(rows[name])
            for name, names in (("subject", subjects), ("reader", readers), ("site", sites))
        ]
        grid[place[0], place[1], place[2]] = rows["grade"].to_numpy(float)
        grids.append(grid)
    judged = (~np.isnan(grids[0] + grids[1])).any(axis=1).sum(axis=1)
    counts = {
        name: np.where(judged > 0, flags.sum(axis=1), np.nan) for name, flags in new_corners(*grids).items()
    }
    return pd.DataFrame({"subject": subjects, "judged_corners": judged, **counts})


def _mean(grade: np.ndarray, known: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.where(known, grade, 0.0).sum(axis=1) / np.maximum(count, 1)
