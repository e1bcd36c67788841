"""What several pages work out from the cohort's rows: who reads, and how large the readers' error is."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core import scores as systems
from core.domain import CohortFilter
from core.progression.sdc import smallest_detectable_change
from core.reader_labels import label_kinds, people, shown_readings
from core.scores.system import ScoreSystem
from data.queries import scores
from pages.common.page import Page
from pages.common.queries import ask, computed


@dataclass(frozen=True)
class Error:
    """The readers' smallest detectable change between two visits, in score units.

    mean: of the mean of the readers; one: of one reader. n: patients read by all at both visits.
    """

    mean: float
    one: float
    n: int
    readers: tuple[str, ...]
    first: str
    last: str

    @property
    def text(self) -> str:
        return f"SDC95 (mean of {len(self.readers)} readers) {self.mean:.2f}, n = {self.n}"


def system_of(chosen: CohortFilter) -> ScoreSystem:
    return systems.get(chosen.system)


def all_patients(chosen: CohortFilter) -> CohortFilter:
    """The filter without its patients: for what belongs to the readers and not to a selection."""
    return CohortFilter(system=chosen.system, campaign=chosen.campaign)


def chosen_totals(page: Page, chosen: CohortFilter, component: str = "total") -> pd.DataFrame:
    """First reads of the chosen patients with one label a reader (see
    ``core.reader_labels.shown_readings``).
    """
    frame = ask(page, scores.totals, chosen)
    shown = shown_readings(frame[frame["component"] == component], chosen.campaign)
    if chosen.visits:
        shown = shown[shown["visit"].isin(chosen.visits)]
    shown.attrs["sql"] = frame.attrs["sql"]
    return shown


def reader_error(
    page: Page, chosen: CohortFilter, first: str, last: str, component: str = "total"
) -> Error | None:
    """The human readers' SDC between two visits, over all patients of the cohort; None below two readers."""
    found: Error | None = computed(page, _reader_error, all_patients(chosen), first, last, component)
    return found


def _reader_error(page: Page, chosen: CohortFilter, first: str, last: str, component: str) -> Error | None:
    totals = chosen_totals(page, chosen, component)
    change = change_table(totals, first, last)
    readers = [label for label in people(label_kinds(totals)) if label in change]
    complete = change[readers].dropna()
    found = smallest_detectable_change(complete.to_numpy(dtype=float))
    if found is None:
        return None
    return Error(found.limit(len(readers)), found.limit(), len(complete), tuple(readers), first, last)


def change_table(totals: pd.DataFrame, first: str, last: str) -> pd.DataFrame:
    """Change from first to last visit: a row per patient, a column per label, NaN where a total lacks."""
    return status_table(totals, last) - status_table(totals, first)


def status_table(totals: pd.DataFrame, visit: str) -> pd.DataFrame:
    """Totals at one visit: one row per patient (all patients of the frame), one column per label."""
    table = totals[totals["visit"] == visit].pivot(index="subject", columns="label", values="total")
    labels = list(label_kinds(totals))
    patients = pd.Index(totals["subject"].drop_duplicates(), name="subject")
    return table.reindex(index=patients, columns=labels).astype("float64")
