"""Which arm progressed more, by how much against reading error, with and without imputed sites."""

import streamlit as st

from pages.common import guards
from pages.common import progression_guard as guard
from pages.common import progression_sections as sections
from pages.common import progression_study as study
from pages.common import progression_view as view
from pages.common.filters import cohort_filter
from pages.common.opening import open_page

page = open_page("Progression")
st.title("Progression")
guards.needs_cohort(page)
guards.not_for_readers(page, "Progression")
chosen = cohort_filter(page)
guard.blinded_study(page)
asked = view.question(page, chosen)
guard.keep_look(page, asked)
found = study.results(page, asked)
view.answer(page, asked, found)
view.figures(page, asked, found)
view.tables(page, asked, found)
sections.shown(page, asked, found)
view.left_out(page, asked, found)
view.ending(page, asked, found)
