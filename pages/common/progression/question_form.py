"""The widgets that ask the question of the Progression page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.domain import CohortFilter
from core.markdown import md
from core.progression.missing.methods import BY_NAME, METHODS
from pages.common import guards
from pages.common.page import Page
from pages.common.progression.grids import chosen_grid
from pages.common.progression.question import Question, baseline_visit, scorers
from pages.common.readings import system_of
from pages.common.sticky_widgets import pick_component


def choose_question(page: Page, chosen: CohortFilter) -> Question:
    """Which part of the score, between which visits, scored by whom, and what stands in for gaps."""
    system = system_of(chosen)
    part, who, from_, to = st.columns([1, 1.2, 1, 1])
    sites, films = st.columns(2)
    with part:
        component = pick_component(system)
    titles = {rule.name: rule.title for rule in system.rules}
    rule = sites.selectbox(
        "Missing sites",
        list(titles),
        format_func=titles.__getitem__,
        index=list(titles).index(system.default_rule.name),
        help=" \n\n".join(f"**{rule.title}**: {rule.text}" for rule in system.rules),
    )
    method = films.selectbox(
        "Missing films",
        [method.name for method in METHODS],
        format_func=lambda name: BY_NAME[name].title,
        help=" \n\n".join(f"**{method.title}**: {method.estimand}" for method in METHODS),
    )
    with guards.errors_shown(), st.spinner("Totals under this rule", show_time=True):
        found = chosen_grid(page, chosen, component, rule)
    guards.needs_rows(pd.DataFrame(found.grid.subjects), "These patients have no scores yet.")
    days = found.grid.visit_days()
    visits = [visit for visit in found.grid.visits if visit in days]
    if len(visits) < 2:
        st.info("Change needs two visits with a day; this selection has fewer.", icon=":material/event_busy:")
        guards.link(guards.IMPORT, "Import visits and their days")
        st.stop()
    scorer = who.selectbox("Scored by", scorers(found.kinds))
    start = visits.index(baseline_visit({visit: days[visit] for visit in visits[:-1]}))
    first = from_.selectbox("From", visits[:-1], index=start)
    later = [visit for visit in visits[visits.index(first) + 1 :] if days[visit] > days[first]]
    if not later:
        st.info(f"No visit has a later day than {md(first)}.", icon=":material/event_busy:")
        st.stop()
    last = to.selectbox("To", later, index=len(later) - 1)
    return Question(chosen, first, last, (days[first], days[last]), scorer, component, rule, method)
