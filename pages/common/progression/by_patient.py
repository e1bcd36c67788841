"""Every patient's change as a waterfall."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.figures.progression.waterfall import waterfall
from pages.common.charts import clickable
from pages.common.page import Page
from pages.common.progression import figures, results
from pages.common.progression.figures import Found, shown_way
from pages.common.progression.question import Question
from pages.common.queries import computed


def by_patient(page: Page, asked: Question, found: Found) -> str:
    """Waterfall of every patient's change."""
    way = shown_way(found)
    points = results.points(page, asked, way)
    drawn = computed(page, _waterfall, asked, way)
    clicked = clickable(drawn, "waterfall", alt="Every patient's change as a bar, from worst to best")
    better = int((points["y"] < -1e-9).sum())
    st.caption(
        f"{figures.counted(points, found[way], asked.system)} Each bar is a patient "
        f"{figures.WAYS[way]}; {better} have a negative change and are shown as such. "
        f"Click a bar to open the {asked.images}."
    )
    if clicked:
        figures.open_films(str(clicked[0]), asked)
    return ""


def _waterfall(page: Page, asked: Question, way: str) -> Any:
    sdc = figures.sdc_of(results.results(page, asked)[way])
    points = results.points(page, asked, way)
    return waterfall(points, unit=asked.unit, sdc=sdc, arms=figures.study_arms(page), on=page.look)
