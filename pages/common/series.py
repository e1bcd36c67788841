"""Series of the Cohort page: stacks and cines, listed and opened in the viewer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.domain import CohortFilter, Image, Viewer
from core.errors import CohortError
from core.imaging.stacks import along_normal
from data.queries import stacks as query
from data.store.cohort import CohortStore
from pages.common.page import Page
from pages.common.provenance import download
from pages.common.queries import ask
from pages.common.shown_table import show_table
from pages.common.viewer import ViewedFilm, film_viewer
from pages.common.viewer.stored_films import shown_grey

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
        whole = viewed_series(page, row["series"], row["visit"], subtitle, patient=row["subject"])
        film_viewer([whole], key="series_viewer", height=460)


def viewed_series(page: Page, name: str, title: str, subtitle: str = "", *, patient: str = "") -> ViewedFilm:
    """A series as the viewer shows it; one that is no stack or cannot be read says why in its place."""
    try:
        image = _loaded(page.path, page.state["last_writes"].get("image", 0), name, page.viewer)
    except CohortError as error:
        reason = f"{error.given}: {error.needed}; {error.todo}."
        return ViewedFilm(name, title, subtitle, message=reason, patient=patient)
    pixels, window, limits = shown_grey(image.frames)
    return ViewedFilm(
        name, title, subtitle, pixels, image.spacing_mm, window, limits,
        frame_notes=frame_notes(image), patient=patient,
    )  # fmt: skip


@st.cache_resource(show_spinner=False, max_entries=4)
def _loaded(path: str, last_write: int, name: str, viewer: Viewer) -> Image:
    return query.open_series(CohortStore(path), name, viewer)


def frame_notes(image: Image) -> tuple[str, ...]:
    """What is known of each frame: its place along the slice normal from the first one, or its time."""
    if image.times_ms is not None:
        return tuple(f"{time:.0f} ms" for time in image.times_ms)
    if image.positions_mm is None or image.orientation is None:
        return ()
    places = along_normal(image.positions_mm, image.orientation)
    return tuple(f"{place:.1f} mm" for place in np.abs(places - places[0]))
