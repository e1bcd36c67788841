"""What the Agreement page computes, each part when it is looked at, from the functions of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.agreement import reader_model
from core.agreement.compare import worklist
from core.agreement.comparison import CHANGE, TOTAL, Interval
from core.agreement.limits.bland_altman import bland_altman
from core.agreement.reader_model import false_change, interchangeability, leave_one_out
from core.domain import CohortFilter
from core.report import statistics as measures
from pages.common.agreement.question import COLUMNS, Question, comparison, readings_of
from pages.common.page import Page
from pages.common.queries import computed


def everything(page: Page, question: Question) -> pd.DataFrame:
    """``core.report.statistics.agreement``: every pair, interval and component, status and change."""
    found: pd.DataFrame = computed(page, _everything, question.chosen, question.interval)
    return found if question.truth else found[found["kind"] != "consensus"]


def _everything(page: Page, chosen: CohortFilter, asked: Interval) -> pd.DataFrame:
    return measures.agreement(computed(page, readings_of, chosen, asked))


def statistics(page: Page, question: Question) -> pd.DataFrame:
    """The rows of ``everything`` for the interval that is asked about."""
    found = everything(page, question)
    return found[found["span"] == question.interval.label].reset_index(drop=True)


def limits(page: Page, question: Question, panel: str, first: str, second: str) -> dict[str, Any]:
    """Bias and limits of agreement of one pair."""
    rows = comparison(page, question).rows(panel, first, second)
    return bland_altman(rows["first"].to_numpy(dtype=float), rows["second"].to_numpy(dtype=float))


def model_as_reader(page: Page, question: Question, model: str, margin: float | None) -> dict[str, Any]:
    """By panel ``interchangeability`` and ``leave_one_out``, and ``false_change``, of one model.

    margin: of the total; it says nothing about a part of the score.
    """
    margin = margin if question.component == TOTAL else None
    found: dict[str, Any] = computed(page, _model_as_reader, question, model, margin)
    return found


def _model_as_reader(page: Page, question: Question, model: str, margin: float | None) -> dict[str, Any]:
    compared = comparison(page, question)
    who = compared.readings.people
    found: dict[str, Any] = {"interchangeability": {}, "leave_one_out": {}}
    for panel in compared.panels:
        table = compared.table(panel)
        judges, judged = table[who].to_numpy(dtype=float), table[model].to_numpy(dtype=float)
        found["interchangeability"][panel] = interchangeability(judges, judged, margin=margin)
        found["leave_one_out"][panel] = leave_one_out(judges, judged, who)
        if panel == CHANGE:
            found["false_change"] = false_change(judges, judged, who)
    return found


def bias_to_mean(page: Page, question: Question, panel: str, model: str) -> Mapping[str, Any]:
    """The model minus the mean of the human readers, ``estimate, ci`` (t), of patients read by all."""
    compared = comparison(page, question)
    who = compared.readings.people
    table = compared.table(panel)
    found = reader_model.bias_to_mean(table[who].to_numpy(float), table[model].to_numpy(float))
    bias: Mapping[str, Any] = found["bias"]
    return bias


def outliers(page: Page, question: Question, panel: str, first: str, second: str) -> pd.DataFrame:
    """Patients by size of the disagreement of a pair, worst first: ``subject, first, second, difference``."""
    compared = comparison(page, question)
    long = (
        compared.table(panel)[[first, second]]
        .reset_index()
        .melt("subject", var_name="label", value_name="total")
    )
    return worklist(long, first, second, keys=("subject",), columns=COLUMNS)


def left_out(page: Page, question: Question) -> pd.DataFrame:
    """Who has no total at one of the two visits: ``subject, visit, label, reason``; the truth only where it
    is shown."""
    found: pd.DataFrame = computed(page, _left_out, question)
    return found


def _left_out(page: Page, question: Question) -> pd.DataFrame:
    readings = comparison(page, question).readings
    totals = readings.totals[readings.totals["component"] == question.component]
    visits = list(dict.fromkeys([question.first, question.last]))
    wanted = pd.MultiIndex.from_product(
        [sorted(totals["subject"].unique()), visits, readings.kinds], names=["subject", "visit", "label"]
    )
    rows = totals.set_index(["subject", "visit", "label"])[["total", "missing_reason"]].reindex(wanted)
    gone = rows[rows["total"].isna()].reset_index()
    gone["reason"] = gone["missing_reason"].fillna("not read at this visit")
    if not question.truth:
        gone = gone[~gone["label"].isin(readings.truths)]
    return gone[["subject", "visit", "label", "reason"]]
