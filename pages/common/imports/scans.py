"""Images of ultrasound: which joint, side, mode and view each shows, and how sure that is."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.imaging.ultrasound.terms import MODE_NAMES
from data.queries.ultrasound.shown import shown
from pages.common.page import Page
from pages.common.provenance import download
from pages.common.queries import ask
from pages.common.shown_table import show_table

NEEDED = ["joint", "side", "mode"]  # without one of them an image is of no site
KEY = "scans_all"


def scans(page: Page) -> None:
    """Images of which something is not known, or all; nothing where the cohort has none."""
    if not page.store.exists():
        return
    rows = ask(page, shown)
    if rows.empty:
        return
    open_ = rows[rows[NEEDED].isna().any(axis=1)]
    images = f"{len(rows):,} image" + ("" if len(rows) == 1 else "s")
    st.markdown(f"## What ultrasound shows: {images}, {len(open_):,} without joint, side or mode")
    st.caption(
        "From descriptions, tags and, for the mode, coloured flow in the picture. Below 0.5 a value is a "
        "guess and is not taken. What no file says, a map file states: columns file or image, subject, "
        "joint, side, mode, view."
    )
    everything = st.toggle("Show all", key=KEY) if len(open_) < len(rows) else True
    listed = rows if everything else open_
    if len(listed):
        show_table(table_of(listed))
    download(rows, "ultrasound")


def table_of(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with short ids, modes as they are spoken, and how sure each is."""
    return rows.assign(
        id=rows["image"].str[:12],
        mode=rows["mode"].map(MODE_NAMES).fillna(rows["mode"]),
        sure=rows["sure"].map("{:.2f}".format),
    )[["subject", "visit", "id", "joint", "side", "mode", "view", "frames", "sure", "found"]]
