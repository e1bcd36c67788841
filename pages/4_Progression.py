"""Which arm progressed more, by how much against reading error, with and without imputed sites."""

import streamlit as st

from pages.common import guards
from pages.common.filters import cohort_filter, selection_line
from pages.common.page import open_page
from pages.common.progression.figures import figures
from pages.common.progression.footer import footer, left_out
from pages.common.progression.headline import answer
from pages.common.progression.question_form import choose_question
from pages.common.progression.results import results, with_a_change
from pages.common.progression.sections import sections
from pages.common.progression.tables import tables
from pages.common.progression.unblinding import blinded_study, record_unblinded_look
from pages.common.ways_out.methods import describe_change

page = open_page("Progression")
st.title("Progression")
guards.needs_cohort(page)
guards.not_for_readers(page, "Progression")
chosen = cohort_filter(page)
blinded_study(page)
asked = choose_question(page, chosen)
record_unblinded_look(page, asked)
found = with_a_change(results(page, asked))
selection_line(page, chosen)
describe_change(page, asked, found)
answer(page, asked, found)
figures(page, asked, found)
tables(page, asked, found)
sections(page, asked, found)
left_out(page, asked, found)
footer(page, asked, found)
