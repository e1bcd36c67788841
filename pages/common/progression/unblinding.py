"""Arms of a blinded study: shown by an act with a reason; every unblinded look is recorded."""

from __future__ import annotations

import secrets

import streamlit as st

from core.digests import digest_of
from data.study.settings import decide
from data.study.unblinded_looks import record_look
from pages.common import guards
from pages.common.page import Page
from pages.common.progression.question import Question
from pages.common.queries import ask
from pages.common.sign_in.who import Act

SESSION = "look_session"  # names this session in the audit trail
KEPT_LOOKS = "kept_looks"
LOOK_IS_RECORDED = (
    ":material/visibility: Results by arm follow; the audit trail records each such look once a session: "
    "who, when, and the question."
)


def blinded_study(page: Page) -> None:
    """In a blinded study: say so, and offer the act that shows the arms."""
    if not page.state["blinded"]:
        return
    said, act = st.columns([4, 1], vertical_alignment="center")
    said.markdown(":material/visibility_off: **Arms are hidden**: every number below is of all patients.")
    with act:
        show_the_arms(page)


def show_the_arms(page: Page) -> None:
    """The button that shows the arms, with its reason; whoever may not is told who may."""
    with st.popover("Show the arms ...", icon=":material/visibility:"):
        st.markdown(
            "Showing the arms is recorded in the audit trail with your name, the time and the reason; from "
            "then on, unblinded looks at results by arm are counted."
        )
        if Act.UNBLIND not in page.acts:
            st.markdown("The data manager may show them.")
            return
        reason = st.text_input("Why the arms may be shown now", placeholder="database locked on 2 May")
        sure = st.checkbox("I may show the arms of this study to everybody who uses this cohort")
        if st.button("Show the arms", disabled=not (reason.strip() and sure), type="primary"):
            with guards.errors_shown():
                decide(page.store, actor=page.person, reason=reason.strip(), blinded=False)
            st.rerun()


def record_unblinded_look(page: Page, asked: Question) -> None:
    """Keep, before anything is shown, that this session looks at results by arm under these settings."""
    if not page.sees_arm or not _has_arms(page):
        return
    st.caption(LOOK_IS_RECORDED)
    session = st.session_state.setdefault(SESSION, secrets.token_hex(6))
    kept: set[str] = st.session_state.setdefault(KEPT_LOOKS, set())
    settings = {"page": "Progression", **asked.as_settings()}
    key = digest_of(settings)
    if key not in kept:
        with guards.errors_shown():
            record_look(page.store, actor=page.person, session=session, settings=settings)
        kept.add(key)


def _has_arms(page: Page) -> bool:
    from data.queries import cohort

    levels = ask(page, cohort.levels)
    return int((levels["kind"] == "arm").sum()) > 1
