"""New erosions between two visits of hands and feet: a site goes from 0 to 1 or more (domain.md B3)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.progression.lesions.new_lesions import VARIANTS, count_new, grade_grids
from core.progression.progressors import TIE

ERODED = 1


def new_erosions(frame: pd.DataFrame, from_visit: str, to_visit: str) -> pd.DataFrame:
    """Per subject the number of newly eroded sites under each variant, and who is newly eroded.

    frame: long Sharp/van der Heijde grades ``subject, visit, reader, site, grade`` with ``feature`` where it
    is known: then only rows of ``erosion`` count, else sites written with ``.E.``.
    Returns ``subject, judged_sites, by_mean, by_all_readers, by_any_reader`` (new sites; the mean of readers
    must reach 1) and ``newly_eroded_`` + variant: 1.0 where a patient without any erosion at the first visit
    has one at the second, 0.0 where not, missing for a patient who had one already or could not be judged.
    """
    is_erosion = (
        frame["feature"] == "erosion"
        if "feature" in frame.columns and frame["feature"].notna().any()
        else frame["site"].astype(str).str.contains(".E.", regex=False)
    )
    subjects, grids = grade_grids(frame[is_erosion], from_visit, to_visit)
    counts = count_new(subjects, grids, ERODED, "judged_sites")
    eroded = newly_eroded(counts, *grids)
    return counts.join(eroded.add_prefix("newly_eroded_"))


def newly_eroded(counts: pd.DataFrame, before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    """Under each variant who is newly eroded: 1.0, 0.0, or missing (see ``new_erosions``).

    counts: of ``new_sites.count_new`` for these erosion grades, shape (subjects, readers, sites).
    """
    clean = _free_of_erosion(before, after)
    found = {}
    for variant in VARIANTS:
        is_new = (counts[variant] > 0).to_numpy(float)
        known = clean[variant] & counts[variant].notna().to_numpy()
        found[variant] = np.where(known, is_new, np.nan)
    return pd.DataFrame(found, index=counts.index)


def _free_of_erosion(before: np.ndarray, after: np.ndarray) -> dict[str, np.ndarray]:
    """Subjects without an eroded site at the first visit, as each variant sees it, shape (subjects,)."""
    known = ~(np.isnan(before) | np.isnan(after))
    count = known.sum(axis=1)
    mean = np.where(known, before, 0.0).sum(axis=1) / np.maximum(count, 1)
    eroded = known & (before >= ERODED)
    return {
        "by_mean": ~((count > 0) & (mean >= ERODED - TIE)).any(axis=1),
        "by_all_readers": ~((count > 0) & (eroded.sum(axis=1) == count)).any(axis=1),
        "by_any_reader": ~eroded.any(axis=(1, 2)),
    }
