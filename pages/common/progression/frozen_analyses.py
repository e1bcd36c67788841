"""The access log, and analyses that stay as they were frozen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from core.digests import differences, digest_of
from core.markdown import md
from data.study.frozen_analyses import Frozen, freeze, frozen_sets, moved_on
from data.study.unblinded_looks import looks
from pages.common import guards
from pages.common.clickable_table import height_for
from pages.common.page import Page
from pages.common.progression import question
from pages.common.progression.frozen_results import frozen_results
from pages.common.progression.question import Question
from pages.common.progression.unblinding import record_unblinded_look
from pages.common.provenance import download
from pages.common.shown_table import show_table
from pages.common.sign_in.who import Act
from pages.common.ways_out.question_words import as_line, as_list

OPENED = "frozen_opened"


def frozen_analyses(page: Page, asked: Question, _: Any) -> str:
    """The section on unblinded looks and frozen analyses."""
    _looks(page)
    st.markdown("### Frozen analyses")
    st.markdown(
        "A frozen analysis keeps the question, the cohort version and the numbers. It reopens with the "
        "same digits even after the cohort has changed."
    )
    _freeze(page, asked)
    _open(page)
    return ""


def _looks(page: Page) -> None:
    kept = looks(page.store)
    sessions = kept["session"].nunique()
    count = f"{len(kept)}, in {sessions} {'session' if sessions == 1 else 'sessions'}"
    st.markdown(f"### Unblinded looks at results by arm: {count}")
    st.caption(
        "One look is one session with one question (filter, visits, readers, rules); redrawing the page "
        "does not count. Each is an event of the audit trail."
    )
    if len(kept):
        shown = kept[["happened_at", "actor", "session", "settings"]].iloc[::-1]
        words = shown["settings"].map(lambda text: as_line(json.loads(text)))
        show_table(shown.assign(settings=words), height=height_for(shown, 180))
        download(shown, "looks", label="Looks (CSV)")


def _freeze(page: Page, asked: Question) -> None:
    if Act.DECIDE not in page.acts:
        st.caption("Freezing is for analysts and the data manager.")
        return
    if not asked.is_full_set:
        st.caption("A subset cannot be frozen: clear the filter first.")
        return
    with st.form("freeze", border=True):
        name, reason = st.columns([1, 2])
        called = name.text_input("Name of the analysis", placeholder="primary analysis")
        why = reason.text_input("Why it is frozen", placeholder="statistical analysis plan 2.1, section 9")
        if st.form_submit_button("Freeze what this page shows", icon=":material/ac_unit:"):
            with guards.errors_shown():
                made = freeze(
                    page.store, called, actor=page.person, reason=why, system=asked.chosen.system,
                    version=page.version, settings=asked.as_settings(),
                    results=frozen_results(page, asked),
                )  # fmt: skip
            st.success(f"Frozen: {md(made.name)}, version {made.version}, digest {made.digest[:12]}.")


def _open(page: Page) -> None:
    kept = {one.name: one for one in frozen_sets(page.store)}
    if not kept:
        st.caption("Nothing is frozen yet.")
        return
    name = st.selectbox("Open a frozen analysis", list(kept), index=None, placeholder="choose", key=OPENED)
    if name in kept:
        _frozen(page, kept[name])


def _frozen(page: Page, kept: Frozen) -> None:
    st.markdown(
        f"**{md(kept.name)}**, frozen by {md(kept.by)} on {kept.at:%Y-%m-%d %H:%M} UTC at cohort version "
        f"**{kept.version}**: {md(kept.reason)}. Digest `{kept.digest[:16]}`."
    )
    asked = question.question_from(kept.settings)
    if kept.arms_shown:
        record_unblinded_look(page, asked)
    then = frozen_results(_page_of_then(page, kept), asked)
    now = frozen_results(replace(page, state={**page.state, "blinded": not kept.arms_shown}), asked)
    _same_digits(kept, digest_of(then))
    _since(page, kept, now)
    show_table(_numbers(kept, now))
    st.caption("Mean change with its 95% interval: as frozen, and as the cohort gives it today.")
    left, right = st.columns(2)
    with left:
        download(_numbers(kept, now), f"frozen_{kept.name}", label="Numbers (CSV)")
    with right:
        st.expander("The question that was frozen").markdown(as_list(kept.settings))


def _page_of_then(page: Page, kept: Frozen) -> Page:
    """A page over the cohort as it was, with arms only where they were in sight."""
    state = {**page.state, "version": kept.version, "blinded": not kept.arms_shown}
    return replace(page, state=state, as_of=kept.version)


def _same_digits(kept: Frozen, digest: str) -> None:
    if not kept.is_intact:
        st.error("The stored numbers do not match their digest: they were changed outside the software.")
    elif digest == kept.digest:
        st.success(f"Recomputed from version {kept.version}: the same digits.", icon=":material/verified:")
    else:
        st.error(
            f"Recomputed from version {kept.version}, the digits differ: this software version computes "
            "something else than the one that froze the analysis."
        )


def _since(page: Page, kept: Frozen, now: object) -> None:
    events = moved_on(page.store, kept.version)
    if events.empty:
        st.markdown("The cohort's rows have not changed since.")
        return
    changed = len(differences(kept.results, now))
    writes = f"{len(events)} {'write' if len(events) == 1 else 'writes'}"
    st.warning(
        f"The cohort has changed: {writes} since version {kept.version}; {changed} of the "
        "numbers would be different today.",
        icon=":material/update:",
    )
    shown = events[["event", "happened_at", "actor", "action", "reason"]]
    show_table(shown, height=140)


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
