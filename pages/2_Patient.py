"""One patient over time: the course, what changed and who saw it, both films at that site."""

import streamlit as st

from core.markdown import md
from pages.common import guards, url_state
from pages.common.blanking import blank_until_drawn
from pages.common.filters import cohort_filter
from pages.common.page import open_page
from pages.common.patient.case import choose_case, needs_patients
from pages.common.patient.changes import what_changed
from pages.common.patient.film_pair import film_pair
from pages.common.patient.footer import footer, left_out
from pages.common.patient.headline import beside_films, headline
from pages.common.patient.joint_map import to_resolve
from pages.common.patient.sections import sections
from pages.common.ways_out.methods import describe_patient

page = open_page("Patient")
guards.needs_cohort(page)
chosen = cohort_filter(page)
needs_patients(page, chosen)
title, choice = st.columns([0.62, 2.48], vertical_alignment="center")
with blank_until_drawn("patient", (url_state.place().patient, chosen)):
    with choice:
        case = choose_case(page, chosen)
    title.title(f"Patient {md(case.subject)}")
    describe_patient(case)
    headline(page, case)
    list_, films = st.columns([1.1, 2])
    with list_:
        site = what_changed(page, case)
        beside_films(page, case)
    with films:
        film_pair(page, case, site)
    to_resolve(case)
    sections(page, case, site)
    left_out(page, case)
    footer(page, case)
