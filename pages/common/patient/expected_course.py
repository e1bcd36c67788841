"""The course that a mixed model of all patients expects of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.errors import CohortError
from core.figures.patient.course import Expected
from core.markdown import md
from core.patient.expected_course import patient_course, yearly_slope
from core.progression.annualise import DAYS_PER_YEAR
from core.progression.regression.fit import ModelOptions, fit_model
from core.progression.totals_table import collect
from core.reader_labels import people
from core.report import formatting
from pages.common.page import Page
from pages.common.patient.case import Asked, Case, case_of
from pages.common.progression.grids import all_totals
from pages.common.queries import computed, shelf

STEPS = 25


def expected(page: Page, case: Case) -> Expected | None:
    """The course that the mixed model expects, once it was fitted; the button that fits it before."""
    if page.is_reader or not people(case.kinds):
        return None
    arguments = (case.chosen.system, case.chosen.campaign, case.rule.name)
    if not shelf().has(page, _model, arguments):
        if not st.button(
            "Expected course", icon=":material/timeline:", help="Fit the mixed model of all patients"
        ):
            return None
        with st.spinner("Mixed model of all patients", show_time=True):
            computed(page, _model, *arguments)
    found = course_of(page, case)
    if isinstance(found, str):
        st.caption(f"No expected course: {md(found)}.")
        return None
    return found


def course_of(page: Page, case: Case) -> Expected | str:
    """What the fitted model expects of the patient, or why it says nothing."""
    found: Expected | str = computed(page, _course, case.asked)
    return found


def _course(page: Page, asked: Asked) -> Expected | str:
    case = case_of(page, *asked)
    model = computed(page, _model, case.chosen.system, case.chosen.campaign, case.rule.name)
    days = case.totals.loc[case.totals["day"].notna(), "day"].astype(float)
    days = days[days >= 0]
    if "failed" in model or days.empty:
        return str(model.get("failed", "no day is known"))
    grid = np.linspace(0, max(float(days.max()), 1.0), STEPS)
    course = patient_course(model, case.subject, grid / DAYS_PER_YEAR)
    if course.empty:
        return "; ".join(model["notes"].values()) or "the model has no film of this patient"
    slope, low, high = yearly_slope(model)
    text = (
        f"mean slope {formatting.signed(slope)} a year {formatting.interval(low, high, signed=True)}, n "
        f"= {model['n_subjects']} patients"
    )
    middle, bottom, top = (course[name].to_numpy(float) for name in ("expected", "low", "high"))
    return Expected(grid, middle, bottom, top, text)


def _model(page: Page, system: str, campaign: str, rule: str) -> dict[str, Any]:
    """The mixed model ``total ~ years`` of everybody, without arms: the clinician's view needs none."""
    found = all_totals(page, system, campaign, "total", rule)
    grid = found.grid.only(readers=people(found.kinds))
    try:
        frame = grid.frame().drop(columns="arm")
        last = float(frame.loc[frame["total"].notna(), "days"].max())
        return fit_model(collect(frame), "mixed", ModelOptions(0.0, last)).as_dict()
    except CohortError as error:
        return {"failed": f"{error.given}: {error.needed}"}
