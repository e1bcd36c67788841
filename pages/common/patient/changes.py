"""What changed since the earlier visit, against reading error, and who saw it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.domain import CohortFilter
from core.markdown import md
from core.patient.blocks import block_changes
from core.patient.chance import beside_grades
from core.patient.changes import by_joint, chance_of_change, confirmed_share
from core.reader_labels import label_kinds, models, people, short_names, shown_readings
from data.queries import patient, scores
from pages.common import url_state
from pages.common.clickable_table import all_rows, clickable_table, first_rows, height_for
from pages.common.page import Page
from pages.common.patient.breakdown import percent
from pages.common.patient.case import Asked, Case, case_of, changes_of
from pages.common.queries import ask, asking, computed, fetch
from pages.common.readings import all_patients

ALL_SITES = "changed_sites_all"


def what_changed(page: Page, case: Case) -> str | None:
    """The list of sites that changed; returns the site that the films should show."""
    changed = computed(page, _changed, case.asked)
    st.markdown(f"## What changed, {md(case.first)} to {md(case.last)}")
    if changed.empty:
        st.markdown("No reading has a different grade at any site.")
    else:
        _pick_from(changed, case)
    place = url_state.place().site
    site = place if place in case.system.by_code else (changed["site"].iloc[0] if len(changed) else None)
    st.caption(f"{_yardstick(page, case)}{_model_chance(page, case, site)}")
    return site


def _changed(page: Page, asked: Asked) -> pd.DataFrame:
    """A row a site; a row a block where blocks are read slice by slice, as single items are many."""
    case = case_of(page, *asked)
    if case.system.has_slices:
        return block_changes(case.grades, case.system, case.first, case.last, case.kinds)
    return by_joint(changes_of(page, case, case.first, case.last), case.system)


def _model_chance(page: Page, case: Case, site: str | None) -> str:
    """What a model that compared both films makes of the site in view; nothing where none did."""
    if site is None:
        return ""
    findings, films = fetch(
        page, asking(patient.findings, case.subject, case.chosen.system), asking(patient.films, case.subject)
    )
    chance = chance_of_change(findings, films, site, case.first, case.last)
    if chance is None:
        return ""
    return f" {chance_words(case, site, chance)}"


def chance_words(case: Case, site: str, chance: float) -> str:
    """The model's chance that the grade differs, with its own grades and those of the readers beside it."""
    said = f"Model, films compared side by side: {percent(chance)} chance of change at {site}"
    rows = case.grades[case.grades["site"] == site]
    pairs = {name: _pair(rows, name, case.first, case.last) for name in people(case.kinds)}
    readers = {name: pair for name, pair in pairs.items() if pair}
    return beside_grades(said, chance, own_grades(case, site), readers)


def own_grades(case: Case, site: str) -> tuple[int, int] | None:
    """The grades of the model at both visits, None where one lacks."""
    rows = case.grades[case.grades["site"] == site]
    found = (_pair(rows, name, case.first, case.last) for name in models(case.kinds))
    return next((pair for pair in found if pair), None)


def _pair(rows: pd.DataFrame, label: str, first: str, last: str) -> tuple[int, int] | None:
    """Grades of a reading at both visits, None where one lacks."""
    own = rows[rows["label"] == label].drop_duplicates("visit").set_index("visit")["grade"]
    before, after = (own.get(visit) for visit in (first, last))
    if before is None or after is None or pd.isna(before) or pd.isna(after):
        return None
    return int(before), int(after)


def _pick_from(changed: pd.DataFrame, case: Case) -> None:
    short = short_names(case.kinds)
    first = "block" if "block" in changed else "site"
    title = case.system.block_title.capitalize() if first == "block" else "Site"
    images = f"{case.system.image_title}s"
    table = changed.rename(columns=short)[[first, *short.values()]]
    pairs = zip(changed["seen_by"].tolist(), changed["readers"].tolist(), strict=True)
    seen = [f"{count} of {of}" if of else "–" for count, of in pairs]
    table.insert(1, "seen by", seen)
    narrow = {name: st.column_config.TextColumn(name, width=45) for name in short.values()}
    wide = 46 if len(case.system.features) == 1 else 82
    shown = first_rows(table, ALL_SITES)
    clickable_table(
        shown,
        "changed_sites",
        lambda row, _: url_state.go(site=changed["site"].iloc[row]),
        height=height_for(shown),
        column_config=narrow
        | {
            first: st.column_config.TextColumn(title, width=wide, help=f"Click: the {images} show it"),
            "seen by": st.column_config.TextColumn("Readers", width=62, help="Readers who saw it"),
        },
    )
    all_rows(table, ALL_SITES, f"changed {title.lower()}s")


def _yardstick(page: Page, case: Case) -> str:
    confirmed, seen = computed(page, _confirmed, all_patients(case.chosen), case.first, case.last)
    if not seen:
        return "Single sites: no two readers read both visits, so nothing is known about their agreement."
    return (
        f"How far to trust a single site: of {seen} site changes that one reader saw in this cohort, another "
        f"reader saw {confirmed} ({100 * confirmed / seen:.0f}%) too."
    )


def _confirmed(page: Page, chosen: CohortFilter, first: str, last: str) -> tuple[int, int]:
    grades = shown_readings(ask(page, scores.site_grades, chosen), chosen.campaign)
    return confirmed_share(grades, first, last, people(label_kinds(grades)) if len(grades) else [])
