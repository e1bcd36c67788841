"""New lesions between two visits, such as syndesmophytes or erosions, judged three ways.

With several readers "new" can be asked of the mean grade, of every reader, or of any reader: three flags,
kept apart (the agreement variants are not verified against a primary paper).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.ties import TIE

VARIANTS = ("by_mean", "by_all_readers", "by_any_reader")


def new_lesions(before: np.ndarray, after: np.ndarray, grade: float) -> dict[str, np.ndarray]:
    """For each variant which sites go from below ``grade`` to at least it, shape (subjects, sites).

    before, after: grades of shape (subjects, readers, sites), NaN for missing. A reader counts at a site only
    with both grades; the mean is over those readers. Where no reader has both nothing is new.
    """
    known = ~(np.isnan(before) | np.isnan(after))
    count = known.sum(axis=1)
    fresh = known & (before < grade) & (after >= grade)
    mean_before, mean_after = _mean(before, known, count), _mean(after, known, count)
    return {
        "by_mean": (count > 0) & (mean_before < grade - TIE) & (mean_after >= grade - TIE),
        "by_all_readers": (count > 0) & (fresh.sum(axis=1) == count),
        "by_any_reader": fresh.any(axis=1),
    }


def count_new(subjects: Sequence[str], before: np.ndarray, after: np.ndarray, grade: float) -> pd.DataFrame:
    """Per subject ``subject``, ``judged`` (sites) and the number of new lesions under each variant.

    before, after: as in ``new_lesions``. A subject with no site graded at both visits by one reader has 0
    judged sites and missing counts.
    """
    judged = (~np.isnan(before + after)).any(axis=1).sum(axis=1)
    counts = {
        name: np.where(judged > 0, flags.sum(axis=1), np.nan)
        for name, flags in new_lesions(before, after, grade).items()
    }
    return pd.DataFrame({"subject": subjects, "judged": judged, **counts})


def newly_affected(counts: pd.DataFrame, before: np.ndarray, after: np.ndarray, grade: float) -> pd.DataFrame:
    """Under each variant 1.0 where a subject without any lesion at the first visit has one at the second, 0.0
    where not, missing for a subject who had one already or could not be judged.

    Without any: no reader saw one at any site, whether or not it could be graded again, so that the variants
    are of the same subjects. counts: of ``count_new`` for these grades, shape (subjects, readers, sites).
    """
    free = ~(before >= grade - TIE).any(axis=(1, 2))
    flags = {}
    for variant in VARIANTS:
        is_known = free & counts[variant].notna().to_numpy()
        flags[variant] = np.where(is_known, (counts[variant] > 0).to_numpy(float), np.nan)
    return pd.DataFrame(flags, index=counts.index)


def _mean(grade: np.ndarray, known: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.where(known, grade, 0.0).sum(axis=1) / np.maximum(count, 1)
