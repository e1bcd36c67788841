"""The widgets that ask the question of the Agreement page."""

from __future__ import annotations

import streamlit as st

from core.domain import CohortFilter, ReaderKind
from core.reader_labels import models, people
from data.queries.readings import visits_in_order
from pages.common import guards
from pages.common.agreement.question import Comparison, Question
from pages.common.page import Page
from pages.common.readings import chosen_totals, system_of
from pages.common.sticky_widgets import pick, pick_component, switch

FIRST, LAST = "agreement_from", "agreement_to"
TRUTH = "agreement_truth"


def choose_question(page: Page, chosen: CohortFilter) -> Question:
    """What is compared: part of the score, the two visits, and whether the truth is shown."""
    with guards.errors_shown():
        totals = chosen_totals(page, chosen)
    guards.needs_rows(totals, "These patients have no scores yet.")
    visits = visits_in_order(totals)
    system = system_of(chosen)
    part, from_, to, truth = st.columns([1.4, 1, 1, 1.6], vertical_alignment="bottom")
    with part:
        component = pick_component(system)
    with from_:
        first = pick("Change from", visits[:-1] or visits, FIRST)
    later = visits[visits.index(first) + 1 :] or visits[-1:]
    with to:
        last = pick("Change to / status at", later, LAST, later[-1])
    has_truth = bool((totals["kind"] == ReaderKind.CONSENSUS).any())
    with truth:
        shown = has_truth and switch("Show the truth", TRUTH, help="What the phantoms were made from")
    return Question(chosen, first, last, component, shown)


def needs_two(compared: Comparison) -> None:
    if len(people(compared.kinds)) + len(models(compared.kinds)) < 2:
        st.info(
            "Only one reader has scored so far; agreement needs a second one.", icon=":material/group_add:"
        )
        guards.link(guards.IMPORT, "Import another reader's scores, or run the model")
        st.stop()
