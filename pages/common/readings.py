"""What several pages work out from the cohort's rows: who reads, and how large the readers' error is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from core import scores as systems
from core.domain import CohortFilter
from core.progression.sdc import study_sdc
from core.reader_labels import label_kinds, people, shown_readings
from core.scores.system import ScoreSystem
from data.queries import scores
from pages.common.page import Page
from pages.common.queries import Request, asking, computed, fetch


def rejected_films(refused: pd.DataFrame) -> pd.DataFrame:
    """Films that a model rejected, with what that means for the region: another film may give its grades.

    refused: ``data.queries.scores.abstentions``. ``subject, visit, body_part, grades of the region, reason,
    reader, image``.
    """
    of_region = refused["instead"].map(_instead)
    rows = refused.assign(**{"grades of the region": of_region})
    return rows[["subject", "visit", "body_part", "grades of the region", "reason", "reader", "image"]]


def _instead(films: int) -> str:
    return "none" if not films else "from another film" if films == 1 else f"from {films} other films"


@dataclass(frozen=True)
class Error:
    """The readers' smallest detectable change between two visits, in score units.

    one: of one reader. averaged: readers that a patient usually has. n: patients whose readers' disagreement
    it comes from. is_pool: whether every patient is read by some of many readers.
    """

    one: float
    averaged: int
    n: int
    readers: tuple[str, ...]
    first: str
    last: str
    is_pool: bool = False

    def limit(self, readers: int) -> float:
        """SDC of so many readers, by which a patient's change is judged; 0: of as many as usual.

        The study's counts judge everybody by one cut-off where readers read all patients
        (``core.progression.sdc.judged_by``); what is said of one patient goes by the readers he has.
        """
        return self.one / math.sqrt(readers or self.averaged)

    @property
    def mean(self) -> float:
        """SDC of the mean of as many readers as a patient usually has."""
        return self.limit(self.averaged)

    @property
    def text(self) -> str:
        """The same in words."""
        return self.text_of(self.averaged)

    def text_of(self, readers: int) -> str:
        """The SDC of so many readers in words, with what it comes from."""
        number = readers or self.averaged
        whose = "one reader" if number == 1 else f"mean of {number} readers"
        pool = f" of a pool of {len(self.readers)} readers" if self.is_pool else ""
        counts = ""
        if not self.is_pool and number < self.averaged:
            counts = f"; counts of the study use {self.mean:.2f}, of the mean of {self.averaged}"
        return f"SDC95 ({whose}) {self.limit(number):.2f}, n = {self.n}{pool}{counts}"


def system_of(chosen: CohortFilter) -> ScoreSystem:
    return systems.get(chosen.system)


def all_patients(chosen: CohortFilter) -> CohortFilter:
    """The filter without its patients: for what belongs to the readers and not to a selection."""
    return CohortFilter(system=chosen.system, campaign=chosen.campaign)


def asked_totals(chosen: CohortFilter, rule: str = "") -> Request:
    """The question for the totals of the chosen patients, as they are stored or under another rule."""
    if rule in ("", system_of(chosen).default_rule.name):
        return asking(scores.totals, chosen)
    return asking(scores.totals_under, chosen, rule)


def chosen_totals(page: Page, chosen: CohortFilter, component: str = "total", rule: str = "") -> pd.DataFrame:
    """First reads of the chosen patients with one label a reader (see
    ``core.reader_labels.shown_readings``). rule: the system's default without one.
    """
    frame = fetch(page, asked_totals(chosen, rule))[0]
    shown = shown_readings(frame[frame["component"] == component], chosen.campaign)
    if chosen.visits:
        shown = shown[shown["visit"].isin(chosen.visits)]
    shown.attrs["sql"] = frame.attrs["sql"]
    return shown


def reader_error(
    page: Page, chosen: CohortFilter, first: str, last: str, component: str = "total", rule: str = ""
) -> Error | None:
    """The human readers' SDC between two visits, over all patients of the cohort; None below two readers.

    rule: under which the totals are made, the system's default without one.
    """
    found: Error | None = computed(page, _reader_error, all_patients(chosen), first, last, component, rule)
    return found


def _reader_error(
    page: Page, chosen: CohortFilter, first: str, last: str, component: str, rule: str
) -> Error | None:
    totals = chosen_totals(page, chosen, component, rule)
    change = change_table(totals, first, last)
    readers = [label for label in people(label_kinds(totals)) if label in change]
    found = study_sdc(change[readers].dropna(how="all").to_numpy(dtype=float))
    if found is None:
        return None
    return Error(
        found.limit(), found.averaged, found.subjects, tuple(readers), first, last, is_pool=found.is_pool
    )


def change_table(totals: pd.DataFrame, first: str, last: str) -> pd.DataFrame:
    """Change from first to last visit: a row per patient, a column per label, NaN where a total lacks."""
    return status_table(totals, last) - status_table(totals, first)


def status_table(totals: pd.DataFrame, visit: str) -> pd.DataFrame:
    """Totals at one visit: one row per patient (all patients of the frame), one column per label."""
    table = totals[totals["visit"] == visit].pivot(index="subject", columns="label", values="total")
    labels = list(label_kinds(totals))
    patients = pd.Index(totals["subject"].drop_duplicates(), name="subject")
    return table.reindex(index=patients, columns=labels).astype("float64")
