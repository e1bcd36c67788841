"""What each page of results says of itself: in its figures' files, and in the sentences for a paper."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.progression.missing.methods import BY_NAME
from core.progression.pairing import WINDOW_DAYS
from core.reader_labels import models, people
from core.report.methods import (
    AgreementMethods,
    ChangeMethods,
    PatientMethods,
    Reading,
    agreement_methods,
    change_methods,
    patient_methods,
)
from core.scores.display.words import of_images, of_rule
from core.scores.system import Fill, ScoreSystem
from data.queries import scores
from pages.common import session_keys as keys
from pages.common.agreement.margin import chosen_margin
from pages.common.agreement.question import ICC, Comparison
from pages.common.page import Page
from pages.common.patient.case import Case
from pages.common.progression.figures import WAYS, Found
from pages.common.progression.question import COMPLETE, IMPUTED, OBSERVED, READERS, Question
from pages.common.queries import ask
from pages.common.readings import system_of
from pages.common.ways_out.described import describe


def describe_change(page: Page, asked: Question, found: Found) -> None:
    """The Progression page: visits, patients under each way of missing sites, arms, SDC."""
    if not found:
        return
    counts = [(WAYS[way], one["subjects"], len(one["left_out"])) for way, one in found.items()]
    first = next(iter(found.values()))
    rule = asked.rule_used.title
    rules = {IMPUTED: rule, COMPLETE: _without_imputing(asked)}
    named = [(rules[way], one["subjects"], len(one["left_out"])) for way, one in found.items()]
    films = "" if asked.films == OBSERVED else of_images(asked.system, BY_NAME[asked.films].title)
    sdc = first["sdc95"] is not None
    done = ChangeMethods(
        _reading(page, asked, first["readers"]),
        asked.first,
        asked.last,
        tuple(named),
        films,
        _arms(first),
        first["sdc_readers"] if sdc else 0,
        first["sdc_subjects"] if sdc else 0,
        WINDOW_DAYS,
        _selection(),
        _made_with(),
    )
    lines = [f"{way.capitalize()}: n = {n:,}, left out {out:,}" for way, n, out in counts]
    missing = f"Missing {asked.system.image_title}s: {films or 'none imputed'}."
    lines = ["; ".join(lines) + ".", f"Missing sites: {rule}. {missing}"]
    _describe(asked.system, f"{asked.unit}, {asked.first} to {asked.last}", lines, change_methods(done))


def _without_imputing(asked: Question) -> str:
    """The title of the rule under which no site is imputed."""
    titles = [rule.title for rule in asked.system.rules if rule.fill is Fill.NOTHING]
    return titles[0] if titles else "no site imputed"


def _reading(page: Page, asked: Question, readers: list[str]) -> Reading:
    image = asked.system.image_title
    if asked.scorer != READERS:
        return Reading(asked.unit, (), model=asked.scorer, image=image)
    campaign = asked.chosen.campaign
    mode = _mode(page, asked.chosen.system, campaign)
    return Reading(asked.unit, tuple(readers), campaign, mode, image=image)


def _mode(page: Page, system: str, campaign: str) -> str:
    """The read mode of a campaign of human readers; "" where it has none or several."""
    rows = ask(page, scores.readers, system)
    found = (
        rows.loc[(rows["kind"] == "human") & (rows["campaign"] == campaign), "read_mode"].dropna().unique()
    )
    return str(found[0]) if len(found) == 1 else ""


def _arms(result: dict[str, Any]) -> tuple[str, ...]:
    """The arms compared, the reference last; none where the arms are hidden or there is one."""
    differences = result["arm_differences"]
    if not differences:
        return ()
    reference = differences[-1]["b"]
    others = [str(row["a"]) for row in differences if row["b"] == reference]
    return (*dict.fromkeys(others), str(reference))


def describe_agreement(page: Page, compared: Comparison) -> None:
    """The Agreement page: readings, visits, patients that all of them have."""
    asked, readings = compared.question, compared.readings
    system = system_of(asked.chosen)
    panel = compared.panels[-1]
    labels = sorted({label for pair in compared.judged for label in pair})
    table = compared.table(panel)
    n = len(table[[label for label in labels if label in table]].dropna())
    done = AgreementMethods(
        compared.unit,
        tuple(readings.people),
        tuple(readings.models),
        " and ".join(compared.what(one) for one in compared.panels),
        ICC,
        system.default_rule.title,
        n,
        asked.chosen.campaign,
        n >= 10,
        chosen_margin(page, system.name) if readings.models else None,
        _selection(),
        _made_with(),
    )
    left = len(table) - n
    lines = [
        f"{compared.what(panel)}: n = {n:,} patients with all readings, {left:,} lack one. "
        f"Missing sites: {system.default_rule.title}."
    ]
    _describe(system, f"{compared.unit}, {asked.interval.label}", lines, agreement_methods(done))


def describe_patient(case: Case) -> None:
    """The Patient page: who read this patient, and the error a change is judged by."""
    names = tuple(people(case.kinds))
    found = models(case.kinds)
    reading = Reading(case.system.title, names, case.chosen.campaign if names else "", model="")
    if not names and found:
        reading = Reading(case.system.title, (), model=found[0])
    rule = case.rule.title
    done = PatientMethods(
        reading,
        case.first,
        case.last,
        rule,
        case.error.limit(case.readers_of_change) if case.error else None,
        _made_with(),
    )
    visits = case.first if case.first == case.last else f"{case.first} to {case.last}"
    title = f"Patient {case.subject}, {case.system.title}, {visits}"
    said = patient_methods(done) if names or found else ""
    _describe(case.system, title, [f"Missing sites: {rule}."], said)


def _describe(system: ScoreSystem, title: str, lines: list[str], methods: str) -> None:
    """What leaves the page says, in the words of the score's rule."""
    describe(title, [of_rule(system, line) for line in lines], of_rule(system, methods))


def _selection() -> str:
    words, _ = st.session_state.get(keys.SELECTION, ("", ""))
    return str(words)


def _made_with() -> str:
    return str(st.session_state.get(keys.MADE_WITH, ""))
