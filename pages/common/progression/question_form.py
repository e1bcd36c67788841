"""The widgets that ask the question of the Progression page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.domain import CohortFilter
from core.markdown import md
from core.progression.missing.methods import BY_NAME, METHODS
from core.reader_labels import display_name
from core.scores.display.words import of_images
from pages.common import guards
from pages.common.page import Page
from pages.common.progression.grids import chosen_grid
from pages.common.progression.question import Question, baseline_visit, scorers
from pages.common.readings import system_of
from pages.common.sticky_widgets import pick, pick_component

SITES, FILMS, SCORER = "progression_sites", "progression_films", "progression_scorer"
FIRST, LAST = "progression_from", "progression_to"


def choose_question(page: Page, chosen: CohortFilter) -> Question:
    """Which part of the score, between which visits, scored by whom, and what stands in for gaps."""
    system = system_of(chosen)
    part, who, from_, to = st.columns([1, 1.2, 1, 1])
    sites, films = st.columns(2)
    with part:
        component = pick_component(system)
    titles = {rule.name: rule.title for rule in system.rules}
    with sites:
        rule = pick(
            "Rule" if system.chooses_blocks else "Missing sites", list(titles), SITES,
            system.default_rule.name, format_func=titles.__getitem__,
            help=" \n\n".join(f"**{rule.title}**: {rule.text}" for rule in system.rules),
        )  # fmt: skip
    with films:
        method = pick(
            f"Missing {system.image_title}s", [method.name for method in METHODS], FILMS,
            format_func=lambda name: of_images(system, BY_NAME[name].title),
            help=of_images(system, " \n\n".join(f"**{one.title}**: {one.estimand}" for one in METHODS)),
        )  # fmt: skip
    with guards.errors_shown(), st.spinner("Totals under this rule", show_time=True):
        found = chosen_grid(page, chosen, component, rule)
    guards.needs_rows(pd.DataFrame(found.grid.subjects), "These patients have no scores yet.")
    days = found.grid.visit_days()
    visits = [visit for visit in found.grid.visits if visit in days]
    if len(visits) < 2:
        st.info("Change needs two visits with a day; this selection has fewer.", icon=":material/event_busy:")
        guards.link(guards.IMPORT, "Import visits and their days")
        st.stop()
    start = baseline_visit({visit: days[visit] for visit in visits[:-1]})
    with who:
        scorer = pick("Scored by", scorers(found.kinds), SCORER, format_func=display_name)
    with from_:
        first = pick("From", visits[:-1], FIRST, start)
    later = [visit for visit in visits[visits.index(first) + 1 :] if days[visit] > days[first]]
    if not later:
        st.info(f"No visit has a later day than {md(first)}.", icon=":material/event_busy:")
        st.stop()
    with to:
        last = pick("To", later, LAST, later[-1])
    return Question(chosen, first, last, (days[first], days[last]), scorer, component, rule, method)
