"""Reader against reader, model against reader: status and change."""

import streamlit as st

from pages.common import agreement_study as study
from pages.common import agreement_view as view
from pages.common import guards
from pages.common.filters import cohort_filter
from pages.common.opening import open_page
from pages.common.reader_view import model_as_reader

page = open_page("Agreement")
st.title("Agreement")
guards.needs_cohort(page)
guards.not_for_readers(page, "Agreement with other readers")
chosen = cohort_filter(page)
asked = view.question(page, chosen)
compared = study.comparison(page, asked)
view.needs_two(compared)
view.all_pairs(page, compared)
view.one_pair(page, compared)
view.worst(page, compared)
model_as_reader(page, compared)
view.left_out(page, compared)
view.ending(page, compared)
