"""One patient and the two visits compared: choosing them, and every row that the Patient page shows."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.domain import CohortFilter
from core.reader_labels import label_kinds, people, shown_readings
from core.scores.system import ScoreSystem
from data.queries import cohort, patient, scores
from data.queries.readings import visits_in_order
from pages.common import guards, url_state
from pages.common import session_keys as keys
from pages.common.page import Page
from pages.common.queries import ask, asking, fetch
from pages.common.readings import Error, reader_error, system_of


@dataclass(frozen=True)
class Case:
    """One patient and the two visits compared, with every row that the page shows.

    grades: of sites. special: findings beside them (``data.queries.scores.special_findings``), with labels.
    """

    subject: str
    first: str
    last: str
    chosen: CohortFilter
    system: ScoreSystem
    visits: list[str]
    totals: pd.DataFrame
    grades: pd.DataFrame
    special: pd.DataFrame
    kinds: dict[str, str]
    error: Error | None

    def total(self, label: str, visit: str, component: str = "total") -> float | None:
        rows = self.totals[(self.totals["label"] == label) & (self.totals["visit"] == visit)]
        rows = rows[rows["component"] == component]
        return None if rows.empty or pd.isna(rows["total"].iloc[0]) else float(rows["total"].iloc[0])

    def change(self, label: str) -> float | None:
        """Change of one reading; None where a total lacks, and where there is only one visit."""
        if self.first == self.last:
            return None
        before, after = self.total(label, self.first), self.total(label, self.last)
        return None if before is None or after is None else after - before

    def mean_of_people(self, visit: str, component: str = "total") -> float | None:
        values = [self.total(label, visit, component) for label in people(self.kinds)]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    @property
    def mean_change(self) -> float | None:
        found = [self.change(label) for label in people(self.kinds)]
        known = [value for value in found if value is not None]
        return sum(known) / len(known) if known else None


def choose_case(page: Page, chosen: CohortFilter) -> Case:
    """Patient and visits: widgets over the place in the address."""
    with guards.errors_shown():
        patients = ask(page, cohort.subjects, chosen)
    guards.needs_rows(
        patients,
        "No patient matches the filter. Clear it in the sidebar.",
        "pages/1_Cohort.py",
        "See the cohort",
    )
    who, from_, to = st.columns([2, 1, 1])
    with who:
        subject = _patient(patients["subject"].tolist())
    with guards.errors_shown():
        known = ask(page, patient.visits, subject)
    visits = visits_in_order(known)
    guards.needs_rows(pd.DataFrame(visits), f"{subject} has no visit yet.")
    with from_:
        first = _visit("From", keys.FIRST, "first", visits[:-1] or visits, _baseline(known, visits))
    later = visits[visits.index(first) + 1 :] or visits[-1:]
    with to:
        last = _visit("To", keys.LAST, "last", later, later[-1])
    url_state.write()
    return _case(page, chosen, subject, first, last, visits)


def _baseline(known: pd.DataFrame, visits: list[str]) -> str:
    """The visit nearest to day 0 that has a later one: a screening visit before it is no baseline."""
    days = known.set_index("visit")["day"].reindex(visits[:-1]).dropna().astype(float)
    return str(days.abs().idxmin()) if len(days) else visits[0]


def _case(page: Page, chosen: CohortFilter, subject: str, first: str, last: str, visits: list[str]) -> Case:
    with guards.errors_shown():
        totals, grades, special, *_ = fetch(
            page,
            asking(scores.totals, chosen, subject=subject),
            asking(scores.site_grades, chosen, subject=subject),
            asking(scores.special_findings, chosen, subject=subject),
            asking(patient.films, subject),
            asking(patient.findings, subject, chosen.system),
            asking(patient.covariates, subject),
        )
        error = None if page.is_reader else reader_error(page, chosen, first, last)
    shown = shown_readings(totals, chosen.campaign)
    marked = shown_readings(grades, chosen.campaign)
    beside = shown_readings(special, chosen.campaign)
    shown.attrs, marked.attrs, beside.attrs = totals.attrs, grades.attrs, special.attrs
    kinds = label_kinds(pd.concat([shown[["label", "kind"]], marked[["label", "kind"]]]))
    system = system_of(chosen)
    return Case(subject, first, last, chosen, system, visits, shown, marked, beside, kinds, error)


def _patient(patients: list[str]) -> str:
    now = url_state.place().patient
    st.session_state[keys.PATIENT] = now if now in patients else patients[0]
    subject: str = st.selectbox("Patient", patients, key=keys.PATIENT, on_change=_keep_patient)
    return subject


def _keep_patient() -> None:
    url_state.go(patient=st.session_state[keys.PATIENT], site="", first="", last="")


def _visit(title: str, key: str, field: str, visits: list[str], default: str) -> str:
    now = getattr(url_state.place(), field)
    st.session_state[key] = now if now in visits else default
    visit: str = st.selectbox(
        title, visits, key=key, on_change=lambda: url_state.go(**{field: st.session_state[key]})
    )
    return visit
