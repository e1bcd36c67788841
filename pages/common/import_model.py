"""The model over what it has not scored, and what did not come in."""

from __future__ import annotations

import streamlit as st

from data.queries import cohort
from pages.common import guards
from pages.common.delivery import start
from pages.common.jobs import board
from pages.common.opening import Page
from pages.common.queries import ask


def model(page: Page) -> None:
    """Run the mSASSS model over what it has not scored yet."""
    guards.needs_cohort(page)
    counts = ask(page, cohort.counts).iloc[0]
    left = int(counts["images"] - counts["scored_images"])
    st.markdown(
        f"The mSASSS model (`demo` size) looks at every film that it has not seen: **{left}** of "
        f"{int(counts['images'])}. It was trained on phantoms only. Films that are no lateral spine film, or "
        "cannot be read, it refuses with a reason."
    )
    device = st.segmented_control("Device", ["cpu", "cuda"], default="cpu", required=True) or "cpu"
    busy = any("score" in job.arguments for job in board().running)
    if st.button("Run the model", type="primary", disabled=busy or not left, icon=":material/play_arrow:"):
        start(
            page, "mSASSS model", ["score", "--system", "msasss", "--device", device, "--progress", "lines"]
        )


def came_in(page: Page) -> None:
    """What was refused, and films that belong to nobody yet."""
    refused, open_films = ask(page, cohort.refused), ask(page, cohort.unassigned)
    st.markdown(f"##### Not taken: {len(refused)}")
    st.dataframe(refused, hide_index=True)
    st.markdown(f"##### Films without patient or visit: {len(open_films)}")
    st.dataframe(open_films, hide_index=True)
    st.caption("A map file, or a table of subjects and visits, assigns them: import it here.")
