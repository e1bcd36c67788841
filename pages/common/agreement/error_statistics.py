"""The readers' error, by read mode, and readers against themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from core.agreement import rereads
from core.agreement.comparison import Interval
from core.domain import CohortFilter
from core.reader_labels import people_campaigns
from core.report import statistics as measures
from data.queries import scores
from data.queries.readings import read_modes
from pages.common.agreement.question import Question, readings_of
from pages.common.page import Page
from pages.common.queries import ask, computed


def modes(page: Page, question: Question) -> pd.DataFrame:
    """``measures.agreement`` of the chosen component in every campaign in which two human readers read.

    Adds ``campaign`` and ``mode``; agreement about change is never mixed across campaigns.
    """
    found: pd.DataFrame = computed(page, _modes, question)
    return found


def _modes(page: Page, question: Question) -> pd.DataFrame:
    chosen = question.chosen
    readers = ask(page, scores.readers, chosen.system)
    parts = []
    for campaign in people_campaigns(readers):
        readings = readings_of(page, replace(chosen, campaign=campaign), question.interval)
        if len(readings.people) < 2:
            continue
        found = measures.agreement(readings)
        mode = next((readings.modes[label] for label in readings.people), "") or "mode not stated"
        found = found[(found["component"] == question.component) & (found["kind"] != "consensus")]
        parts.append(found.assign(campaign=campaign, mode=mode))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def reading_error(page: Page, question: Question) -> list[dict[str, Any]]:
    """``measures.reader_error``: SDC and MDC by interval and part, of the chosen campaign."""
    found: list[dict[str, Any]] = computed(page, _reading_error, question.chosen, question.interval)
    return found


def _reading_error(page: Page, chosen: CohortFilter, asked: Interval) -> list[dict[str, Any]]:
    return measures.reader_error(computed(page, readings_of, chosen, asked))


def read_twice(page: Page, question: Question) -> pd.DataFrame:
    """``core.agreement.rereads.within_reader`` of the human readers, over all patients of the filter."""
    found: pd.DataFrame = computed(page, _read_twice, question.chosen, question.interval)
    return found


def _read_twice(page: Page, chosen: CohortFilter, asked: Interval) -> pd.DataFrame:
    totals = ask(page, scores.totals, chosen)
    readers = ask(page, scores.readers, chosen.system)
    twice = rereads.repeats(totals, chosen.campaign, read_modes(readers))
    return rereads.within_reader(twice, [(asked.first, asked.last)] if asked.first else [])
