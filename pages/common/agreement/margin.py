"""The margin of interchangeability: what was set, when and by whom, and a form to set another."""

from __future__ import annotations

import streamlit as st

from core import scores as systems
from core.markdown import md
from data.study.settings import Margin, decide, margins
from pages.common import guards
from pages.common import session_keys as keys
from pages.common.page import Page
from pages.common.sign_in.who import Act


def chosen_margin(page: Page, system: str) -> float | None:
    """The margin that counts, None without one."""
    stored = _stored(page, system)
    return stored.value if stored else None


def _stored(page: Page, system: str) -> Margin | None:
    return next(reversed(margins(page.store, system)), None)


def margin_form(page: Page, system: str) -> None:
    """The margin of the study: said with who set it when, and a form to set another."""
    st.markdown(_margin_sentence(_stored(page, system)))
    if Act.DECIDE not in page.acts:
        return
    with st.expander("Set the margin", icon=":material/straighten:"), st.form("margin", border=False):
        unit = systems.get(system).title
        new = st.number_input(
            f"Largest index that still counts as interchangeable ({unit}²)", min_value=0.0, value=None,
            step=0.5, key=keys.MARGIN, placeholder="no margin, no verdict",
        )  # fmt: skip
        why = st.text_input("Reason", placeholder="needed once a model has scored", key=keys.MARGIN_REASON)
        if st.form_submit_button("Set margin (recorded in the audit trail)"):
            with guards.errors_shown():
                decide(page.store, actor=page.person, reason=why.strip(), margins={system: new or None})
            st.rerun()


def _margin_sentence(stored: Margin | None) -> str:
    if stored is None or stored.value is None:
        return "No margin is set, so there is no verdict. Set it in the protocol before unblinding."
    when = "before any model had scored" if stored.is_preset else "**after** a model had scored"
    why = f": {md(stored.reason)}" if stored.reason else ""
    by = md(stored.by)
    return f"Margin **{stored.value:g} {stored.unit}**, set {when} by {by} on {stored.at:%Y-%m-%d}{why}."
