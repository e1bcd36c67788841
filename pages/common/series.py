"""Series of the Cohort page: stacks and cines, listed and opened in the viewer."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.domain import CohortFilter
from data.queries import stacks as query
from pages.common.page import Page
from pages.common.provenance import download
from pages.common.queries import ask
from pages.common.shown_table import show_table
from pages.common.viewer import film_viewer
from pages.common.viewer.stored_stacks import viewed_stack

TABLE = "cohort_series"
COLUMNS = (
    "subject", "visit", "modality", "body_part", "region", "sequence", "sure", "plane", "kind", "images",
    "frames",
"slice_spacing_mm", "gap_mm", "problems",
)  # fmt: skip
MAY_BE_EMPTY = ("region", "sequence", "sure", "plane", "gap_mm", "problems")
SURE = (
    "how sure the sequence is, 0 to 1: what the header's words and numbers say of it, and whether they agree"
)
KINDS = {
    "stack": "stack of slices",
    "cine": "cine",
    "frames": "several frames",
    "images": "separate images",
}


def series(page: Page, chosen: CohortFilter) -> None:
    """The series of the chosen patients beyond single films; a click on a row shows one below the table.

    Shown only where there is an image of several frames, or a stack of several images.
    """
    rows = ask(page, query.series_list, chosen)
    if rows["kind"].isin(["images"]).all():
        return
    st.markdown("## Series")
    shown = rows[list(COLUMNS)].assign(kind=rows["kind"].map(KINDS))
    shown = shown.drop(columns=[name for name in MAY_BE_EMPTY if shown[name].isna().all()])
    show_table(
        shown, key=TABLE, selection_mode="single-row", on_select="rerun",
        height=min(38 + 35 * len(shown), 260),
        column_config={
            "slice_spacing_mm": st.column_config.NumberColumn("slice spacing, mm", format="%.2f"),
            "gap_mm": st.column_config.NumberColumn("gap, mm", format="%.2f"),
            "sure": st.column_config.NumberColumn("sure", format="%.2f", help=SURE),
            "problems": st.column_config.TextColumn("problems", width="large"),
        },
    )  # fmt: skip
    st.caption(f"n = {len(shown)}. Choose a row to see its frames. Single films are not listed.")
    download(shown, "series")
    picked = st.session_state[TABLE]["selection"]["rows"]
    if picked and picked[0] < len(rows):
        row = rows.iloc[picked[0]]
        named = ("modality", "region", "sequence") if pd.notna(row["region"]) else ("modality", "body_part")
        subtitle = " ".join(str(row[name]) for name in named if pd.notna(row[name]))
        whole = viewed_stack(page, row["series"], row["visit"], subtitle, patient=row["subject"])
        film_viewer([whole], key="series_viewer", height=460, thing="stack" if whole.places_mm else "film")
