"""One patient over time: the course, what changed and who saw it, both films at that site."""

import streamlit as st

from pages.common import guards, patient_map
from pages.common import patient_trail as trail
from pages.common import patient_view as view
from pages.common.filters import cohort_filter
from pages.common.opening import open_page
from pages.common.patient_case import choose_case
from pages.common.patient_course import course

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
patient_map.joints(page, case, site)
over_time, sites = st.columns([1.5, 1])
with over_time:
    course(page, case)
with sites:
    patient_map.site_by_visit(page, case, site)
trail.why(page, case)
trail.total_to_pixels(page, case, site)
view.left_out(page, case)
view.ending(page, case)
