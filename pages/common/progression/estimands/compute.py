"""Estimands of the question at hand, kept by cohort version."""

from __future__ import annotations

import re
from typing import Any

from core.errors import InputError
from core.progression.estimands.analysis import EstimandOptions, estimands
from core.progression.estimands.events import Events
from core.progression.pairing import WINDOW_DAYS
from core.progression.progressors import cutoff
from data.queries import grids
from data.queries.report_trial import patient_events
from pages.common.page import Page
from pages.common.progression.question import IMPUTED, Question, without_films
from pages.common.progression.results import all_readings, asked_grid, campaign_sdc
from pages.common.queries import ask, computed

LIKELY = re.compile(r"rescue|event|stop|discont|withdraw|surg|switch|death|escape|end of", re.IGNORECASE)


def event_columns(page: Page, asked: Question) -> list[str]:
    """Properties of patients that can be an event, those that sound like one first.

    At least one patient has a day or a visit there, and no value is anything else. What every patient has and
    does not sound like an event, such as age, is none.
    """
    table = ask(page, grids.properties)
    names = [str(name) for name in table["name"].unique() if name not in ("sex", "centre")]
    everyone = len(asked_grid(page, asked).subjects)
    fit = [name for name in names if _is_event(name, _events(page, asked, name), everyone)]
    return sorted(fit, key=lambda name: (not LIKELY.search(name), name.casefold()))


def _is_event(name: str, found: Events, everyone: int) -> bool:
    if any("neither a day nor a visit" in why for why in found.problems.values()):
        return False
    return bool(found.day) and (bool(LIKELY.search(name)) or len(found.day) < everyone)


def _events(page: Page, asked: Question, name: str) -> Events:
    return patient_events(ask(page, grids.properties), name, asked_grid(page, asked))


def estimands_of(
    page: Page, asked: Question, event: str, strategy: str, assumptions: tuple[str, ...], rule: str
) -> dict[str, Any]:
    """The result of ``core.progression.estimands``; ``{"failed": why}`` where there is none."""
    found: dict[str, Any] = computed(
        page, _estimands, without_films(asked), event, strategy, assumptions, rule
    )
    return found


def _estimands(
    page: Page, asked: Question, event: str, strategy: str, assumptions: tuple[str, ...], rule: str
) -> dict[str, Any]:
    options = EstimandOptions(
        *asked.days,
        WINDOW_DAYS,
        strategies=(strategy,),
        assumptions=assumptions,
        has_tipping=True,
        rule=cutoff(rule),
        visit_days=tuple(asked_grid(page, asked).visit_days().values()),
        sdc=campaign_sdc(page, asked, IMPUTED),
    )
    try:
        return estimands(all_readings(page, asked), _events(page, asked, event) if event else None, options)
    except InputError as error:
        return {"failed": f"{error.given}: {error.needed}"}
