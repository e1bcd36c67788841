"""The frame of the Agreement page: what is asked, its sections, who was left out, how it was made."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.domain import CohortFilter, ReaderKind
from core.reader_labels import models, people, truths
from data.queries import scores
from data.queries.readings import visits_in_order
from pages.common import guards
from pages.common.agreement import (
    disagreements,
    grades,
    model_as_reader,
    pair,
    planning,
    reading_error,
    sites,
    subgroups,
)
from pages.common.agreement import question as the_question
from pages.common.agreement import statistics as study
from pages.common.agreement.question import Comparison, Question
from pages.common.agreement.widgets import MOST_LISTED, SECTION, opening_table
from pages.common.charts import picture_format
from pages.common.page import Page
from pages.common.provenance import download, how_made
from pages.common.queries import ask
from pages.common.readings import chosen_totals, system_of
from pages.common.sticky_widgets import keep, lasting, pick_component

FIRST, LAST = "agreement_first", "agreement_last"
SECTIONS: dict[str, Callable[[Page, Comparison], None]] = {
    "Patient by patient": pair.one_pair,
    "Site by site": sites.site_by_site,
    "Grades": grades.grades,
    "Subgroups": subgroups.groups,
    "Model as a reader": model_as_reader.model_as_reader,
    "Largest disagreements": disagreements.worst,
    "Reading error": reading_error.reading_error,
    "Planning": planning.planning,
}


def question(page: Page, chosen: CohortFilter) -> Question:
    """What is compared: part of the score, the two visits, and whether the truth is shown."""
    with guards.told():
        totals = chosen_totals(page, chosen)
    guards.needs_rows(totals, "Nobody has scored these patients yet.")
    visits = visits_in_order(totals)
    system = system_of(chosen)
    part, from_, to, truth = st.columns([1.4, 1, 1, 1.6], vertical_alignment="bottom")
    with part:
        component = pick_component(system)
    with from_:
        first = _one("Change from", FIRST, visits[:-1] or visits)
    later = visits[visits.index(first) + 1 :] or visits[-1:]
    with to:
        last = _one("to; status at", LAST, later, later[-1])
    has_truth = bool((totals["kind"] == ReaderKind.CONSENSUS).any())
    shown = has_truth and truth.toggle(
        "Show the truth", value=False, key="agreement_truth", help="What the phantoms were made from"
    )
    return Question(chosen, first, last, component, shown)


def _one(title: str, key: str, options: list[str], default: str = "") -> str:
    lasting(key, options, default)
    value: str = st.selectbox(title, options, key=key, on_change=keep(key))
    return value


def needs_two(compared: Comparison) -> None:
    if len(people(compared.kinds)) + len(models(compared.kinds)) < 2:
        st.info("One reader has scored so far: agreement needs a second one.", icon=":material/group_add:")
        guards.link(guards.IMPORT, "Bring in another reader, or run the model")
        st.stop()


def sections(page: Page, compared: Comparison) -> None:
    """One section at a time: only what is looked at is worked out."""
    lasting(SECTION, list(SECTIONS))
    name: str = st.segmented_control(
        "Look closer", list(SECTIONS), key=SECTION, on_change=keep(SECTION), required=True,
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    SECTIONS[name](page, compared)


def left_out(page: Page, compared: Comparison) -> None:
    """Who is not in the figures, and why; a click on a row opens the films."""
    asked = compared.question
    gone = study.left_out(page, asked)
    if not asked.truth:
        gone = gone[~gone["label"].isin(truths(compared.kinds))]
    refused = ask(page, scores.abstentions, asked.chosen)
    title = f"Left out: patients who lack a total {gone['subject'].nunique()}, films refused {len(refused)}"
    with st.expander(title, icon=":material/block:"):
        st.caption(
            f"Click on a row: the patient and the films open. At most {MOST_LISTED} rows; the CSV has all."
        )
        opening_table(compared, gone, "agreement_gone")
        named = refused[refused["subject"].notna()]
        opening_table(
            compared, named[["subject", "visit", "body_part", "reader", "reason"]], "agreement_refused"
        )
        download(gone, "left_out")


def ending(page: Page, compared: Comparison) -> None:
    asked = compared.question
    picture_format()
    settings = {"from": asked.first, "to": asked.last, "component": asked.component, "icc": the_question.ICC}
    settings |= {"limits": "1.96 SD, exact intervals", "rule": system_of(asked.chosen).default_rule.name}
    how_made(page, asked.chosen, [ask(page, scores.totals, asked.chosen)], settings)
