"""Reader against reader, model against reader: status and change."""

import streamlit as st

from pages.common import guards
from pages.common.agreement import overview as overview
from pages.common.agreement import question
from pages.common.agreement import sections as view
from pages.common.filters import cohort_filter
from pages.common.page import open_page

page = open_page("Agreement")
st.title("Agreement")
guards.needs_cohort(page)
guards.not_for_readers(page, "Agreement with other readers")
chosen = cohort_filter(page)
asked = view.question(page, chosen)
compared = question.comparison(page, asked)
view.needs_two(compared)
overview.in_short(page, compared)
overview.forest_of_all(page, compared)
view.sections(page, compared)
view.left_out(page, compared)
view.ending(page, compared)
