"""When images were taken: months only, for who has the cohort's key, and never beside a patient.

Dates of a patient are moved to the past by a number of days that only the key tells (docs/security.md). To
follow a device over calendar time they are moved back in memory and cut to the month; what leaves is a period
of several patients.
"""

from __future__ import annotations

import pandas as pd

from core.errors import CohortError
from data.cohort_key import cohort_key, key_fault
from data.dicom.pseudonyms import CohortKey, key_file
from data.store.cohort import CohortStore

FILM, IMPORT = "film", "import"


def months(store: CohortStore, rows: pd.DataFrame, by: str) -> pd.Series:
    """The month (``pd.Period``) of each image, NaT where it is not known.

    rows: of ``data.queries.drift.images.model_images``. by: ``film``, when it was taken, or ``import``.
    """
    if by == IMPORT:
        return pd.to_datetime(rows["imported"]).dt.to_period("M")
    if not knows_dates(store):
        return pd.Series(pd.PeriodIndex([pd.NaT] * len(rows), freq="M"), index=rows.index)
    key = cohort_key(store)
    back = [_days_back(key, row) for row in rows.itertuples()]
    moved = pd.to_datetime(rows["film_date"]) + pd.to_timedelta(pd.Series(back, rows.index), unit="D")
    return moved.dt.to_period("M")


def knows_dates(store: CohortStore) -> bool:
    """Whether the key beside the cohort is the one that its dates were moved by."""
    try:
        return key_file(store.path).exists() and not key_fault(store)
    except CohortError:
        return False


def _days_back(key: CohortKey, row: tuple) -> float:
    """By how many days the dates of an image were moved; NaN where no name that is known was used for it."""
    for name in (row.trial_subject, row.map_subject, row.subject):  # type: ignore[attr-defined]
        if isinstance(name, str) and name and key.dates_of(name) == row.dates_of:  # type: ignore[attr-defined]
            return key.days_back(name)
    return float("nan")
