"""One patient over time: the course, what changed and who saw it, both films at that site."""

import streamlit as st

from pages.common import guards
from pages.common.filters import cohort_filter
from pages.common.page import open_page
from pages.common.patient import change_breakdown, changes, film_pair, headline, joint_map, total_breakdown
from pages.common.patient import footer as view
from pages.common.patient.case import choose_case
from pages.common.patient.course import course

page = open_page("Patient")
guards.needs_cohort(page)
chosen = cohort_filter(page)
title, choice = st.columns([1, 2.1], vertical_alignment="center")
with choice:
    case = choose_case(page, chosen)
title.title(f"Patient {case.subject}")
headline.headline(page, case)
list_, films = st.columns([1, 2.1])
with list_:
    site = changes.what_changed(page, case)
with films:
    film_pair.film_pair(page, case, site)
joint_map.joints(page, case, site)
over_time, sites = st.columns([1.5, 1])
with over_time:
    course(page, case)
with sites:
    joint_map.site_by_visit(page, case, site)
change_breakdown.why(page, case)
total_breakdown.total_to_pixels(page, case, site)
view.left_out(page, case)
view.ending(page, case)
