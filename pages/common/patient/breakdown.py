"""From a total to its sites and their pixels, and from a change to the sites that made it (Patient page)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from core import scores as systems
from core.domain import ReaderKind
from core.reader_labels import label_kinds, shown_readings
from core.scores.engine.combine import looked_up
from core.scores.engine.contributions import Parts, parts
from core.scores.system import ScoreSystem
from data.queries import patient, provenance
from pages.common.page import Page
from pages.common.patient.case import Case
from pages.common.queries import asking, computed, fetch
from pages.common.viewer.stored_films import films_showing

AT_ONCE = 6  # sites whose crops are made
LARGE, SMALL = 230, 132  # sides of a crop on the screen
TOTAL, COMPONENT, READING, MORE = "trail_total", "trail_component", "patient_reading", "why_more"


@dataclass(frozen=True)
class Breakdown:
    """What stands behind the totals of one patient.

    reads: first reads of the readings that are shown, with ``label``; see ``data.queries.provenance.reads``.
    found: findings of their models, with ``label``. films: see ``data.queries.patient.films``.
    """

    parts: Parts
    reads: pd.DataFrame
    found: pd.DataFrame
    films: pd.DataFrame
    kinds: dict[str, str]

    def read(self, label: str, visit: str, site: str, feature: str) -> pd.Series | None:
        place = self._places.get((label, visit, site, feature))
        return None if place is None else self.reads.iloc[place]

    def grade(self, label: str, visit: str, code: str) -> Any:
        """The grade that a reading gave a site, or that the score's table gives of its two; None without."""
        site, combination = self.parts.system.by_code[code], self.parts.system.combination
        read = self.read(label, visit, code, site.feature)
        if read is not None or combination is None or site.feature != combination.feature:
            return None if read is None else read["grade"]
        of_unit = {one.feature: one.code for one in self.parts.system.sites if one.unit == site.unit}
        rows, columns = (
            self.grade(label, visit, of_unit[feature]) if feature in of_unit else None
            for feature in (combination.rows, combination.columns)
        )
        return looked_up(combination, rows, columns)

    def states(self, label: str, visit: str, unit: str) -> list[str]:
        """Codes of the findings that a reading has at a joint."""
        return self._states.get((label, visit, unit), [])

    def films_at(self, visit: str, region: str, side: str) -> pd.DataFrame:
        """``films_showing`` of a visit, found once for all sites of the region."""
        key = (visit, region, side)
        if key not in self._films_at:
            self._films_at[key] = films_showing(
                self.films, self.found, self.parts.system, visit, region, side
            )
        return self._films_at[key]

    @cached_property
    def _films_at(self) -> dict[tuple[str, str, str], pd.DataFrame]:
        return {}

    @cached_property
    def _states(self) -> dict[tuple[str, str, str], list[str]]:
        known = {state.code for state in self.parts.system.states}
        unit = {site.code: site.unit for site in self.parts.system.sites}
        rows = self.reads[self.reads["feature"].isin(known) & (self.reads["grade"] == 1)]
        found: dict[tuple[str, str, str], list[str]] = {}
        names = (rows[name].tolist() for name in ("label", "visit", "site", "feature"))
        for label, visit, site, feature in zip(*names, strict=True):
            if site in unit:
                found.setdefault((label, visit, unit[site]), []).append(feature)
        return found

    @cached_property
    def _places(self) -> dict[tuple[str, str, str, str], int]:
        names = (self.reads[name].tolist() for name in ("label", "visit", "site", "feature"))
        found: dict[tuple[str, str, str, str], int] = {}
        for place, key in enumerate(zip(*names, strict=True)):
            found.setdefault(key, place)
        return found


def breakdown_of(page: Page, case: Case) -> Breakdown:
    """The trail of the patient in view, computed once a cohort version."""
    found: Breakdown = computed(
        page, _breakdown, case.subject, case.system.name, case.chosen.campaign, tuple(case.visits),
        case.rule.name,
    )  # fmt: skip
    return found


def _breakdown(
    page: Page, subject: str, system: str, campaign: str, visits: tuple[str, ...], rule: str
) -> Breakdown:
    reads, found, films = fetch(
        page,
        asking(provenance.reads, subject, system),
        asking(provenance.findings, subject, system),
        asking(patient.films, subject),
    )
    shown = shown_readings(reads, campaign)
    made = parts(shown, systems.get(system), rule, by=("label",), visits=visits)
    kinds = label_kinds(shown)
    names = shown.loc[shown["kind"] == ReaderKind.MODEL, ["reader", "campaign", "label"]].drop_duplicates()
    seen = found.merge(names, on=["reader", "campaign"], how="inner")
    return Breakdown(made, shown, seen, films, kinds)


def count_of_sites(system: ScoreSystem, count: int) -> str:
    return system.site_title.removesuffix("s") if count == 1 else system.site_title


def percent(chance: float) -> str:
    return "over 99%" if chance > 0.99 else "under 1%" if chance < 0.01 else f"{100 * chance:.0f}%"
