"""What the Agreement page works out: pairs of readings, for status at one visit and for change up to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.agreement.bland_altman import bland_altman
from core.agreement.compare import Columns, change_between, compare, worklist
from core.agreement.reader_model import false_change, interchangeability
from core.domain import CohortFilter
from core.figures.agreement import Pair, pair_kind
from core.readings import label_kinds, models, people, shown_readings, truths
from data.queries import scores
from pages.common.opening import Page
from pages.common.queries import ask, worked_out
from pages.common.study import system_of

KEYS = ("subject", "component")
COLUMNS = Columns("subject", "label", "total")
STATISTICS = ("ICC(A,1)", "ICC(C,1)", "bland_altman.bias", "mdc95", "ccc")
PANELS = ("status", "change")


@dataclass(frozen=True)
class Question:
    """What is compared. component: ``total`` or a part. truth: whether a phantom study's truth is shown."""

    chosen: CohortFilter
    first: str
    last: str
    component: str = "total"
    truth: bool = False


@dataclass(frozen=True)
class Comparison:
    """Long frames ``subject, component, label, total`` of status and change, and who is compared."""

    question: Question
    panels: dict[str, pd.DataFrame]
    kinds: dict[str, str]
    unit: str

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Pairs of people, then the model against each of them, then everybody against the truth."""
        who = people(self.kinds)
        found = [(a, b) for place, a in enumerate(who) for b in who[place + 1 :]]
        found += [(model, reader) for model in models(self.kinds) for reader in who]
        if self.question.truth:
            others = [*who, *models(self.kinds)]
            found += [(one, truth) for truth in truths(self.kinds) for one in others]
        return found

    def pair(self, first: str, second: str) -> Pair:
        return Pair(first, second, self.unit, pair_kind(first, second, self.kinds))

    def rows(self, panel: str, first: str, second: str) -> pd.DataFrame:
        """``subject, first, second`` of one pair and the chosen component; who lacks either is out."""
        table = self.table(panel)
        missing = [label for label in (first, second) if label not in table]
        if missing:
            return pd.DataFrame({"subject": [], "first": [], "second": []})
        both = table[[first, second]].dropna().reset_index()
        return both.set_axis(["subject", "first", "second"], axis=1)

    def table(self, panel: str) -> pd.DataFrame:
        """One row per patient, one column per label."""
        frame = self.panels[panel]
        frame = frame[frame["component"] == self.question.component]
        return frame.pivot(index="subject", columns="label", values="total").astype("float64")


def comparison(page: Page, question: Question) -> Comparison:
    """The ratings that are compared, from the first reads of the chosen patients."""
    chosen = question.chosen
    totals = shown_readings(ask(page, scores.totals, chosen), chosen.campaign)
    kinds = label_kinds(totals)
    columns = ["subject", "component", "label", "total"]
    status = totals.loc[(totals["visit"] == question.last) & totals["total"].notna(), columns]
    change = change_between(
        totals[["subject", "component", "label", "visit", "total"]],
        question.first,
        question.last,
        keys=("subject", "component", "label"),
        rating="total",
    )
    panels = {"status": status.reset_index(drop=True), "change": change}
    return Comparison(question, panels, kinds, system_of(chosen).title)


def statistics(page: Page, question: Question) -> pd.DataFrame:
    """``compare`` of every component and pair, in both panels, with columns ``panel`` and ``kind``."""
    found: pd.DataFrame = worked_out(page, _statistics, question)
    return found


def _statistics(page: Page, question: Question) -> pd.DataFrame:
    study = comparison(page, question)
    parts = [
        compare(
            study.panels[panel], by=["component"], columns=COLUMNS, pairs=study.pairs, statistics=STATISTICS
        ).assign(panel=panel)
        for panel in PANELS
    ]
    found = pd.concat(parts, ignore_index=True)
    kinds = [pair_kind(a, b, study.kinds) for a, b in zip(found["first"], found["second"], strict=True)]
    return found.assign(kind=kinds)


def limits(page: Page, question: Question, panel: str, first: str, second: str) -> dict[str, Any]:
    """Bias and limits of agreement of one pair."""
    rows = comparison(page, question).rows(panel, first, second)
    return bland_altman(rows["first"].to_numpy(dtype=float), rows["second"].to_numpy(dtype=float))


def model_as_reader(page: Page, question: Question, model: str, margin: float | None) -> dict[str, Any]:
    """Interchangeability for status and change, and false change, of one model among the people."""
    found: dict[str, Any] = worked_out(page, _model_as_reader, question, model, margin)
    return found


def _model_as_reader(page: Page, question: Question, model: str, margin: float | None) -> dict[str, Any]:
    study = comparison(page, question)
    who = people(study.kinds)
    found: dict[str, Any] = {}
    for panel in PANELS:
        table = study.table(panel).reindex(columns=[*who, model])
        found[panel] = interchangeability(table[who], table[model], margin=margin)
    change = study.table("change").reindex(columns=[*who, model])
    found["false_change"] = false_change(change[who], change[model], who)
    return found


def outliers(page: Page, question: Question, panel: str, first: str, second: str) -> pd.DataFrame:
    """Patients by size of the disagreement of a pair, worst first: ``subject, first, second, difference``."""
    frame = comparison(page, question).panels[panel]
    frame = frame[frame["component"] == question.component]
    return worklist(frame, first, second, keys=("subject",), columns=COLUMNS)


def left_out(page: Page, question: Question) -> pd.DataFrame:
    """Who has no total at one of the two visits: ``subject, visit, label, reason``."""
    chosen = question.chosen
    totals = shown_readings(ask(page, scores.totals, chosen), chosen.campaign)
    totals = totals[(totals["component"] == question.component) & (totals["read"] == 1)]
    visits = [question.first, question.last]
    wanted = pd.MultiIndex.from_product(
        [sorted(totals["subject"].unique()), visits, label_kinds(totals)], names=["subject", "visit", "label"]
    )
    rows = totals.set_index(["subject", "visit", "label"])[["total", "missing_reason"]].reindex(wanted)
    gone = rows[rows["total"].isna()].reset_index()
    gone["reason"] = gone["missing_reason"].fillna("not read at this visit")
    return gone[["subject", "visit", "label", "reason"]]
