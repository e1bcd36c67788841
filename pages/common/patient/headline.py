"""The patient's scores at a glance, with a sentence on the change."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import streamlit as st

from core.markdown import md
from core.patient.blocks import block_changes
from core.reader_labels import md_name, models, people, short_names
from core.report import formatting
from core.scores.display.partly_read import in_words, partly_read
from pages.common.page import Page
from pages.common.patient.case import Asked, Case, case_of, changes_of
from pages.common.patient.reading_error import against_error, meaning, no_change, worsening
from pages.common.patient.standing import standing
from pages.common.queries import computed


def headline(page: Page, case: Case) -> None:
    """What changed in one sentence a reading, and whether it is more than error."""
    unit = case.system.title
    before, after, change = case.mean_of_people(case.first), case.mean_of_people(case.last), case.mean_change
    names = people(case.kinds)
    columns = st.columns([1, 0.9, 2.1])
    with columns[0]:
        title = (
            f"{unit}, mean of {', '.join(map(md, names))}"
            if len(names) > 1
            else f"{unit}, {', '.join(map(md, names)) or 'no reader'}"
        )
        _metric(title, _both(case, before, after), change)
    with columns[1]:
        for label in models(case.kinds)[:1]:
            moved = case.change(label)
            text = _both(case, case.total(label, case.first), case.total(label, case.last))
            _metric(f"Model ({label.partition(':')[2] or label})", text, moved)
    with columns[2]:
        st.markdown(_verdict(case, change), help=meaning(page, case) or None)
        if part := _read_in_part(case):
            st.warning(part, icon=":material/rule:")
        parts = _parts(case)
        if parts:
            st.caption(parts)


def beside_films(page: Page, case: Case) -> None:
    """How probable true worsening is, what is new since the visit before, where the patient stands."""
    lines = [worsening(page, case), since_last(page, case), standing(page, case)]
    st.markdown("\n\n".join(line for line in lines if line))


def _both(case: Case, before: float | None, after: float | None) -> str:
    """The score at both visits, a dash where there is none; with one visit there is no pair."""
    if case.first == case.last:
        return "one visit"
    return " → ".join("–" if value is None else f"{value:.1f}" for value in (before, after))


def _metric(title: str, value: str, change: float | None) -> None:
    """Both scores with the change under them; no arrow where nothing changed."""
    delta = None if change is None else formatting.signed(change, 1)
    arrow: Literal["up", "down", "off"] = "off"
    if change is not None and abs(change) >= 0.05:
        arrow = "up" if change > 0 else "down"
    st.metric(title, value, delta, delta_color="off", delta_arrow=arrow)


def _parts(case: Case) -> str:
    """The parts of the score, first to last visit, mean of the readers; empty with one visit."""
    if case.first == case.last:
        return ""
    said = []
    for component in case.system.components:
        before, after = (case.mean_of_people(visit, component.name) for visit in (case.first, case.last))
        if before is not None and after is not None:
            said.append(f"{case.system.name_of(component.name)} {before:.1f} → {after:.1f}")
    return "; ".join(said)


def _read_in_part(case: Case) -> str:
    """Which of the totals shown were chosen among a part of the blocks; empty where none was."""
    totals = case.totals[case.totals["visit"].isin([case.first, case.last])]
    found = partly_read(totals, case.system)
    if found.empty:
        return ""
    whole = len(case.system.sites_of("total"))
    rows = zip(found["label"], found["visit"], found["scored_sites"], strict=True)
    said = [
        f"{md_name(label)}, {md(visit)}: {int(sites)} of {whole} sites read" for label, visit, sites in rows
    ]
    return f"{'; '.join(said)}. {in_words(found, case.system)}"


def _verdict(case: Case, change: float | None) -> str:
    if case.first == case.last:
        at = case.mean_of_people(case.last)
        status = "no total yet" if at is None else f"{case.system.title} {at:.1f}"
        return f"One visit ({md(case.last)}, {status}): nothing to compare with yet."
    if change is None:
        return "No reader has a total at both visits."
    if case.error is None:
        return "No smallest detectable change: two readers and two or more patients are needed."
    error = case.error.text_of(case.readers_of_change)
    text = (
        f"A change of {formatting.signed(change, 1)} is {against_error(case)}: {error}; campaign "
        f"{md(case.chosen.campaign)}."
    )
    return f"{text} {no_change(case)}".strip()


def since_last(page: Page, case: Case) -> str:
    """Sites, or blocks of sites, that changed since the visit before, and how many readers see each."""
    place = case.visits.index(case.last)
    if not place:
        return ""
    before = case.visits[place - 1]
    if case.system.has_slices:
        changed = computed(page, _changed_blocks, case.asked, before).rename(
            columns={"site": "_", "block": "site"}
        )
    else:
        changed = changes_of(page, case, before, case.last)
    seen = changed[changed["seen_by"] > 0] if len(changed) else changed
    where = case.system.block_title if case.system.has_slices else "site"
    if seen.empty:
        return f"**Since {md(before)}:** no reader saw a change at any {where}."
    names = short_names(case.kinds)
    first = people(case.kinds)
    said = []
    for row in seen.head(4).to_dict("records"):
        grades = ", ".join(f"{md(names[label])} {md(row[label])}" for label in first if label in row)
        said.append(f"**{row['site']}** ({row['seen_by']} of {row['readers']}: {grades})")
    more = f" and {len(seen) - 4} more" if len(seen) > 4 else ""
    return f"**Since {md(before)}:** {'; '.join(said)}{more}."


def _changed_blocks(page: Page, asked: Asked, before: str) -> pd.DataFrame:
    case = case_of(page, *asked)
    return block_changes(case.grades, case.system, before, case.last, case.kinds)
