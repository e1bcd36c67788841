"""Films held back for text in their pixels: a look at each, and its release with a reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from data.store.cohort import current_actor
from data.study import held_films as films
from pages.common import guards
from pages.common.page import Page
from pages.common.queries import asking, fetch
from pages.common.shown_table import show_table
from pages.common.viewer.stored_films import grey_values

WIDEST = 1100  # pixels of the picture that is shown


def held_films(page: Page) -> None:
    """The list, and below it the film that somebody decides on; nothing where none is held."""
    (rows,) = fetch(page, asking(films.held_films))
    if rows.empty:
        return
    st.markdown(f"## Held back: {len(rows)}")
    st.caption(
        "Text in the pixels may name the patient, so these images are not shown, scored or exported. "
        "Look at each one; release it if the text names nobody, else ask the site for a clean copy."
    )
    listed = rows.assign(image=rows["image"].str[:12]).rename(columns={"held": "why"})
    show_table(listed)
    chosen = st.selectbox("Image", rows["image"].tolist(), format_func=lambda image: _named(rows, image))
    if st.toggle("Show the image", key="show_held"):
        _picture(page, chosen)
    with st.form("release", clear_on_submit=True):
        reason = st.text_input("What the text says", placeholder="side marker and room number only")
        if st.form_submit_button("Release", icon=":material/lock_open:"):
            with guards.errors_shown():
                films.release(page.store, [chosen], reason=reason, actor=current_actor())
                st.rerun()


def _named(rows: pd.DataFrame, image: str) -> str:
    row = rows[rows["image"] == image].iloc[0]
    parts = [str(row[name]) for name in ("subject", "visit", "body_part", "view") if pd.notna(row[name])]
    return " · ".join([image[:12], *parts])


def _picture(page: Page, image: str) -> None:
    with guards.errors_shown():
        pixels, _, (low, high) = grey_values(str(page.path), image)
        frame = pixels[len(pixels) // 2] if pixels.ndim == 3 else pixels
        step = max(1, -(-frame.shape[1] // WIDEST))
        shown = np.clip((frame[::step, ::step] - low) / max(high - low, 1.0), 0.0, 1.0)
        st.image(shown, caption=f"Image {image[:12]}, its whole range of brightness")
