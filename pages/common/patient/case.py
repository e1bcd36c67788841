"""One patient and the two visits compared: choosing them, and every row that the Patient page shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import streamlit as st

from core.domain import CohortFilter
from core.markdown import md
from core.patient.changes import site_changes
from core.reader_labels import label_kinds, people, shown_readings
from core.scores.system import Rule, ScoreSystem
from data.queries import cohort, grids, patient, provenance, scores
from data.queries.readings import visits_in_order
from pages.common import guards, url_state
from pages.common import session_keys as keys
from pages.common.page import Page
from pages.common.queries import Request, ask, asking, computed, fetch
from pages.common.readings import Error, all_patients, asked_totals, reader_error, system_of
from pages.common.sticky_widgets import pick
from pages.common.views.notices import notice
from pages.common.views.work_list import WorkList, labels, pick_order, work_list

Asked = tuple[CohortFilter, str, str, str, str]  # patients chosen, subject, first and last visit, rule
RULE = "patient_rule"


@dataclass(frozen=True)
class Case:
    """One patient and the two visits compared, with every row that the page shows; of all sessions that
    look at it, so nobody changes it.

    totals: under ``rule``. grades: of sites. special: findings beside them
    (``data.queries.scores.special_findings``), with labels.
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
    rule: Rule

    @property
    def asked(self) -> Asked:
        """What ``case_of`` takes: the case by what was asked, for what is computed from it."""
        return self.chosen, self.subject, self.first, self.last, self.rule.name

    def total(self, label: str, visit: str, component: str = "total") -> float | None:
        return self._totals.get((label, visit, component))

    @cached_property
    def _totals(self) -> dict[tuple[str, str, str], float | None]:
        names = (self.totals[name].tolist() for name in ("label", "visit", "component"))
        found: dict[tuple[str, str, str], float | None] = {}
        for *key, value in zip(*names, self.totals["total"].tolist(), strict=True):
            found.setdefault((key[0], key[1], key[2]), None if pd.isna(value) else float(value))
        return found

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
    def readers_of_change(self) -> int:
        """How many human readers have both totals: the mean change is theirs, and so is its SDC."""
        return sum(self.change(label) is not None for label in people(self.kinds))

    @property
    def mean_change(self) -> float | None:
        found = [self.change(label) for label in people(self.kinds)]
        known = [value for value in found if value is not None]
        return sum(known) / len(known) if known else None


def needs_patients(page: Page, chosen: CohortFilter) -> None:
    """Stop under the title where no patient can be shown: the filter leaves none, or none is known yet."""
    with guards.errors_shown():
        if len(ask(page, cohort.subjects, chosen)):
            return
        films = len(ask(page, cohort.unassigned))
    st.title("Patient")
    if all_patients(chosen) != chosen:
        st.info("No patient matches the filter. Clear it in the sidebar.", icon=":material/inbox:")
        guards.link("pages/1_Cohort.py", "See the cohort")
    else:
        wait = "film waits" if films == 1 else "films wait"
        st.info(f"{films:,} {wait} for a patient." if films else "No patients yet.", icon=":material/inbox:")
        guards.link(guards.IMPORT, "Import patients and say whose films they are")
    st.stop()


def choose_case(page: Page, chosen: CohortFilter) -> Case:
    """Patient, visits and rule: widgets over the place in the address."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    rule = _rule(page, chosen)
    with guards.errors_shown(), st.spinner("Totals under this rule", show_time=True):
        found = work_list(page, chosen, url_state.place().first, url_state.place().last, rule)
    with row:
        subject = _patient(page, found)
    _say_if_another(page, chosen, subject)
    with guards.errors_shown():
        _ask_at_once(page, chosen, subject)
        known = ask(page, patient.visits, subject)
    visits = visits_in_order(known)
    guards.needs_rows(pd.DataFrame(visits), f"{subject} has no visit yet.")
    with row:
        first = _visit(subject, "From", keys.FIRST, "first", visits[:-1] or visits, _baseline(known, visits))
    later = visits[visits.index(first) + 1 :] or visits[-1:]
    with row:
        last = _visit(subject, "To", keys.LAST, "last", later, later[-1])
    url_state.shown(patient=subject, first=first, last=last)
    with guards.errors_shown():
        return case_of(page, chosen, subject, first, last, rule)


def _rule(page: Page, chosen: CohortFilter) -> str:
    """The name of the rule that totals are made by: chosen where the score has several that choose what
    counts; a blinded reader has the default, as others look at the order of visits.
    """
    system = system_of(chosen)
    if page.is_reader or not system.chooses_blocks or len(system.rules) < 2:
        return system.default_rule.name
    titles = {rule.name: rule.title for rule in system.rules}
    return pick(
        "Rule", list(titles), RULE, system.default_rule.name, format_func=titles.__getitem__, width=400,
        help=" \n\n".join(f"**{rule.title}**: {rule.text}" for rule in system.rules),
    )  # fmt: skip


def _ask_at_once(page: Page, chosen: CohortFilter, subject: str) -> None:
    """What the parts of the page ask, in one opening of the file; each finds its answer kept."""
    system = system_of(chosen)
    wanted = [
        *_rows_of(chosen, subject),
        asking(provenance.reads, subject, system.name),
        asking(provenance.findings, subject, system.name),
        asking(scores.site_grades, all_patients(chosen)),
        asking(scores.abstentions, only_of(chosen, subject)),
    ]
    if not page.is_reader:
        everybody = asking(scores.totals, all_patients(chosen))
        cells = asking(grids.total_cells, system.name, "total")
        wanted += [everybody, cells, asking(grids.visit_names), asking(scores.runs, system.name)]
    fetch(page, *wanted)


def only_of(chosen: CohortFilter, subject: str) -> CohortFilter:
    """One patient of the score, whatever the filter says."""
    return CohortFilter(system=chosen.system, subjects=(subject,))


def _rows_of(chosen: CohortFilter, subject: str) -> list[Request]:
    return [
        asking(scores.totals, chosen, subject=subject),
        asking(scores.site_grades, chosen, subject=subject),
        asking(scores.special_findings, chosen, subject=subject),
        asking(patient.visits, subject),
        asking(patient.films, subject),
        asking(patient.findings, subject, chosen.system),
        asking(patient.covariates, subject),
    ]


def case_of(page: Page, chosen: CohortFilter, subject: str, first: str, last: str, rule: str) -> Case:
    """The case by what is asked; see ``Case.asked``."""
    found: Case = computed(page, _case, chosen, subject, first, last, rule)
    return found


def changes_of(page: Page, case: Case, first: str, last: str) -> pd.DataFrame:
    """``core.patient.changes.site_changes`` of the patient between two visits."""
    found: pd.DataFrame = computed(page, _changes, case.asked, first, last)
    return found


def _changes(page: Page, asked: Asked, first: str, last: str) -> pd.DataFrame:
    case = case_of(page, *asked)
    return site_changes(case.grades, case.system, first, last, case.kinds)


def _baseline(known: pd.DataFrame, visits: list[str]) -> str:
    """The visit nearest to day 0 that has a later one: a screening visit before it is no baseline."""
    days = known.set_index("visit")["day"].reindex(visits[:-1]).dropna().astype(float)
    return str(days.abs().idxmin()) if len(days) else visits[0]


def _case(page: Page, chosen: CohortFilter, subject: str, first: str, last: str, rule: str) -> Case:
    totals, grades, special, known = fetch(page, *_rows_of(chosen, subject)[:4])
    system = system_of(chosen)
    if rule != system.default_rule.name:
        everybody = fetch(page, asked_totals(all_patients(chosen), rule))[0]
        totals = everybody[everybody["subject"] == subject].reset_index(drop=True)
        totals.attrs = everybody.attrs
    visits = visits_in_order(known)
    error = None if page.is_reader else reader_error(page, chosen, first, last, rule=rule)
    shown = shown_readings(totals, chosen.campaign)
    marked = shown_readings(grades, chosen.campaign)
    beside = shown_readings(special, chosen.campaign)
    shown.attrs, marked.attrs, beside.attrs = totals.attrs, grades.attrs, special.attrs
    kinds = label_kinds(pd.concat([shown[["label", "kind"]], marked[["label", "kind"]]]))
    return Case(
        subject, first, last, chosen, system, visits, shown, marked, beside, kinds, error, system.rule(rule)
    )


def _patient(page: Page, found: WorkList) -> str:
    """The patient, with the ones before and after in the list, and the order of the list."""
    patients = found.sorted_by(pick_order(found, width=132))["subject"].tolist()
    now = url_state.place().patient
    st.session_state[keys.PATIENT] = now = now if now in patients else patients[0]
    place = patients.index(now)
    _step(page, "Previous", patients[place - 1] if place else "")
    subject: str = st.selectbox(
        "Patient", patients, key=keys.PATIENT,
        on_change=lambda: _to_patient(page, st.session_state[keys.PATIENT]),
        format_func=labels(found).__getitem__, width=268,
        help=f"{place + 1:,} of {len(patients):,}. {_meaning(found)}",
    )  # fmt: skip
    _step(page, "Next", patients[place + 1] if place + 1 < len(patients) else "")
    return subject


def _step(page: Page, label: str, subject: str) -> None:
    """A button to a neighbour in the list; off where there is none."""
    st.button(
        label, key=f"patient_to_{label.lower()}", disabled=not subject, help=md(subject) or None,
        on_click=_to_patient, args=(page, subject),
    )  # fmt: skip


def _meaning(found: WorkList) -> str:
    """What the numbers beside the names are."""
    if not found.first:
        return ""
    limit = f"; > SDC: beyond reading error, {found.error.text}" if found.error else ""
    return f"Change from {md(found.first)} to {md(found.last)}, mean of the readers{limit}."


def _say_if_another(page: Page, chosen: CohortFilter, shown: str) -> None:
    """That the patient of the address is not the one who is shown, and why."""
    wanted = url_state.place().patient
    if wanted in ("", shown):
        return
    everybody = ask(page, cohort.chosen_subjects, all_patients(chosen))["subject"]
    why = (
        "is not among the patients that the filter leaves"
        if wanted in set(everybody)
        else "is not known here"
    )
    st.warning(f"Patient {md(wanted)} {why}: {md(shown)} is shown.", icon=":material/person_off:")


def _to_patient(page: Page, subject: str) -> None:
    """Look at another patient at the same two visits; a blinded reader's visits have other names there."""
    visits = {"first": "", "last": ""} if page.is_reader else {}
    url_state.go(patient=subject, site="", **visits)


def _visit(subject: str, title: str, key: str, field: str, visits: list[str], default: str) -> str:
    now = getattr(url_state.place(), field)
    if now and now not in visits:
        notice(f"{title}: {subject} has no visit {now} to choose here, {default} is shown.")
    st.session_state[key] = now if now in visits else default
    visit: str = st.selectbox(
        title, visits, key=key, on_change=lambda: url_state.go(**{field: st.session_state[key]}), width=84
    )
    return visit
