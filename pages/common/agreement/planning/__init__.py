"""The planning part of the Agreement page: how many patients for an ICC, how many readers for an SDC."""

from __future__ import annotations

import streamlit as st

from pages.common.agreement.planning.patients import patients
from pages.common.agreement.planning.readers import readers_needed
from pages.common.agreement.question import Comparison
from pages.common.page import Page


def planning(page: Page, compared: Comparison) -> str:
    """Patients for an ICC interval, then readers for an SDC or ICC of change."""
    st.markdown("## How many patients for an ICC")
    patients(page, compared)
    st.markdown("## How many readers for an SDC")
    readers_needed(page, compared)
    return (
        "Patients for an ICC interval of a given width were found as Bonett (2002) has it, then as the "
        "smallest number whose own interval is that narrow; readers for an SDC by a G study and a D study of "
        "the readers."
    )
