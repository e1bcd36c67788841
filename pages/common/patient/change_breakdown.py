"""The sites that make up a change between two visits, each with its crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.markdown import md
from core.patient import breakdown as core
from core.patient.chance import goes_with
from core.patient.changes import chance_of_change
from core.reader_labels import display_name, md_name, people, short_names
from core.report import formatting
from pages.common.page import Page
from pages.common.patient.breakdown import (
    AT_ONCE,
    MORE,
    READING,
    SMALL,
    Breakdown,
    breakdown_of,
    count_of_sites,
    percent,
)
from pages.common.patient.cards import Place, card, grade_table, picture
from pages.common.patient.case import Asked, Case, case_of
from pages.common.patient.changes import own_grades
from pages.common.patient.film_pair import show_in_films
from pages.common.patient.site_card import states_at
from pages.common.patient.site_location import alike, place_of, side_of
from pages.common.queries import computed
from pages.common.sticky_widgets import pick_one


@dataclass(frozen=True)
class Card:
    """One site of a change but for its crops. side: of the crops; about: HTML that stands beside them."""

    code: str
    title: str
    places: tuple[Place, ...]
    side: float
    about: str


def change_breakdown(page: Page, case: Case) -> str:
    """The change of the chosen reading taken apart by site, each with its two crops."""
    if case.first == case.last:
        return ""
    st.markdown(f"## Why did it change, {md(case.first)} to {md(case.last)}?")
    found = breakdown_of(page, case)
    options = _readings(case, found)
    if not options:
        st.markdown("No reading has a total at both visits: there is no change to take apart.")
        return ""
    first = next(iter(options))
    name = pick_one("Change of", list(options), READING, first, format_func=display_name)
    labels = options[name]
    rows = computed(page, _rows, case.asked, tuple(labels))
    st.markdown(_change_sentence(case, name, labels, rows))
    if rows.empty:
        return ""
    key = (case.subject, case.system.name, case.first, case.last, name)
    held = st.session_state.get(MORE)
    count = held[1] if held and held[0] == key else AT_ONCE
    columns = st.columns(2)
    cards = computed(page, _cards, case.asked, tuple(labels), tuple(rows["site"].head(count)))
    for number, one in enumerate(cards):
        with columns[number % 2], st.container(border=True):
            _show(page, case, one)
    if len(rows) > count:
        more = f"Show the next {min(AT_ONCE, len(rows) - count)} of {len(rows)} sites"
        if st.button(more, key="why_next", icon=":material/expand_more:"):
            st.session_state[MORE] = (key, count + AT_ONCE)
            st.rerun()
    return ""


def _readings(case: Case, found: Breakdown) -> dict[str, list[str]]:
    """Name -> labels whose mean it is: the mean of the readers, then every reading that has both totals."""
    counted = core.counted_labels(found.parts, list(found.kinds), case.first, case.last)
    who = [label for label in people(found.kinds) if label in counted]
    mean = {f"mean of {', '.join(who)}": who} if len(who) > 1 else {}
    return mean | {label: [label] for label in counted}


def _change_sentence(case: Case, name: str, labels: list[str], rows: pd.DataFrame) -> str:
    changes = [case.change(label) for label in labels]
    shown = None if any(one is None for one in changes) else sum(changes) / len(changes)  # type: ignore[arg-type]
    total = float(rows["change"].sum())
    if shown is None or abs(total - shown) > core.EQUAL:
        said = "none" if shown is None else f"{formatting.signed(shown)}"
        return (
            f":red[The sites add up to {formatting.signed(total)}, the totals changed by {said}: please "
            f"report this.]"
        )
    graded, imputed = rows[rows["graded"] != 0], rows[rows["imputed"] != 0]
    up, down = int((rows["change"] > 0).sum()), int((rows["change"] < 0).sum())
    if rows.empty:
        return f"**{formatting.signed(shown, 1)}** {case.system.title}, {md_name(name)}: no site changed."
    sites_up, sites_graded = count_of_sites(case.system, up), count_of_sites(case.system, len(graded))
    text = (
        f"**{formatting.signed(shown, 1)}** {case.system.title}, {md_name(name)}: {up} {sites_up} up, "
        f"{down} down. From grades {formatting.signed(graded['graded'].sum())} ({len(graded)} {sites_graded})"
    )
    if len(imputed):
        return (
            f"{text}; from {len(imputed)} that the rule filled at a visit "
            f"{formatting.signed(imputed['imputed'].sum())}, "
            "which is not a finding."
        )
    return f"{text}, nothing from imputed ones."


def _rows(page: Page, asked: Asked, labels: tuple[str, ...]) -> pd.DataFrame:
    case = case_of(page, *asked)
    return core.changes(breakdown_of(page, case).parts, list(labels), case.first, case.last)


def _cards(page: Page, asked: Asked, labels: tuple[str, ...], sites: tuple[str, ...]) -> list[Card]:
    """The cards of these sites, in this order."""
    case = case_of(page, *asked)
    rows: pd.DataFrame = computed(page, _rows, asked, labels)
    return [_card(page, case, row) for row in rows[rows["site"].isin(sites)].itertuples()]


def _card(page: Page, case: Case, row: Any) -> Card:
    found = breakdown_of(page, case)
    code = str(row.site)
    site = case.system.by_code[code]
    visits = (case.first, case.last)
    places = alike([place_of(page, case, found, visit, code) for visit in visits])
    grades = [
        (
            label,
            [found.grade(label, visit, code) for visit in visits],
            _lifted(found, label, visits, code),
        )
        for label in found.kinds
    ]
    imputed = f" ({formatting.signed(row.imputed)} imputed)" if row.imputed else ""
    chance = chance_of_change(found.found, found.films, code, case.first, case.last)
    of_model = (
        ""
        if chance is None
        else f'<div class="soft">Model, films side by side:<br>{_of_chance(case, code, chance)}</div>'
    )
    table = grade_table(grades, page.look, visits=visits, short=short_names(found.kinds))
    title = f"**{code}** {formatting.signed(row.change)}{imputed} · {site.name}"
    return Card(code, title, tuple(places), side_of(places), table + of_model)


def _of_chance(case: Case, code: str, chance: float) -> str:
    """The chance in a card whose grades stand above it; a remark where it does not go with them."""
    text = f"{percent(chance)} chance of change"
    if goes_with(chance, own_grades(case, code)):
        return text
    return f"{text}, which does not go with its grades: the grades count"


def _show(page: Page, case: Case, one: Card) -> None:
    st.markdown(one.title)
    card(*(picture(page, place, one.side, SMALL, one.code) for place in one.places), one.about)
    st.button(
        f"Show in the {case.system.image_title}s", key=f"why_open_{one.code}",
        icon=":material/center_focus_strong:", type="tertiary", on_click=show_in_films, args=(one.code,),
    )  # fmt: skip


def _lifted(found: Breakdown, label: str, visits: Sequence[str], code: str) -> str:
    """Findings at the joint, with the visit: grades alone would not explain the change."""
    return ", ".join(f"{name} ({visit})" for visit in visits for name in states_at(found, label, visit, code))
