"""Agreement in subgroups of patients."""

from __future__ import annotations

import pandas as pd

from core.agreement import subgroups
from core.report import statistics as measures
from data.queries import cohort
from pages.common.agreement.question import COLUMNS, Question, comparison
from pages.common.agreement.statistics import everything
from pages.common.page import Page
from pages.common.queries import ask, computed


def groups(page: Page, question: Question) -> pd.DataFrame:
    """``core.agreement.subgroups.levels`` of the chosen patients; no arm while the study is blinded."""
    compared = comparison(page, question)
    subjects = ask(page, cohort.subjects, question.chosen)
    if not page.sees_arm:
        subjects = subjects.drop(columns=["arm", "centre"])
    before = measures.baseline_damage(compared.readings)
    return subgroups.levels(subjects, ask(page, cohort.baseline, question.chosen), before)


def subgroup_statistics(page: Page, question: Question) -> pd.DataFrame:
    """``core.agreement.subgroups.by_subgroup`` with ``panel`` and ``kind``; last the visits as a group."""
    found: pd.DataFrame = computed(page, _subgroup_statistics, question)
    return found


def _subgroup_statistics(page: Page, question: Question) -> pd.DataFrame:
    compared, grouped = comparison(page, question), groups(page, question)
    parts = []
    for panel in compared.panels:
        long = compared.table(panel).reset_index().melt("subject", var_name="label", value_name="total")
        found = subgroups.by_subgroup(long.dropna(), grouped, compared.judged, columns=COLUMNS)
        parts.append(found.assign(panel=panel))
    found = pd.concat(parts, ignore_index=True)
    kinds = [compared.readings.kind(a, b) for a, b in zip(found["first"], found["second"], strict=True)]
    spans = everything(page, question)
    spans = spans[(spans["component"] == question.component) & (spans["kind"] != "consensus")]
    spans = spans[spans["statistic"].isin(subgroups.STATISTICS)]
    spans = spans.assign(group="interval", level=spans["span"])
    return pd.concat([found.assign(kind=kinds), spans[[*found.columns, "kind"]]], ignore_index=True)
