"""How many patients each value of a filter would leave, given the rest of the filter.

The rules are those of ``data.store.access.selection``: values of one property are alternatives, properties
restrict each other, a range holds its limits, and who lacks a property is not in a filter by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from core.domain import BIRTH_YEAR, CohortFilter

ARM, SEX, CENTRE, COVARIATE = "arm", "sex", "centre", "covariate"
FIELDS = {ARM: "arms", SEX: "sexes", CENTRE: "centres"}


@dataclass(frozen=True)
class Facets:
    """What one can filter by. properties: a row per patient and property: ``subject, kind, name, text,
    number``, kind one of the above; ``kind`` of numbers is ``covariate`` or that of ``BIRTH_YEAR``.
    subjects: all patients.
    """

    subjects: pd.Index
    properties: pd.DataFrame

    def counts(self, kind: str, chosen: CohortFilter, name: str = "") -> dict[str, tuple[int, int]]:
        """Value -> (patients that the rest of the filter leaves with it, all patients with it)."""
        rows = self._values(kind, name)
        rest = set(self.subjects[self._is_in(_without(chosen, kind, name))])
        return {
            str(value): (int(group.isin(rest).sum()), len(group))
            for value, group in rows.drop_duplicates(["subject", "text"]).groupby("text", sort=True)[
                "subject"
            ]
        }

    def names(self) -> list[str]:
        """The covariates that are categories."""
        rows = self.properties
        return sorted(rows.loc[(rows["kind"] == COVARIATE) & rows["text"].notna(), "name"].unique())

    def limits(self) -> dict[str, tuple[float, float]]:
        """Property that is a number -> (least, largest), where the two differ."""
        rows = self.properties[self.properties["number"].notna()]
        found = rows.groupby("name", sort=True)["number"].agg(["min", "max"])
        found = found[np.isfinite(found["max"] - found["min"]) & (found["min"] < found["max"])]
        return {str(name): (float(low), float(high)) for name, low, high in found.itertuples()}

    def left(self, chosen: CohortFilter) -> int:
        """How many patients a filter leaves."""
        return int(self._is_in(chosen).sum())

    def _values(self, kind: str, name: str = "") -> pd.DataFrame:
        rows = self.properties[(self.properties["kind"] == kind) & self.properties["text"].notna()]
        return rows[rows["name"] == name] if name else rows

    def _is_in(self, chosen: CohortFilter) -> np.ndarray:
        found = np.ones(len(self.subjects), bool)
        for kind, field in FIELDS.items():
            wanted = getattr(chosen, field)
            if wanted:
                found &= self._has(self._values(kind), wanted)
        if chosen.subjects:
            found &= self.subjects.isin(chosen.subjects)
        for name, levels in by_name(chosen).items():
            rows = self._values(COVARIATE, name)
            numbers = self.properties[
                (self.properties["name"] == name) & (self.properties["kind"] == COVARIATE)
            ]
            as_numbers = pd.to_numeric(pd.Series(levels, dtype=object), errors="coerce").dropna()
            same = numbers.loc[numbers["number"].isin(as_numbers), "subject"]
            found &= self._has(rows, levels) | self.subjects.isin(same)
        for name, low, high in chosen.ranges:
            rows = self.properties[(self.properties["name"] == name) & self.properties["number"].notna()]
            inside = rows["number"].between(-np.inf if low is None else low, np.inf if high is None else high)
            found &= self.subjects.isin(rows.loc[inside, "subject"])
        return found

    def _has(self, rows: pd.DataFrame, wanted: tuple[str, ...]) -> np.ndarray:
        return np.asarray(self.subjects.isin(rows.loc[rows["text"].isin(wanted), "subject"]))


def by_name(chosen: CohortFilter) -> Mapping[str, tuple[str, ...]]:
    """Covariate -> its chosen values, which are alternatives."""
    found: dict[str, tuple[str, ...]] = {}
    for name, level in chosen.covariates:
        found[name] = (*found.get(name, ()), level)
    return found


def _without(chosen: CohortFilter, kind: str, name: str) -> CohortFilter:
    """The filter without what it says of one property."""
    if kind in FIELDS:
        nothing: dict[str, Any] = {FIELDS[kind]: ()}
        return replace(chosen, **nothing)
    return replace(chosen, covariates=tuple(pair for pair in chosen.covariates if pair[0] != name))


def range_words(name: str, low: float | None, high: float | None) -> str:
    """ "age 40 to 60", "CRP at least 5", "CRP at most 5"; the year of birth in words."""
    called = "born" if name == BIRTH_YEAR else name
    if low is None or high is None:
        return f"{called} at {'most' if low is None else 'least'} {high if low is None else low:g}"
    return f"{called} {low:g} to {high:g}"
