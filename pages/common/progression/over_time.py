"""The course of every patient, with means by arm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.progression.spaghetti import MAX_LINES, shown_lines, spaghetti
from core.markdown import md
from core.progression.arms.by_group import by_visit
from pages.common.charts import clickable
from pages.common.page import Page
from pages.common.progression import figures, results
from pages.common.progression.figures import Found, shown_way
from pages.common.progression.fitting.fits import fitted_means
from pages.common.progression.question import Question
from pages.common.provenance import download
from pages.common.shown_table import show_table


def over_time(page: Page, asked: Question, found: Found) -> str:
    """Courses of all patients, observed means by arm, and the model's once it is fitted."""
    grid = results.asked_grid(page, asked, shown_way(found))
    change = grid.change_from(asked.first)
    days = grid.visit_days()
    visits = [visit for visit in grid.visits if visit in days]
    places = [grid.visits.index(visit) for visit in visits]
    means = by_visit(change[:, places], grid.arm, visits)
    means["day"] = means["visit"].map(days)
    drawn = shown_lines(grid.subjects)
    fitted = fitted_means(page, asked)
    figure = spaghetti(
        _courses(grid.subjects[drawn], grid.arm[drawn], grid.days[drawn], change[drawn]),
        means[means["n"] > 0],
        fitted,
        unit=f"change from {asked.first} ({asked.unit})",
        arms=figures.study_arms(page),
        on=page.look,
    )
    clicked = clickable(figure, "courses", alt="Change of every patient over time, with means by arm")
    known = int((~np.isnan(change)).any(axis=1).sum())
    lines = f"{len(drawn)} of {known} lines are drawn, evenly chosen" if known > MAX_LINES else "all lines"
    st.caption(
        f"n = {known} patients with a reading at {md(asked.first)} ({lines}); thick: observed mean of each "
        "arm with 95% interval. Dashed, where fitted under Models and tests: the MMRM's mean with its "
        f"interval. A visit before baseline is drawn before day 0. Click a point to open the {asked.images}."
    )
    with st.expander("Mean change by visit", icon=":material/table:"):
        show_table(means)
        download(means, "change_by_visit")
    if clicked and clicked[0]:
        figures.open_films(str(clicked[0]), asked)
    of_model = "" if fitted is None else " The means of the MMRM stand beside them."
    return f"Mean change at every visit has 95% t intervals, each visit for itself.{of_model}"


def _courses(subjects: np.ndarray, arm: np.ndarray, days: np.ndarray, change: np.ndarray) -> pd.DataFrame:
    s, v = np.nonzero(~np.isnan(change) & ~np.isnan(days))
    table = pd.DataFrame({"subject": subjects[s], "arm": arm[s], "day": days[s, v], "value": change[s, v]})
    order = np.lexsort((table["day"].to_numpy(), s))
    return table.iloc[order].reset_index(drop=True)
