"""The three steps of an import, what lies around them, and how far this study has come."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from data.queries import cohort
from pages.common.imports.films import films
from pages.common.imports.models import model, not_imported
from pages.common.imports.settings import settings
from pages.common.imports.tables import scores, subjects
from pages.common.page import Page
from pages.common.queries import ask

FILMS, PATIENTS, SCORES = "1 Films", "2 Patients and visits", "3 Scores"
PARTS: dict[str, Callable[[Page], None]] = {
    FILMS: films,
    PATIENTS: subjects,
    SCORES: scores,
    "Run the model": model,
    "Not imported": not_imported,
    "Study settings": settings,
}


def steps(page: Page) -> None:
    """One part at a time; above it how far the study has come."""
    st.caption(_so_far(page))
    part = st.segmented_control(
        "Part", list(PARTS), default=FILMS, required=True, label_visibility="collapsed", wrap=True
    )
    PARTS[part or FILMS](page)


def _so_far(page: Page) -> str:
    """What is in the cohort after each step. Any order works; this one asks least."""
    if not page.store.exists():
        return (
            "A new study in three steps: films, then patients and visits, then scores. Any step may be left "
            "out or come later."
        )
    counts = ask(page, cohort.counts).iloc[0]
    waiting = f", {counts['unassigned']:,} without patient or visit" if counts["unassigned"] else ""
    return (
        f"So far: {counts['images']:,} images{waiting} · {counts['subjects']:,} patients, "
        f"{counts['visits']:,} visits · {counts['readers']:,} readers, {counts['totals']:,} totals"
    )
