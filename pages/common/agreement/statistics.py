"""What the Agreement page works out, each part when it is looked at, from the functions of the report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from core.agreement import by_site, rereads, subgroups
from core.agreement.compare import worklist
from core.agreement.comparison import CHANGE, STATUS, TOTAL, Interval
from core.agreement.confusion import MAX_LEVELS, confusion
from core.agreement.limits.bland_altman import bland_altman
from core.agreement.reader_model import false_change, interchangeability, leave_one_out
from core.domain import CohortFilter
from core.reader_labels import people_campaigns, shown_readings
from core.report import statistics as measures
from core.scores.display.layout import layout, placed
from data.queries import cohort, scores
from data.queries.readings import read_modes
from pages.common.agreement.question import COLUMNS, Question, codes_of, comparison, readings_of
from pages.common.page import Page
from pages.common.queries import ask, worked_out
from pages.common.readings import system_of

MOST_GRADES = 3_000_000  # site grades that a page takes into memory


def everything(page: Page, question: Question) -> pd.DataFrame:
    """``core.report.statistics.agreement``: every pair, interval and component, status and change."""
    found: pd.DataFrame = worked_out(page, _everything, question.chosen, question.interval)
    return found if question.truth else found[found["kind"] != "consensus"]


def _everything(page: Page, chosen: CohortFilter, asked: Interval) -> pd.DataFrame:
    return measures.agreement(worked_out(page, readings_of, chosen, asked))


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
    found: dict[str, Any] = worked_out(page, _model_as_reader, question, model, margin)
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


def outliers(page: Page, question: Question, panel: str, first: str, second: str) -> pd.DataFrame:
    """Patients by size of the disagreement of a pair, worst first: ``subject, first, second, difference``."""
    compared = comparison(page, question)
    long = (
        compared.table(panel)[[first, second]]
        .reset_index()
        .melt("subject", var_name="label", value_name="total")
    )
    return worklist(long, first, second, keys=("subject",), columns=COLUMNS)


def too_many_grades(page: Page, question: Question) -> str:
    """Why agreement site by site is not worked out here; "" where it is."""
    readings = comparison(page, question).readings
    rows = int((readings.totals["component"] == TOTAL).sum()) * len(codes_of(question))
    if rows <= MOST_GRADES:
        return ""
    return (
        f"This selection holds about {rows:,} site grades; a page takes at most {MOST_GRADES:,}. Choose "
        "fewer patients in the sidebar, or run `sharpline export --table site_scores` and `sharpline "
        "agreement --cluster subject`, which take them all."
    )


def rated_sites(page: Page, question: Question, visit: str, feature: str = "") -> dict[str, pd.DataFrame]:
    """By panel the grades of every place of the map, ``core.agreement.by_site``.

    visit: of the status, "" for all visits. feature: only its sites; a part of the score: only its own. Sites
    of a large unit are summed.
    """
    found: dict[str, pd.DataFrame] = worked_out(page, _rated_sites, question, visit, feature)
    return found


def _rated_sites(page: Page, question: Question, visit: str, feature: str) -> dict[str, pd.DataFrame]:
    chosen, interval = question.chosen, question.interval
    system = system_of(chosen)
    grades = shown_readings(ask(page, scores.site_grades, chosen), chosen.campaign)
    if feature:
        grades = grades[grades["feature"] == feature]
    grades = grades[grades["site"].isin(codes_of(question))]
    known = placed(grades, layout(system), ["subject", "visit", "label"])
    found = {STATUS: by_site.status_grades(known, visit)}
    if interval.first:
        found[CHANGE] = by_site.change_grades(known, interval.first, interval.last)
    return found


def site_statistics(page: Page, question: Question, visit: str) -> pd.DataFrame:
    """``core.agreement.by_site`` of every place and pair of people and models, with ``panel``."""
    found: pd.DataFrame = worked_out(page, _site_statistics, question, visit)
    return found


def _site_statistics(page: Page, question: Question, visit: str) -> pd.DataFrame:
    pairs = comparison(page, question).pairs
    parts = [
        by_site.by_site(rated, pairs).assign(panel=panel)
        for panel, rated in rated_sites(page, question, visit).items()
    ]
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class Squares:
    """The table of two readings' grades. both: the cases, ``subject, visit, site, first, second``."""

    counts: Any
    levels: list[float]
    both: pd.DataFrame
    values: dict[str, dict[str, Any]]  # statistic -> {estimate, ci}
    patients: int


def squares(
    page: Page, question: Question, visit: str, feature: str, panel: str, pair: tuple[str, str]
) -> Squares:
    """Counts of pairs of grades of all sites of a feature, with kappa and shares that resample patients."""
    found: Squares = worked_out(page, _squares, question, visit, feature, panel, pair)
    return found


def _squares(
    page: Page, question: Question, visit: str, feature: str, panel: str, pair: tuple[str, str]
) -> Squares:
    rated = rated_sites(page, question, visit, feature)[panel]
    both = by_site.graded_by_both(rated, *pair)
    counts, levels = confusion(both["first"], both["second"], _levels(question, feature, panel, both))
    rows = by_site.all_sites(rated[rated["label"].isin(pair)], [pair])
    values = {
        str(row["statistic"]): {
            "estimate": _known(row["estimate"]),
            "ci": [_known(row["low"]), _known(row["high"])],
        }
        for row in rows.to_dict("records")
    }
    return Squares(counts, levels.tolist(), both, values, both["subject"].nunique())


def _levels(question: Question, feature: str, panel: str, both: pd.DataFrame) -> list[float] | None:
    """All grades of the feature for status; for change and sums of a unit all between least and most."""
    system = system_of(question.chosen)
    if panel == CHANGE or layout(system).summed:
        seen = both[["first", "second"]].to_numpy(float)
        whole = seen.size and (seen == np.floor(seen)).all() and np.ptp(seen) < MAX_LEVELS
        return np.arange(seen.min(), seen.max() + 1).tolist() if whole else None
    most = max((site.maximum for site in system.sites if feature in ("", site.feature)), default=0)
    return [float(grade) for grade in range(most + 1)]


def _known(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


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
    found: pd.DataFrame = worked_out(page, _subgroup_statistics, question)
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


def modes(page: Page, question: Question) -> pd.DataFrame:
    """``measures.agreement`` of the chosen component in every campaign in which two people read.

    Adds ``campaign`` and ``mode``; agreement about change is never mixed across campaigns.
    """
    found: pd.DataFrame = worked_out(page, _modes, question)
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
    found: list[dict[str, Any]] = worked_out(page, _reading_error, question.chosen, question.interval)
    return found


def _reading_error(page: Page, chosen: CohortFilter, asked: Interval) -> list[dict[str, Any]]:
    return measures.reader_error(worked_out(page, readings_of, chosen, asked))


def read_twice(page: Page, question: Question) -> pd.DataFrame:
    """``core.agreement.rereads.within_reader`` of the people, over all patients of the filter."""
    found: pd.DataFrame = worked_out(page, _read_twice, question.chosen, question.interval)
    return found


def _read_twice(page: Page, chosen: CohortFilter, asked: Interval) -> pd.DataFrame:
    totals = ask(page, scores.totals, chosen)
    readers = ask(page, scores.readers, chosen.system)
    twice = rereads.repeats(totals, chosen.campaign, read_modes(readers))
    return rereads.within_reader(twice, [(asked.first, asked.last)] if asked.first else [])


def left_out(page: Page, question: Question) -> pd.DataFrame:
    """Who has no total at one of the two visits: ``subject, visit, label, reason``."""
    readings = comparison(page, question).readings
    totals = readings.totals[readings.totals["component"] == question.component]
    visits = list(dict.fromkeys([question.first, question.last]))
    wanted = pd.MultiIndex.from_product(
        [sorted(totals["subject"].unique()), visits, readings.kinds], names=["subject", "visit", "label"]
    )
    rows = totals.set_index(["subject", "visit", "label"])[["total", "missing_reason"]].reindex(wanted)
    gone = rows[rows["total"].isna()].reset_index()
    gone["reason"] = gone["missing_reason"].fillna("not read at this visit")
    return gone[["subject", "visit", "label", "reason"]]
