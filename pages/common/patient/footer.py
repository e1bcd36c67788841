"""The parts of the Patient page."""

from __future__ import annotations

import streamlit as st

from data.queries import patient, scores
from pages.common.page import Page
from pages.common.patient.case import Asked, Case, case_of, only_of
from pages.common.provenance import as_csv, download, how_made
from pages.common.queries import ask, computed
from pages.common.readings import rejected_films
from pages.common.shown_table import show_table
from pages.common.systems import of_films


def left_out(page: Page, case: Case) -> None:
    """Films that the model would not score, and sites without a grade, with the reasons."""
    refused = ask(page, scores.abstentions, only_of(case.chosen, case.subject))
    refused = refused[refused["subject"] == case.subject]
    gaps = case.grades[case.grades["grade"].isna()]
    films = ask(page, patient.films, case.subject)
    found = ask(page, patient.findings, case.subject, case.system.name)
    by_model = of_films(case.system, films, found)
    things = f"{case.system.image_title.capitalize()}s"
    title = f"{things} of this patient, by the model: {by_model.words}; site grades that lack: {len(gaps):,}"
    with st.expander(title, icon=":material/block:"):
        show_table(rejected_films(refused).drop(columns="subject"))
        show_table(gaps[["visit", "site", "label", "reason"]])


def _tables(page: Page, asked: Asked) -> tuple[bytes, bytes]:
    """Totals and site grades as CSV."""
    case = case_of(page, *asked)
    return as_csv(case.totals), as_csv(case.grades)


def footer(page: Page, case: Case) -> None:
    covariates = ask(page, patient.covariates, case.subject)
    totals, grades = computed(page, _tables, case.asked)
    columns = st.columns(3)
    with columns[0]:
        download(totals, f"{case.subject}_totals", label="Totals (CSV)")
    with columns[1]:
        download(grades, f"{case.subject}_site_grades", label="Site grades (CSV)")
    with columns[2]:
        download(covariates, f"{case.subject}_covariates", label="Covariates (CSV)")
    settings = {
        "patient": case.subject,
        "from": case.first,
        "to": case.last,
        "rule": case.rule.name,
    }
    how_made(page, case.chosen, [case.totals, case.grades, covariates], settings)
