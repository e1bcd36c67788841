"""What is asked on the Agreement page, and the readings that answer it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.agreement.compare import Columns
from core.agreement.comparison import PANELS, STATUS, TOTAL, Interval, Readings
from core.domain import CohortFilter
from core.figures.agreement.pairs import Pair
from data.queries import scores
from data.queries.readings import readings
from pages.common.page import Page
from pages.common.queries import asking, computed, fetch
from pages.common.readings import system_of

COLUMNS = Columns("subject", "label", "total")
ICC = "ICC(A,1)"


@dataclass(frozen=True)
class Question:
    """What is compared. component: ``total`` or a part. truth: whether a phantom study's truth is shown."""

    chosen: CohortFilter
    first: str
    last: str
    component: str = TOTAL
    truth: bool = False

    @property
    def interval(self) -> Interval:
        """The two visits; with a single visit there is no change."""
        return Interval(self.first if self.first != self.last else "", self.last)


@dataclass(frozen=True)
class Comparison:
    """The readings that are compared, for the interval that is asked about."""

    question: Question
    readings: Readings

    @property
    def kinds(self) -> dict[str, str]:
        return self.readings.kinds

    @property
    def unit(self) -> str:
        """What a number is in: the score, and the part of it that is compared."""
        asked = self.question
        if asked.component == TOTAL:
            return self.readings.unit
        return f"{self.readings.unit}, {system_of(asked.chosen).name_of(asked.component)}"

    @property
    def images(self) -> str:
        """What readers looked at: films, or stacks of slices."""
        return f"{system_of(self.question.chosen).image_title}s"

    @property
    def part(self) -> str:
        """The part of the score that is compared, in words."""
        return system_of(self.question.chosen).name_of(self.question.component)

    @property
    def panels(self) -> tuple[str, ...]:
        return PANELS if self.question.interval.first else (STATUS,)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Pairs of human readers, then the model against each of them, then all against the truth."""
        truths = set() if self.question.truth else set(self.readings.truths)
        return [pair for pair in self.readings.pairs if not set(pair) & truths]

    @property
    def judged(self) -> list[tuple[str, str]]:
        """The pairs without the truth."""
        return [pair for pair in self.readings.pairs if not set(pair) & set(self.readings.truths)]

    def pair(self, first: str, second: str) -> Pair:
        return Pair(first, second, self.unit, self.readings.kind(first, second))

    def what(self, panel: str) -> str:
        return self.question.interval.what(panel)

    def table(self, panel: str) -> pd.DataFrame:
        """One row per patient, one column per label."""
        return self.readings.table(panel, self.question.interval, self.question.component)

    def rows(self, panel: str, first: str, second: str) -> pd.DataFrame:
        """``subject, first, second`` of one pair and the chosen component; who lacks either is out."""
        both = self.table(panel)[[first, second]].dropna().reset_index()
        return both.set_axis(["subject", "first", "second"], axis=1)


def comparison(page: Page, question: Question) -> Comparison:
    """The first reads of the chosen patients."""
    chosen = question.chosen
    found: Readings = computed(page, readings_of, chosen, question.interval)
    return Comparison(question, found)


def readings_of(page: Page, chosen: CohortFilter, asked: Interval | None) -> Readings:
    """The readings of the chosen patients and campaign, also of the interval that is asked about."""
    totals, readers = fetch(page, asking(scores.totals, chosen), asking(scores.readers, chosen.system))
    return readings(totals, readers, system_of(chosen), chosen.campaign, asked=asked)


def codes_of(question: Question) -> tuple[str, ...]:
    """The sites of the part of the score that is asked about; all of the system's for the total."""
    system = system_of(question.chosen)
    if question.component == TOTAL:
        return system.codes
    return tuple(site.code for site in system.sites_of(question.component))
