"""Block by visit on the Patient page, of a score that is read slice by slice; a click opens the block."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.figures.patient.block_map import block_map
from core.markdown import md
from core.patient.blocks import by_block
from core.reader_labels import display_name, md_name
from pages.common import session_keys as keys
from pages.common import url_state
from pages.common.charts import clickable
from pages.common.page import Page
from pages.common.patient.breakdown import TOTAL, breakdown_of
from pages.common.patient.case import Asked, Case, case_of
from pages.common.queries import computed
from pages.common.sticky_widgets import pick_one

READING = "patient_blocks"


def block_by_visit(page: Page, case: Case, site: str | None) -> None:
    """The sum of every block at every visit, of the reading that is chosen."""
    st.markdown(f"## {case.system.block_title.capitalize()} by visit")
    labels = list(breakdown_of(page, case).kinds)
    if not labels:
        st.markdown("Nobody has read these visits.")
        return
    label = pick_one(
        "Reading", labels, READING, labels[0], label_visibility="collapsed", format_func=display_name
    )
    figure = computed(page, _figure, case.asked, label, site)
    clicked = clickable(
        figure, "block_map", alt=f"Sum of every {case.system.block_title} of {case.subject} by visit, {label}"
    )
    st.caption(_caption(case, label))
    if clicked and (clicked[0], clicked[1]) != (site, _shown_visit(case, label)):
        open_block(case, label, str(clicked[1]), str(clicked[0]))
        st.rerun()


def open_block(case: Case, label: str, visit: str, site: str) -> None:
    """Look at a block of a reading at a visit next: its slices, items and pixels."""
    st.session_state[keys.PATIENT_SECTION_NEXT] = keys.TOTAL_SECTION
    st.session_state[TOTAL] = (case.subject, case.system.name, label, visit)
    url_state.go(site=site)


def _shown_visit(case: Case, label: str) -> str:
    kept = st.session_state.get(TOTAL, ("", "", "", ""))
    return str(kept[3]) if kept[:3] == (case.subject, case.system.name, label) else ""


def _figure(page: Page, asked: Asked, label: str, site: str | None) -> Any:
    case = case_of(page, *asked)
    parts = breakdown_of(page, case).parts
    chosen = case.system.by_code[site].block if site in case.system.by_code else None
    return block_map(by_block(parts, label), case.system, case.visits, chosen=chosen, on=page.look)


def _caption(case: Case, label: str) -> str:
    system, block = case.system, case.system.block_title
    most = sum(one.maximum for one in system.sites if one.block == system.blocks[0])
    return (
        f"{md_name(label)}: the sum of the {system.site_title} of each {block} (0 to {most}), coloured by "
        f"quarters. A frame: the {block} counts in the total ({md(case.rule.title)}). A cross: one "
        f"of the {system.site_title} has no grade. Click to open the {block} and its slices."
    )
