"""New syndesmophytes between two visits: a corner goes from 0 or 1 to 2 or 3 (domain.md B3)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.progression.lesions.new_lesions import VARIANTS, count_new, grade_grids, new_sites

__all__ = ["SYNDESMOPHYTE", "VARIANTS", "new_corners", "new_syndesmophytes"]

SYNDESMOPHYTE = 2


def new_corners(before: np.ndarray, after: np.ndarray) -> dict[str, np.ndarray]:
    """For each variant which corners are new, shape (subjects, sites); see ``new_sites``."""
    return new_sites(before, after, SYNDESMOPHYTE)


def new_syndesmophytes(frame: pd.DataFrame, from_visit: str, to_visit: str) -> pd.DataFrame:
    """Per subject the number of new syndesmophytes under each variant, and how many corners could be judged.

    frame: long mSASSS grades ``subject, visit, reader, site, grade``, one row per corner, NaN for missing.
    Returns ``subject, judged_corners, by_mean, by_all_readers, by_any_reader`` in file order; a subject with
    no corner graded at both visits by one reader has 0 judged corners and missing counts.
    """
    subjects, grids = grade_grids(frame, from_visit, to_visit)
    return count_new(subjects, grids, SYNDESMOPHYTE, "judged_corners")
