"""Where the damage is: a drawing of the joints where the system has one, and every site at every visit."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from core.figures.patient.joint_map import Shown, joint_map
from core.figures.patient.joint_marks import LARGEST, counts_as, seen
from core.figures.patient.site_map import site_map
from core.figures.style import GRADE_COLOURS
from core.markdown import md
from core.patient.joint_sums import QUERY, combined_grades
from core.reader_labels import display_name, md_name
from core.scores.display.groups import SiteGroup, only, site_groups
from core.scores.system import Feature, ScoreSystem
from pages.common import url_state
from pages.common.charts import clickable
from pages.common.page import Page
from pages.common.patient.case import Asked, Case, case_of
from pages.common.patient.joint_sums import joint_sums
from pages.common.queries import computed
from pages.common.sticky_widgets import pick_one

READING, ROWS, SCALE = "patient_marks", "patient_rows", "patient_scale"
DAMAGED, CHANGED, ALL = "Damaged or changed", "Changed", "All"


def joints(page: Page, case: Case, site: str | None) -> str:
    """The drawing of a system that has one, with the reading that it shows."""
    st.markdown(f"## Joints at {md(case.last)}")
    options = [*case.kinds, *([LARGEST] if case.first != case.last else [])]
    who, what = st.columns(2) if case.system.combination else (st.container(), None)
    with who:
        reading = pick_one(
            "Marks show", options, READING,
            format_func=lambda name: (
                f"{LARGEST} since {case.first}" if name == LARGEST else display_name(name)
            ),
        )  # fmt: skip
    feature = ""
    if what is not None:
        with what:
            feature = _scale_shown(case.system)
    shown = Shown(case.first, case.last, reading, feature)
    figure = computed(page, _joint_map, case.asked, shown, site)
    _follow(clickable(figure, "joint_map", alt=f"Joints of {case.subject} with {_alt(shown)}"))
    st.html(scale_of_grades(case.system))
    st.caption(_said(case, shown))
    if case.system.remission:
        joint_sums(case)
    return ""


def _scale_shown(system: ScoreSystem) -> str:
    """Which of the scales of a joint the marks are of: the combined one first."""
    names = {one.code: one.name for one in system.features}
    combination = system.combination
    order = sorted(names, key=lambda code: combination is not None and code != combination.feature)
    return pick_one("Scale", order, SCALE, order[0], format_func=lambda code: names[code])


def _grades_of(case: Case, feature: str) -> pd.DataFrame:
    """The rows of a scale; combined grades by the table, with what it asks."""
    combination = case.system.combination
    if combination is None or feature != combination.feature:
        return case.grades
    return combined_grades(case.grades, case.system)


def _joint_map(page: Page, asked: Asked, shown: Shown, site: str | None) -> Any:
    case = case_of(page, *asked)
    return joint_map(
        _grades_of(case, shown.feature),
        case.special,
        case.system,
        case.kinds,
        shown,
        chosen=site,
        on=page.look,
    )


def _site_map(page: Page, asked: Asked, groups: tuple[SiteGroup, ...], site: str | None) -> Any:
    case = case_of(page, *asked)
    return site_map(
        case.grades, case.system, case.visits, case.kinds, groups=groups, chosen=site, on=page.look
    )


def _alt(shown: Shown) -> str:
    return "the largest change" if shown.reading == LARGEST else f"the grades of {md_name(shown.reading)}"


def _said(case: Case, shown: Shown) -> str:
    """n and what the marks mean, in one line."""
    grades = _grades_of(case, shown.feature)
    if shown.feature:
        grades = grades[grades["feature"] == shown.feature]
    if shown.reading == LARGEST:
        text = (
            f"Numbers: the change from {md(shown.first)} to {md(shown.last)} that any reader saw, the "
            "largest where they differ; blue is better."
        )
        rows = grades[grades["visit"] == shown.last]
        count = rows["site"].nunique()
    else:
        text = f"Numbers: the grades of {md_name(shown.reading)} at {md(shown.last)}; "
        text += f"a triangle marks another grade at {md(shown.first)}."
        rows = grades[(grades["visit"] == shown.last) & (grades["label"] == shown.reading)]
        count = len(rows)
    gaps = int(rows["grade"].isna().sum())
    asked = int(rows["reason"].fillna("").str.startswith(QUERY).sum()) if shown.feature else 0
    queries = f", {asked} queries (?, what is asked on hover)" if asked else ""
    return (
        f"n = {count} sites, {gaps - asked} not gradable (×, reason on hover){queries}. {text} Click to show "
        f"it in the {case.system.image_title}s."
    )


def to_resolve(case: Case) -> None:
    """Findings of unknown degree: a reader has to decide what they are."""
    for state in case.system.states:
        rows = seen(case.special, state, case.last) if state.is_query else case.special.iloc[:0]
        if len(rows):
            units = [case.system.by_code[site].unit for site in rows["site"]]
            said = ", ".join(
                f"{unit} ({md_name(label)})" for unit, label in zip(units, rows["label"], strict=True)
            )
            st.warning(
                f"To be resolved by a reader, {state.name}: {said}. {counts_as(state, case.system)}",
                icon=":material/help:",
            )


def scale_of_grades(system: ScoreSystem) -> str:
    """The colours of every feature's grades with their words, as HTML."""
    rows = "".join(_scale(feature) for feature in system.features)
    return f'<div style="font-size:0.8rem;line-height:1.7">{rows}</div>'


def _scale(feature: Feature) -> str:
    steps = "".join(
        f'<span style="white-space:nowrap;margin-right:0.9em"><span style="display:inline-block;width:0.8em;'
        f"height:0.8em;border:1px solid #8A99A8;background:{colour if grade else 'transparent'};"
        f'margin-right:0.3em;vertical-align:-0.05em"></span><b>{grade}</b> {escape(words)}</span>'
        for grade, (words, colour) in enumerate(zip(feature.grades, GRADE_COLOURS, strict=False))
    )
    note = (
        f" <span>({escape(feature.note)}, above {len(GRADE_COLOURS) - 1} in the last colour)</span>"
        if feature.note
        else ""
    )
    return f"<div><b>{escape(feature.name[:1].upper() + feature.name[1:])}</b>{note} {steps}</div>"


def site_by_visit(page: Page, case: Case, site: str | None) -> None:
    """Every reading's grade at every visit; a click chooses the site."""
    st.markdown("## Site by visit")
    groups = _groups(case, site)
    figure = computed(page, _site_map, case.asked, groups, site)
    _follow(clickable(figure, "site_map", alt=f"Grades of {case.subject} by site, visit and reader"))
    missing = int(case.grades["grade"].isna().sum())
    shown, known = sum(len(group.codes) for group in groups), len(case.system.codes)
    rows = f"{shown} of {known} {case.system.site_title} shown. " if shown < known else ""
    st.caption(
        f"{rows}n = {len(case.grades)} grades, {missing} not gradable (×, reason on hover). Click to "
        f"show it in the {case.system.image_title}s."
    )


def _groups(case: Case, site: str | None) -> tuple[SiteGroup, ...]:
    """All sites of a short system; of a long one those with damage or change, unless all are asked for."""
    groups = site_groups(case.system)
    if len(groups) < 2:
        return groups
    which = pick_one("Rows", (DAMAGED, CHANGED, ALL), ROWS, label_visibility="collapsed")
    if which == ALL:
        return groups
    found = changed_sites(case.grades, case.first, case.last)
    if which == DAMAGED:
        found |= damaged_sites(case.grades)
    return only(groups, found | ({site} if site else set()))


def damaged_sites(grades: pd.DataFrame) -> set[str]:
    """Sites with a grade above 0 in any reading at any visit."""
    return set(grades.loc[grades["grade"].fillna(0) > 0, "site"])


def changed_sites(grades: pd.DataFrame, first: str, last: str) -> set[str]:
    """Sites with another grade at the last visit than at the first in any reading."""
    both = grades[grades["visit"].isin([first, last]) & grades["grade"].notna()]
    spread = both.groupby(["site", "label"])["grade"].nunique()
    return set(spread[spread > 1].index.get_level_values("site"))


def _follow(clicked: list | None) -> None:
    """Go to the site that was clicked."""
    if clicked and clicked[0] != url_state.place().site:
        url_state.go(site=clicked[0])
        st.rerun()
