"""One patient's score over time: the total or a part of it, with covariates under the same axis."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.figures.patient.course import Band, course_figure
from core.markdown import md
from core.patient.expected_course import SAYS
from data.queries import patient
from pages.common.charts import clickable
from pages.common.page import Page
from pages.common.patient import expected_course, reading_error
from pages.common.patient.case import Asked, Case, case_of
from pages.common.patient.total_breakdown import open_total
from pages.common.queries import ask, computed
from pages.common.readings import reader_error
from pages.common.sticky_widgets import COMPONENT, TOTAL, components, pick_one


def course(page: Page, case: Case) -> None:
    """The total over time, or the part of it that is chosen."""
    st.markdown(f"## {case.system.title} over time")
    if case.totals.empty:
        st.markdown("No total yet.")
        return
    component = pick_one(
        "Score", components(case.system), COMPONENT, label_visibility="collapsed",
        format_func=case.system.name_of,
    )  # fmt: skip
    rows = case.totals[case.totals["component"] == component]
    expected = expected_course.expected(page, case) if component == TOTAL else None
    title = case.system.title_of(component, case.rule)
    figure = computed(page, _figure, case.asked, component, expected is not None)
    clicked = clickable(
        figure, "course", alt=f"{case.system.title} of {case.subject} by visit, {title}, every reading"
    )
    _caption(page, case, rows, component)
    if expected is not None:
        st.caption(f"Expected: {SAYS}; {expected.text}.")
    gaps = rows[rows["total"].isna()]
    if len(gaps):
        said = [f"{md(row.label)} {md(row.visit)} ({md(row.missing_reason)})" for row in gaps.itertuples()]
        st.caption(f"No total, so a gap in the line: {'; '.join(said)}.")
    if clicked and len(clicked) > 2:
        open_total(page, case, str(clicked[2]), str(clicked[0]), component)
        st.rerun()


def _figure(page: Page, asked: Asked, component: str, is_expected: bool) -> Any:
    case = case_of(page, *asked)
    found = expected_course.course_of(page, case) if is_expected else None
    return course_figure(
        case.totals[case.totals["component"] == component], case.kinds,
        unit=f"{case.system.title}, {case.system.title_of(component, case.rule)}",
        band=_band(page, case, component),
        covariates=ask(page, patient.covariates, case.subject),
        expected=None if isinstance(found, str) else found, on=page.look,
    )  # fmt: skip


def _band(page: Page, case: Case, component: str) -> Band | None:
    """What reading error alone could do to the readers' mean of this part."""
    error = case.error
    if component != TOTAL and error is not None:
        error = reader_error(page, case.chosen, case.first, case.last, component, case.rule.name)
    before = case.mean_of_people(case.first, component)
    if error is None or before is None:
        return None
    limit = error.limit(case.readers_of_change)
    return Band(before, limit, f"{case.first} ± SDC {limit:.1f}")


def _caption(page: Page, case: Case, rows: pd.DataFrame, component: str) -> None:
    imputed = int(rows["imputed_sites"].sum())
    meaning = reading_error.meaning(page, case) if component == TOTAL else ""
    made = f"{imputed} missing sites imputed ({case.rule.title})"
    if case.system.chooses_blocks:
        made = f"totals by the rule “{case.rule.title}”"
    st.caption(
        f"n = {len(case.visits)} visits, {len(case.kinds)} readings; {made}. The band: what reading error "
        "alone could do to the readers' mean."
        + (f" {meaning}" if meaning else "")
        + " Click a point to list the sites of that total under From total to pixels."
    )
