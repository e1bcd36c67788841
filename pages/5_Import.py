"""Import in three steps: films, patients and visits, scores; then the models and the study's settings."""

import streamlit as st

from pages.common import guards
from pages.common.filters import forget_selection
from pages.common.imports.job_list import jobs
from pages.common.imports.steps import steps
from pages.common.page import open_page

page = open_page("Import and score")
st.title("Import and score")
forget_selection()
guards.not_for_readers(page, "Import")
guards.only_for(page, guards.Act.IMPORT, "Import")
jobs()
steps(page)
