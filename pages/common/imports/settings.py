"""Settings of the study on one page: its name, arms and reference, blinding, margins."""

from __future__ import annotations

import streamlit as st

from core import scores as systems
from data.queries import cohort, scores
from data.study.settings import decide
from pages.common import guards
from pages.common.agreement.margin import margin_form
from pages.common.page import Page
from pages.common.progression.unblinding import show_the_arms
from pages.common.queries import asking, fetch
from pages.common.sign_in.who import Act

BY_RULE = ""
RULE = "placebo or control by name, else the first"


def settings(page: Page) -> None:
    """Every setting with its button; who, when and why is recorded in the audit trail."""
    if not page.store.exists():
        st.info("No study yet: import films, patients or scores first.", icon=":material/inbox:")
        return
    st.caption("Each change is recorded in the audit trail: who, when and why.")
    _name_and_reference(page)
    _blinding(page)
    _margins(page)


def _name_and_reference(page: Page) -> None:
    levels = fetch(page, asking(cohort.levels))[0]
    arms = levels.loc[levels["kind"] == "arm", "level"].tolist() if page.sees_arm else []
    stored = page.state["reference_arm"] or BY_RULE
    with st.form("study_settings"):
        st.markdown("## Name and reference arm")
        name = st.text_input("Name of the study on pages and reports", value=page.state["study"])
        options = list(dict.fromkeys([BY_RULE, *arms, stored]))
        reference = st.selectbox(
            "Reference arm, which the others are compared with",
            options,
            index=options.index(stored),
            format_func=lambda arm: arm or RULE,
            accept_new_options=not page.sees_arm,
            help="While arms are hidden, type the name that the table of patients gives it.",
        )
        if st.form_submit_button("Save name and reference arm", icon=":material/save:"):
            new_name = name.strip() if name.strip() != page.state["study"] else None
            new_arm = (reference or BY_RULE) if (reference or BY_RULE) != stored else None
            with guards.errors_shown():
                decide(page.store, actor=page.person, name=new_name, reference=new_arm)
            st.rerun()


def _blinding(page: Page) -> None:
    with st.container(border=True):
        st.markdown("## Blinding")
        if page.state["blinded"]:
            st.markdown("Arms are **hidden** from everybody, in pages, reports and exports.")
            show_the_arms(page)
            return
        st.markdown("Arms are **shown**.")
        reason = st.text_input("Reason to hide them (may stay empty)", key="blind_reason")
        may_not = Act.UNBLIND not in page.acts
        if st.button("Hide the arms", icon=":material/visibility_off:", disabled=may_not):
            with guards.errors_shown():
                decide(page.store, actor=page.person, reason=reason.strip(), blinded=True)
            st.rerun()


def _margins(page: Page) -> None:
    held = fetch(page, asking(scores.systems))[0]
    with st.container(border=True):
        st.markdown("## Margin of interchangeability")
        st.caption(
            "How large the index may be for a model to count as one more reader; set it in the protocol."
        )
        scored = [name for name in systems.names() if name in set(held["system"])] or systems.names()
        system = st.selectbox(
            "Score", scored, format_func=lambda name: systems.get(name).title, key="margin_system"
        )
        margin_form(page, system)
