"""Tables to fill in: the columns that an import reads, with the patients and visits that the cohort knows."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core import scores
from core.domain import Viewer
from data.queries.answer import answer
from data.queries.waiting_films import study_names
from data.store.cohort import CohortStore


@dataclass(frozen=True)
class Column:
    """A column of a template: what stands in it, an example, and whether a row needs it."""

    name: str
    meaning: str
    example: str
    is_needed: bool = False


SUBJECTS = (
    Column("subject", "the patient's code in the study, never a name", "S-001", True),
    Column("arm", "treatment arm; hidden while the study is blinded", "Placebo"),
    Column("sex", "F or M", "F"),
    Column("birth_year", "year of birth", "1975"),
    Column("centre", "study centre", "03"),
    Column("baseline_date", "date of baseline, by which films find their visit", "2021-03-04"),
    Column("any other", "a covariate, such as HLA-B27 or CRP", "positive"),
)
VISITS = (
    Column("subject", "without this column: one plan for all patients", "S-001"),
    Column("visit", "name of the visit", "W52", True),
    Column("visit_order", "its place in the order", "2"),
    Column("planned_day", "planned day from baseline", "364"),
    Column("window_before", "days before it that still count", "28"),
    Column("window_after", "days after it that still count", "28"),
    Column("day", "the day on which it took place", "371"),
)
READS = (
    Column("subject", "the patient's code", "S-001", True),
    Column("visit", "name of the visit", "W52", True),
    Column("reader", "who read, unless given above", "R1"),
    Column("one column a site", "the grade; empty: see below", "2", True),
)


def columns_of(shown: tuple[Column, ...]) -> pd.DataFrame:
    """The columns in words: ``column, needed, what it is, example``."""
    rows = [(one.name, "yes" if one.is_needed else "", one.meaning, one.example) for one in shown]
    return pd.DataFrame(rows, columns=["column", "needed", "what it is", "example"])


def subjects_template(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """One row for each patient who has a film or a row already, to be filled in."""
    names = [one.name for one in SUBJECTS[:-1]]
    return pd.DataFrame({"subject": _known(store, viewer, "subject")}).reindex(columns=names)


def visits_template(store: CohortStore, viewer: Viewer) -> pd.DataFrame:
    """One row for each visit by name: a plan for all patients."""
    names = [one.name for one in VISITS if one.name != "subject"]
    return pd.DataFrame({"visit": _known(store, viewer, "visit")}).reindex(columns=names)


def reads_template(store: CohortStore, viewer: Viewer, system: str) -> pd.DataFrame:
    """One row for each patient and visit with a film or a plan, one empty column for each site."""
    rows = pd.DataFrame(columns=["subject", "visit"])
    if store.exists():
        rows = answer(
            store,
            viewer,
            "SELECT subject, visit FROM visit UNION SELECT subject, visit FROM image "
            "WHERE subject IS NOT NULL AND visit IS NOT NULL",
        )
    places = {visit: place for place, visit in enumerate(_known(store, viewer, "visit"))}
    rows = rows.assign(place=rows["visit"].map(places)).sort_values(["subject", "place"], kind="stable")
    names = ["subject", "visit", "reader", *scores.get(system).codes]
    return rows.reindex(columns=names).reset_index(drop=True)


def _known(store: CohortStore, viewer: Viewer, column: str) -> list[str]:
    """Names of the cohort, visits in their order."""
    if not store.exists():
        return []
    names = study_names(store, viewer)
    return names.loc[names["kind"] == column, "name"].tolist()
