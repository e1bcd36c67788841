"""Agreement site by site: a map of what the system scores, and every number of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.agreement.by_site import graded_by_both
from core.agreement.comparison import STATUS
from core.figures.agreement.sites import site_grid
from core.markdown import md
from core.scores.display.layout import SiteLayout, layout, narrowed
from core.ties import TIE, in_order
from pages.common.agreement import question
from pages.common.agreement.question import Comparison
from pages.common.agreement.site_statistics import rated_sites, site_statistics, too_many_grades
from pages.common.agreement.widgets import (
    beside,
    figure,
    legend,
    listed_cases,
    numbers_table,
    open_first,
    readable_pair,
    shorts,
    titled,
    with_limits,
)
from pages.common.page import Page
from pages.common.readings import system_of
from pages.common.sticky_widgets import pick, pick_one

MEASURES = {
    "Quadratic kappa": "kappa.quadratic",
    "ICC(A,1)": "ICC(A,1)",
    "Same grade": "exact_agreement",
    "At most one grade apart": "within_one",
}
ALL_VISITS = "all visits"
MEASURE, VISIT, KEY = "agreement_measure", "agreement_site_visit", "site"
OF = "agreement_map_of"
WIDE = 9  # columns of squares that fit beside another map


def site_by_site(page: Page, compared: Comparison) -> str:
    """A click on a square opens the patient about whom the two differ most at that site."""
    reason = too_many_grades(page, compared.question)
    if reason:
        st.info(reason, icon=":material/database:")
        return ""
    how, when = st.columns(2)
    with how:
        measure = pick("Measure", list(MEASURES), MEASURE)
    with when:
        visit = pick("Status at", [ALL_VISITS, *compared.readings.visits], VISIT)
    visit = "" if visit == ALL_VISITS else visit
    with st.spinner("Computing every site"):
        found = site_statistics(page, compared.question, visit)
    if found.empty:
        st.info("No site was graded by two readings.", icon=":material/inbox:")
        return ""
    where = _where(compared)
    across = len(compared.pairs) * len(where.columns)
    panels = compared.panels
    if across > WIDE and len(panels) > 1:  # one map at a time: two would be a page of their own
        panels = (pick_one("Map of", panels, OF, format_func=lambda one: compared.what(one)),)
    for column, panel in zip(beside(len(panels)), panels, strict=True):
        with column:
            _map(page, compared, found[found["panel"] == panel], panel, measure, visit)
    listed_cases(compared, KEY, _codes(compared))
    with st.expander("Every site: all measures with intervals", icon=":material/table:"):
        numbers_table(found, "agreement_by_site")
    return (
        f"{measure} was estimated at every site for every pair of readings, status at {visit or ALL_VISITS}; "
        "intervals resample patients and are not adjusted for the number of sites."
    )


def _where(compared: Comparison) -> SiteLayout:
    """The map of the part of the score that is asked about."""
    return narrowed(layout(system_of(compared.question.chosen)), question.codes_of(compared.question))


def _codes(compared: Comparison) -> tuple[str, ...]:
    return system_of(compared.question.chosen).codes


def _map(page: Page, compared: Comparison, found: pd.DataFrame, panel: str, measure: str, visit: str) -> None:
    rows = found[found["statistic"] == MEASURES[measure]]
    if panel == STATUS:
        st.markdown(f"## Status, {md(visit or ALL_VISITS)}")
    else:
        titled(compared, panel)
    where = _where(compared)
    drawn = site_grid(rows, where, axis=measure, names=shorts(compared), on=page.look)
    clicked = figure(
        drawn, f"sites_{panel}", alt=f"{measure} at every site for every pair, {panel}",
        sentence=_sentence(rows, compared, measure), data=rows.drop(columns=["interval"]), clicks=True,
    )  # fmt: skip
    if clicked:
        _open(page, compared, panel, visit, [str(value) for value in clicked])


def _sentence(rows: pd.DataFrame, compared: Comparison, measure: str) -> str:
    known = rows.dropna(subset=["estimate"])
    if known.empty:
        return f"No square has a value.{legend(compared)}"
    worst = known.iloc[in_order(known["estimate"])[0]]
    value = with_limits(worst["estimate"], worst["low"], worst["high"])
    gone = len(rows) - len(known)
    crosses = f" × in {gone} of {len(rows)} squares: one grade throughout gives no value." if gone else ""
    who = md(readable_pair(worst["first"], worst["second"]))
    return (
        f"{measure} is lowest at {worst['site']}, {who}: {value}, n = {worst['n']:,}.{crosses} "
        "Intervals resample patients. Click a square to open the patient about whom the two differ most "
        f"there.{legend(compared)}"
    )


def _open(page: Page, compared: Comparison, panel: str, visit: str, clicked: list[str]) -> None:
    site, first, second = clicked
    rated = rated_sites(page, compared.question, visit)[panel]
    both = graded_by_both(rated[rated["site"] == site], first, second)
    cases = both[both["difference"].abs() > TIE].reset_index(drop=True)
    open_first(
        compared,
        cases,
        f"{readable_pair(first, second, ' and ')} differ at {site}, {panel}",
        KEY,
        _codes(compared),
    )
