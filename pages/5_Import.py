"""Import of films and tables, with a preview of what would be refused; runs of the models."""

import streamlit as st

from pages.common import guards
from pages.common.filters import forget_selection
from pages.common.imports.films import films
from pages.common.imports.job_list import jobs
from pages.common.imports.models import model, not_imported
from pages.common.imports.tables import tables
from pages.common.page import open_page
from pages.common.sticky_widgets import pick_one

PARTS = {
    "Films": films,
    "Tables": tables,
    "Run the model": model,
    "What was not imported": not_imported,
}

page = open_page("Import and score")
st.title("Import and score")
forget_selection()
guards.not_for_readers(page, "Import")
guards.only_for(page, guards.Act.IMPORT, "Import")
jobs()
PARTS[pick_one("Part", list(PARTS), "import_part", label_visibility="collapsed")](page)
