"""More about the patient under the films, one section at a time: only the open one is computed."""

from __future__ import annotations

import streamlit as st

from pages.common import session_keys as keys
from pages.common.page import Page
from pages.common.patient.blocks.heat_map import block_by_visit
from pages.common.patient.case import Case
from pages.common.patient.change_breakdown import change_breakdown
from pages.common.patient.course import course
from pages.common.patient.joint_map import joints, site_by_visit
from pages.common.patient.scans.diagnosis import diagnosis, guesses
from pages.common.patient.total_breakdown import total_breakdown
from pages.common.sticky_widgets import choose
from pages.common.views.sections import Section, open_one

COURSE, JOINTS, WHY, TOTAL = "Course and sites", "Joints", "Why did it change?", keys.TOTAL_SECTION
DISEASE = "Disease, guessed"


def sections(page: Page, case: Case, site: str | None) -> None:
    """The sections, and the one that is open: the one chosen last, or that a click elsewhere asked for."""
    known: dict[str, Section] = {}
    if case.first != case.last:
        known[WHY] = lambda page, case, _: change_breakdown(page, case)
    if case.system.drawing is not None:
        known[JOINTS] = joints
    known |= {COURSE: _course_and_sites, TOTAL: total_breakdown}
    if case.system.of_scans and not page.is_reader and len(guesses(page, case)):
        known[DISEASE] = diagnosis
    asked_for = st.session_state.pop(keys.PATIENT_SECTION_NEXT, None)
    if asked_for in known:
        choose(keys.PATIENT_SECTION, asked_for)
    open_one(
        "More about this patient", known, keys.PATIENT_SECTION, (page, case, site),
        label_visibility="collapsed",
    )  # fmt: skip


def _course_and_sites(page: Page, case: Case, site: str | None) -> str:
    over_time, sites = st.columns([1.5, 1])
    with over_time:
        course(page, case)
    with sites:
        by_visit = block_by_visit if case.system.has_slices else site_by_visit
        by_visit(page, case, site)
    return ""
