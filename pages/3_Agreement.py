"""Reader against reader, model against reader: status and change."""

import streamlit as st

from pages.common import guards
from pages.common.agreement.footer import footer, left_out
from pages.common.agreement.overview import forest_of_all, in_short
from pages.common.agreement.question import comparison
from pages.common.agreement.question_form import choose_question, needs_two
from pages.common.agreement.sections import sections
from pages.common.filters import cohort_filter, selection_line
from pages.common.page import open_page
from pages.common.ways_out.methods import describe_agreement

page = open_page("Agreement")
st.title("Agreement")
guards.needs_cohort(page)
guards.not_for_readers(page, "Agreement with other readers")
chosen = cohort_filter(page)
asked = choose_question(page, chosen)
compared = comparison(page, asked)
needs_two(compared)
selection_line(page, chosen)
describe_agreement(page, compared)
in_short(page, compared)
forest_of_all(page, compared)
sections(page, compared)
left_out(page, compared)
footer(page, compared)
