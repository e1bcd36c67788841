"""Which arm progressed more, by how much against reading error, with and without imputed sites."""

import streamlit as st

from pages.common import guards
from pages.common.filters import cohort_filter
from pages.common.page import open_page
from pages.common.progression import figures, headline, tables
from pages.common.progression import footer as view
from pages.common.progression import guard as guard
from pages.common.progression import results as study
from pages.common.progression import sections as sections

page = open_page("Progression")
st.title("Progression")
guards.needs_cohort(page)
guards.not_for_readers(page, "Progression")
chosen = cohort_filter(page)
guard.blinded_study(page)
asked = headline.question(page, chosen)
guard.keep_look(page, asked)
found = study.results(page, asked)
headline.answer(page, asked, found)
figures.figures(page, asked, found)
tables.tables(page, asked, found)
sections.shown(page, asked, found)
view.left_out(page, asked, found)
view.ending(page, asked, found)
