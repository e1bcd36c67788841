"""What a report compares: totals of every reading at every visit, as status and as change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import pandas as pd

from core.agreement.compare import change_between
from core.reader_labels import label_kinds, models, pair_kind, people, truths

STATUS, CHANGE = "status", "change"
PANELS = (STATUS, CHANGE)
MANY_VISITS = 5  # from here on only the intervals that begin at the first visit
TOTAL = "total"
KEYS = ["span", "component", "subject", "label", "total"]


@dataclass(frozen=True)
class Interval:
    """From one visit to a later one. ``first`` is "" where the study has a single visit: status only."""

    first: str
    last: str

    @property
    def label(self) -> str:
        return f"{self.first} to {self.last}" if self.first else self.last

    def what(self, panel: str) -> str:
        """Status at the later visit, or change up to it."""
        return f"status at {self.last}" if panel == STATUS else f"change {self.label}"


def intervals(visits: list[str]) -> list[Interval]:
    """First visit to each later one, and between neighbours; the longest stands last."""
    if len(visits) < 2:
        return [Interval("", visit) for visit in visits]
    whole = Interval(visits[0], visits[-1])
    found = [Interval(visits[0], last) for last in visits[1:]]
    if len(visits) < MANY_VISITS:
        found += [Interval(a, b) for a, b in pairwise(visits)]
    return [one for one in dict.fromkeys(found) if one != whole] + [whole]


@dataclass(frozen=True)
class Readings:
    """Totals with one label a reading.

    totals: columns ``subject, visit, component, label, kind, total``, at most one row for each of the first
    four. visits: in their order. components: in their order, ``total`` first. unit: of the totals.
    modes: label -> read mode. asked: an interval that is wanted besides those that a study has anyway.
    """

    totals: pd.DataFrame
    visits: list[str]
    components: list[str]
    unit: str
    modes: dict[str, str]
    asked: Interval | None = None

    @cached_property
    def kinds(self) -> dict[str, str]:
        return label_kinds(self.totals)

    @property
    def people(self) -> list[str]:
        return people(self.kinds)

    @property
    def models(self) -> list[str]:
        return models(self.kinds)

    @property
    def truths(self) -> list[str]:
        return truths(self.kinds)

    @cached_property
    def intervals(self) -> list[Interval]:
        found = intervals(self.visits)
        more = [self.asked] if self.asked is not None and self.asked not in found else []
        return [*found[:-1], *more, *found[-1:]]

    @property
    def main(self) -> Interval:
        """The longest interval."""
        return self.intervals[-1]

    @property
    def panels(self) -> tuple[str, ...]:
        return PANELS if self.main.first else (STATUS,)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Pairs of people, then each model with each of them, then everybody with the truth."""
        who = self.people
        found = [(a, b) for place, a in enumerate(who) for b in who[place + 1 :]]
        found += [(model, reader) for model in self.models for reader in who]
        return found + [(one, truth) for truth in self.truths for one in (*who, *self.models)]

    def kind(self, first: str, second: str) -> str:
        return pair_kind(first, second, self.kinds)

    def ratings(self, panel: str) -> pd.DataFrame:
        """All intervals in one frame, no gaps: ``span`` (the interval), component, subject, label, total."""
        return self._ratings[panel]

    @cached_property
    def _ratings(self) -> dict[str, pd.DataFrame]:
        return {panel: self._of_panel(panel) for panel in self.panels}

    def _of_panel(self, panel: str) -> pd.DataFrame:
        columns = ["component", "subject", "label", "visit", "total"]
        known = self.totals.loc[self.totals["total"].notna(), columns]
        parts = []
        for interval in self.intervals:
            if panel == CHANGE and not interval.first:
                continue
            if panel == STATUS:
                part = known[known["visit"] == interval.last].drop(columns="visit")
            else:
                keys = ("component", "subject", "label")
                part = change_between(known, interval.first, interval.last, keys=keys, rating="total")
            parts.append(part.assign(span=interval.label))
        return pd.concat(parts, ignore_index=True)[KEYS]

    def table(self, panel: str, interval: Interval | None = None, component: str = TOTAL) -> pd.DataFrame:
        """One row per patient, one column per label (all of them), NaN where a rating is missing."""
        key = (panel, (interval or self.main).label, component)
        if key not in self._tables:
            self._tables[key] = self._table(*key)
        return self._tables[key].copy(deep=False)

    @cached_property
    def _tables(self) -> dict[tuple[str, str, str], pd.DataFrame]:
        return {}

    def _table(self, panel: str, wanted: str, component: str) -> pd.DataFrame:
        frame = self.ratings(panel)
        frame = frame[(frame["span"] == wanted) & (frame["component"] == component)]
        wide = frame.pivot(index="subject", columns="label", values="total")
        return wide.reindex(columns=list(self.kinds)).astype("float64").sort_index()
