"""From a total to its components, their sites and the pixels."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.markdown import md
from core.patient import breakdown as core
from core.reader_labels import display_name, md_name
from core.scores.engine.contributions import How
from core.scores.system import ScoreSystem
from pages.common import session_keys as keys
from pages.common import url_state
from pages.common.clickable_table import all_rows, clickable_table, first_rows, height_for
from pages.common.page import Page
from pages.common.patient.blocks.slices import blocks_and_items
from pages.common.patient.breakdown import COMPONENT, TOTAL, Breakdown, breakdown_of, count_of_sites
from pages.common.patient.case import Asked, Case, case_of
from pages.common.patient.site_card import show_site_card
from pages.common.queries import computed

ALL_OF_TOTAL = "trail_sites_all"


def open_total(page: Page, case: Case, label: str, visit: str, component: str = "total") -> None:
    """Look at a total, or at a part of it, next: the site that adds most to it is shown, on the films too."""
    st.session_state[keys.PATIENT_SECTION_NEXT] = keys.TOTAL_SECTION
    st.session_state[TOTAL] = (case.subject, case.system.name, label, visit)
    st.session_state[COMPONENT] = component
    made = breakdown_of(page, case).parts
    made_of = core.making(made, core.reading_of(made, label, visit), component)
    if len(made_of):
        url_state.go(site=str(made_of["site"].iloc[0]))


def total_breakdown(page: Page, case: Case, site: str | None) -> str:
    """Total, components, sites, and the pixels, grades, rule and run behind one site."""
    st.markdown(f"## {keys.TOTAL_SECTION}")
    found = breakdown_of(page, case)
    rows = case.totals[case.totals["component"] == "total"]
    labels = [label for label in found.kinds if label in set(rows["label"])]
    if not labels:
        st.markdown("No total yet.")
        return ""
    _totals_table(page, case, labels)
    label, visit = _chosen_total(case, labels)
    reading, branches = computed(page, _reading, case.asked, label, visit)
    if reading.empty:
        st.markdown(f"{md_name(label)} has not read {md(visit)}.")
        return ""
    component = _branches(case, branches, label, visit)
    made_of, table = computed(page, _sites, case.asked, label, visit, component)
    shown = _shown_site(case, made_of, site)
    left, right = st.columns([1, 1.25])
    with left:
        if case.system.has_slices:
            blocks_and_items(page, case, label, visit, component, shown)
        else:
            _sites_table(
                case, table, len(reading[reading["block"].isin(core.blocks_of(found.parts, component))])
            )
    with right, st.container(border=True):
        if shown is None:
            st.markdown("No site contributes.")
        else:
            show_site_card(page, case, label, visit, shown)
    return ""


def _shown_site(case: Case, made_of: pd.DataFrame, site: str | None) -> str | None:
    """The site that a person chose, else the page's where it adds something, else the one that adds most."""
    chosen = url_state.place().site
    if chosen in case.system.by_code:
        return chosen
    return site if site in set(made_of["site"]) else next(iter(made_of["site"]), site)


def _totals_table(page: Page, case: Case, labels: list[str]) -> None:
    cells = [
        [display_name(label), *(_total(case.total(label, visit)) for visit in case.visits)]
        for label in labels
    ]
    table = pd.DataFrame(cells, columns=["reading", *case.visits])
    clickable_table(
        table, "trail_totals", lambda row, visit: _keep_total(page, case, labels[row], visit),
        height="content",
        column_config={"reading": st.column_config.TextColumn("Reading", help="Click a total: its sites")},
    )  # fmt: skip


def _total(value: float | None) -> str:
    return "–" if value is None or pd.isna(value) else f"{value:.2f}".removesuffix(".00")


def _keep_total(page: Page, case: Case, label: str, visit: str) -> None:
    visit = visit if visit in case.visits else case.last
    open_total(page, case, label, visit, st.session_state.get(COMPONENT) or "total")


def _chosen_total(case: Case, labels: list[str]) -> tuple[str, str]:
    """The total that was clicked, else the first reading's at the later visit."""
    subject, system, label, visit = st.session_state.get(TOTAL, ("", "", "", ""))
    if (subject, system) == (case.subject, case.system.name) and label in labels and visit in case.visits:
        return label, visit
    return labels[0], case.last


def _reading(page: Page, asked: Asked, label: str, visit: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The sites of one reading, and the total with its components."""
    made = breakdown_of(page, case_of(page, *asked)).parts
    reading = core.reading_of(made, label, visit)
    return reading, core.branches(made, reading)


def _branches(case: Case, rows: pd.DataFrame, label: str, visit: str) -> str:
    """The total and its components, one of which is taken apart below; returns its name."""
    names = rows["component"].tolist()
    value = dict(zip(names, map(_total, rows["value"].tolist()), strict=True))
    st.session_state[COMPONENT] = _one_of(names, st.session_state.get(COMPONENT))
    chosen = st.segmented_control(
        f"{md_name(label)}, {md(visit)}", names, key=COMPONENT, required=True,
        format_func=lambda name: md(f"{case.system.name_of(name)} {value.get(name, '')}"),
    )  # fmt: skip
    row = rows[rows["component"] == chosen].iloc[0]
    st.markdown(_branch_sentence(case, row, label, visit))
    return str(chosen)


def _one_of(names: list[str], kept: str | None) -> str:
    """What was chosen, the total where this system has no such part."""
    return kept if kept in names else names[0]


def _branch_sentence(case: Case, row: pd.Series, label: str, visit: str) -> str:
    name = row["component"] if row["component"] == "total" else row["title"]
    stored = case.total(label, visit, str(row["component"]))
    value = None if pd.isna(row["value"]) else float(row["value"])
    if (stored is None) != (value is None) or (
        stored is not None and value is not None and abs(stored - value) > core.EQUAL
    ):
        return (
            f":red[The sites of {md_name(label)}, {md(visit)} add up to {_total(value)}, the stored {name} "
            f"is {_total(stored)}: please report this.]"
        )
    sites = case.system.site_title
    counts = f"{row['above_0']} of {row['sites']} {sites} above 0, {row['imputed_sites']} imputed"
    if value is None:
        why = md(_reason(case, label, visit, row["component"]))
        return f"**{md_name(label)}, {md(visit)}: no {name}** ({why}). {counts}."
    put_in = f" + {row['imputed']:.4g} imputed" if row["imputed_sites"] else ""
    return (
        f"**{md_name(label)}, {md(visit)}: {name} {_total(value)}** = {row['graded']:.4g} from grades"
        f"{put_in}; {counts}, {row['not_scored']} not scored and not imputed."
    )


def _reason(case: Case, label: str, visit: str, component: str) -> str:
    rows = case.totals
    mask = (rows["label"] == label) & (rows["visit"] == visit) & (rows["component"] == component)
    reasons = rows.loc[mask, "missing_reason"].dropna()
    return str(reasons.iloc[0]) if len(reasons) else "not read"


def _sites(
    page: Page, asked: Asked, label: str, visit: str, component: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The sites that the component is made of, and the table of them."""
    case = case_of(page, *asked)
    found = breakdown_of(page, case)
    made_of = core.making(found.parts, core.reading_of(found.parts, label, visit), component)
    rows = [
        {
            "site": row["site"],
            "adds": None if pd.isna(row["value"]) else round(float(row["value"]), 3),
            "grade": "–" if pd.isna(row["given"]) else f"{row['given']:g}",
            "how": _how_words(case.system, found, row, label, visit),
        }
        for row in made_of.to_dict("records")
    ]
    return made_of, pd.DataFrame(rows, columns=["site", "adds", "grade", "how"])


def _sites_table(case: Case, table: pd.DataFrame, of_all: int) -> None:
    """The sites that count, of all sites of the part that is shown."""
    shown = first_rows(table, ALL_OF_TOTAL)
    clickable_table(
        shown, "trail_sites", lambda row, _: url_state.go(site=table["site"].iloc[row]),
        height=height_for(shown),
        column_config={
            "site": st.column_config.TextColumn("Site", help="Click: its pixels, grades and rule", width=90),
            "adds": st.column_config.NumberColumn("Adds", format="%.4g", width=60),
            "grade": st.column_config.TextColumn("Grade", width=60, help="As the reader gave it"),
            "how": st.column_config.TextColumn("How it counts"),
        },
    )  # fmt: skip
    all_rows(table, ALL_OF_TOTAL, "sites")
    rest = of_all - len(table)
    others = f"; the other {rest} {'has' if rest == 1 else 'have'} grade 0" if rest else ""
    st.caption(f"{len(table)} {count_of_sites(case.system, len(table))}{others}.")


def _how_words(system: ScoreSystem, found: Breakdown, row: dict[Any, Any], label: str, visit: str) -> str:
    how = How(row["how"])
    if how in (How.LIFTED, How.SURGERY):
        return next(state.name for state in system.states if state.code == row["state"])
    read = found.read(label, visit, row["site"], system.by_code[row["site"]].feature)
    reason = "" if read is None or not isinstance(read["reason"], str) else read["reason"]
    if how in (How.IMPUTED, How.MISSING, How.DROPPED) and reason:
        return f"{how}: {reason}"
    return str(how)
