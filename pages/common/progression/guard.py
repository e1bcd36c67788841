"""What guards the analyst: the act of unblinding, the count of looks, sets that stay as they were frozen."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from core.digests import differences, digest_of
from data.store.cohort import current_actor
from data.study.frozen_analyses import Frozen, freeze, frozen_sets, moved_on
from data.study.settings import decide
from data.study.unblinded_looks import looks, record_look
from pages.common import guards
from pages.common.page import Page
from pages.common.progression import question
from pages.common.progression import results as study
from pages.common.progression.question import Ask
from pages.common.provenance import download
from pages.common.queries import ask

SITTING = "sitting"  # names this session in the trail
KEPT_LOOKS = "kept_looks"
OPENED = "frozen_opened"


def blinded_study(page: Page) -> None:
    """In a blinded study: say so, and offer the act that shows the arms."""
    if not page.state["blinded"]:
        return
    with st.expander("Arms are hidden: this study is blinded.", icon=":material/visibility_off:"):
        st.markdown(
            "Every number below is for all patients together. Showing the arms is an act that stays in the "
            "audit trail with your name, the time and the reason; from then on looks at results by arm are "
            "counted. The command does the same: `sharpline study --unblind --reason ...`."
        )
        reason = st.text_input("Why the arms may be shown now", placeholder="database locked on 2 May")
        sure = st.checkbox("I may show the arms of this study to everybody who uses this cohort")
        if st.button("Show the arms", disabled=not (reason.strip() and sure), icon=":material/visibility:"):
            with guards.told():
                decide(page.store, actor=current_actor(), reason=reason.strip(), blinded=False)
            st.rerun()


def keep_look(page: Page, asked: Ask) -> None:
    """Keep, before anything is shown, that this session looks at results by arm under these settings."""
    if not page.sees_arm or not _has_arms(page):
        return
    sitting = st.session_state.setdefault(SITTING, secrets.token_hex(6))
    kept: set[str] = st.session_state.setdefault(KEPT_LOOKS, set())
    settings = {"page": "Progression", **asked.as_settings()}
    key = digest_of(settings)
    if key not in kept:
        with guards.told():
            record_look(page.store, actor=current_actor(), session=sitting, settings=settings)
        kept.add(key)


def _has_arms(page: Page) -> bool:
    from data.queries import cohort

    levels = ask(page, cohort.levels)
    return int((levels["kind"] == "arm").sum()) > 1


def guarded(page: Page, asked: Ask) -> None:
    """The section on looks and frozen sets."""
    _looks(page)
    st.markdown("##### Confirmatory sets")
    st.markdown(
        "A frozen set keeps the question, the cohort's version and the numbers. It can be opened again to "
        "the same digits, also after the cohort has moved on."
    )
    _freeze(page, asked)
    _open(page)


def _looks(page: Page) -> None:
    kept = looks(page.store)
    sittings = kept["session"].nunique()
    st.markdown(f"##### Looks at results by arm: {len(kept)}, in {sittings} sessions")
    st.caption(
        "One look is one session with one question (filter, visits, readers, rules); drawing the page again "
        "is none. Each is an event of the audit trail."
    )
    if len(kept):
        shown = kept[["happened_at", "actor", "session", "settings"]].iloc[::-1]
        st.dataframe(shown, hide_index=True, height=180)
        download(shown, "looks", label="Looks (CSV)")


def _freeze(page: Page, asked: Ask) -> None:
    if not asked.is_full_set:
        st.caption("A subset is not frozen: clear the filter first.")
        return
    with st.form("freeze", border=True):
        name, reason = st.columns([1, 2])
        called = name.text_input("Name of the set", placeholder="primary analysis")
        why = reason.text_input("Why it is frozen", placeholder="statistical analysis plan 2.1, section 9")
        if st.form_submit_button("Freeze what this page shows", icon=":material/ac_unit:"):
            with guards.told():
                made = freeze(
                    page.store, called, actor=current_actor(), reason=why, system=asked.chosen.system,
                    version=page.version, settings=asked.as_settings(),
                    results=study.frozen_results(page, asked),
                )  # fmt: skip
            st.success(f"Frozen: {made.name}, version {made.version}, digest {made.digest[:12]}.")


def _open(page: Page) -> None:
    kept = {one.name: one for one in frozen_sets(page.store)}
    if not kept:
        st.caption("Nothing is frozen yet.")
        return
    name = st.selectbox("Open a frozen set", list(kept), index=None, placeholder="choose", key=OPENED)
    if name in kept:
        _frozen(page, kept[name])


def _frozen(page: Page, kept: Frozen) -> None:
    st.markdown(
        f"**{kept.name}**, frozen by {kept.by} on {kept.at:%Y-%m-%d %H:%M} UTC at cohort version "
        f"**{kept.version}**: {kept.reason}. Digest `{kept.digest[:16]}`."
    )
    asked = question.ask_from(kept.settings)
    if kept.arms_shown:
        keep_look(page, asked)
    then = study.frozen_results(_page_of_then(page, kept), asked)
    now = study.frozen_results(replace(page, state={**page.state, "blinded": not kept.arms_shown}), asked)
    _same_digits(kept, digest_of(then))
    _since(page, kept, now)
    st.dataframe(_numbers(kept, now), hide_index=True)
    st.caption("Mean change with its 95% interval: as frozen, and as the cohort gives it today.")
    left, right = st.columns(2)
    with left:
        download(_numbers(kept, now), f"frozen_{kept.name}", label="Numbers (CSV)")
    with right:
        st.expander("The question that was frozen").json(kept.settings)


def _page_of_then(page: Page, kept: Frozen) -> Page:
    """A page over the cohort as it was, with arms only where they were in sight."""
    state = {**page.state, "version": kept.version, "blinded": not kept.arms_shown}
    return replace(page, state=state, as_of=kept.version)


def _same_digits(kept: Frozen, digest: str) -> None:
    if not kept.is_intact:
        st.error("The stored numbers do not match their digest: they were changed behind the program's back.")
    elif digest == kept.digest:
        st.success(
            f"Worked out again from version {kept.version}: the same digits.", icon=":material/verified:"
        )
    else:
        st.error(
            f"Worked out again from version {kept.version} the digits differ: this version of the software "
            "computes something else than the one that froze the set."
        )


def _since(page: Page, kept: Frozen, now: object) -> None:
    events = moved_on(page.store, kept.version)
    if events.empty:
        st.markdown("The cohort's rows have not changed since.")
        return
    changed = len(differences(kept.results, now))
    st.warning(
        f"The cohort has moved on: {len(events)} writes since version {kept.version}; {changed} of the "
        "numbers would be different today.",
        icon=":material/update:",
    )
    st.dataframe(events[["event", "happened_at", "actor", "action", "reason"]], hide_index=True, height=140)


def _numbers(kept: Frozen, now: dict[str, Any]) -> pd.DataFrame:
    rows = []
    for way, one in kept.results.items():
        if way == "missing films":
            continue
        today = now.get(way, {}).get("summary", {})
        for arm, value in one["summary"].items():
            rows.append(
                {"sites": way, "arm": arm, **_mean("frozen", value), **_mean("today", today.get(arm))}
            )
    return pd.DataFrame(rows)


def _mean(prefix: str, value: dict[str, Any] | None) -> dict[str, Any]:
    if value is None:
        return {f"{prefix} n": 0, f"{prefix} mean": None, f"{prefix} low": None, f"{prefix} high": None}
    low, high = value["ci"]
    return {
        f"{prefix} n": value["n"],
        f"{prefix} mean": value["mean"],
        f"{prefix} low": low,
        f"{prefix} high": high,
    }
