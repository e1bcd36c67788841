"""Who is in the study, which films exist, what is missing."""

import streamlit as st

from pages.common import cohort as view
from pages.common import guards
from pages.common.filters import cohort_filter
from pages.common.page import open_page
from pages.common.series import series

page = open_page("Cohort")
st.title("Cohort")
guards.needs_cohort(page)
chosen = cohort_filter(page)
subjects = view.patients(page, chosen)
view.counts(page, chosen, subjects)
films, first = st.columns([1, 1.35])
with films:
    view.films_by_visit(page, chosen)
with first:
    view.first_table(page, chosen, subjects)
view.who_is_in(page, subjects)
series(page, chosen)
view.missing(page, chosen)
view.footer(page, chosen, subjects)
