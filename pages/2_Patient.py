"""One patient over time: the course, what changed and who saw it, both films at that site."""

import streamlit as st

from pages.common import guards
from pages.common import patient_view as view
from pages.common.filters import cohort_filter
from pages.common.opening import open_page
from pages.common.patient_case import choose_case

page = open_page("Patient")
guards.needs_cohort(page)
chosen = cohort_filter(page)
title, choice = st.columns([1, 2.1], vertical_alignment="center")
with choice:
    case = choose_case(page, chosen)
title.title(f"Patient {case.subject}")
view.headline(page, case)
list_, films = st.columns([1, 2.1])
with list_:
    site = view.what_changed(page, case)
with films:
    view.film_pair(page, case, site)
course, corners = st.columns([1.5, 1])
with course:
    view.course(page, case)
with corners:
    view.corner_map(page, case, site)
view.left_out(page, case)
view.ending(page, case)
