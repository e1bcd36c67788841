"""Films and tables in, with a look at what would be refused; the model runs."""

import streamlit as st

from pages.common import guards
from pages.common.import_films import films
from pages.common.import_jobs import jobs
from pages.common.import_model import came_in, model
from pages.common.import_tables import tables
from pages.common.opening import open_page

PARTS = {
    "Films": films,
    "Tables": tables,
    "Run the model": model,
    "What was refused": came_in,
}

page = open_page("Import and score")
st.title("Import and score")
guards.not_for_readers(page, "Import")
jobs()
part = st.segmented_control("Part", list(PARTS), default="Films", required=True, label_visibility="collapsed")
PARTS[part or "Films"](page)
