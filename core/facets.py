"""How many patients each value of a filter would leave, given the rest of the filter.

The rules are those of ``data.store.access.selection``: values of one property are alternatives, properties
restrict each other, a range holds its limits, and who lacks a property is not in a filter by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
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

    @cached_property
    def _groups(self) -> dict[tuple[str, str], pd.DataFrame]:
        """(kind, name) -> its rows, with the place of the patient among all."""
        rows = self.properties.assign(place=self.subjects.get_indexer(pd.Index(self.properties["subject"])))
        return {(str(kind), str(name)): group for (kind, name), group in rows.groupby(["kind", "name"])}

    def counts(self, kind: str, chosen: CohortFilter, name: str = "") -> dict[str, tuple[int, int]]:
        """Value -> (patients that the rest of the filter leaves with it, all patients with it)."""
        rows = self._rows(kind, name)
        rows = rows[rows["text"].notna()].drop_duplicates(["place", "text"])
        codes, values = pd.factorize(rows["text"], sort=True)
        rest = self._is_in(_without(chosen, kind, name))[rows["place"].to_numpy()]
        everyone = np.bincount(codes, minlength=len(values))
        left = np.bincount(codes[rest], minlength=len(values))
        return {str(value): (int(left[code]), int(everyone[code])) for code, value in enumerate(values)}

    def names(self) -> list[str]:
        """The covariates that are categories."""
        groups = self._groups.items()
        return sorted(
            name for (kind, name), rows in groups if kind == COVARIATE and rows["text"].notna().any()
        )

    def limits(self) -> dict[str, tuple[float, float]]:
        """Property that is a number -> (least, largest), where the two differ."""
        found = {}
        for (_, name), rows in self._groups.items():
            numbers = rows["number"].to_numpy(float, na_value=np.nan)
            numbers = numbers[np.isfinite(numbers)]
            if len(numbers) and numbers.min() < numbers.max():
                found[name] = (float(numbers.min()), float(numbers.max()))
        return found

    def left(self, chosen: CohortFilter) -> int:
        """How many patients a filter leaves."""
        return int(self._is_in(chosen).sum())

    def _rows(self, kind: str, name: str = "") -> pd.DataFrame:
        return self._groups.get((kind, name or kind), self.properties.head(0).assign(place=0))

    def _is_in(self, chosen: CohortFilter) -> np.ndarray:
        found = np.ones(len(self.subjects), bool)
        for kind, field in FIELDS.items():
            wanted = getattr(chosen, field)
            if wanted:
                rows = self._rows(kind)
                found &= self._mask(rows, rows["text"].isin(wanted))
        if chosen.subjects:
            found &= self.subjects.isin(chosen.subjects)
        for name, levels in by_name(chosen).items():
            rows = self._rows(COVARIATE, name)
            as_numbers = pd.to_numeric(pd.Series(levels, dtype=object), errors="coerce").dropna()
            found &= self._mask(rows, rows["text"].isin(levels) | rows["number"].isin(as_numbers))
        for name, low, high in chosen.ranges:
            rows = self._rows(BIRTH_YEAR if name == BIRTH_YEAR else COVARIATE, name)
            inside = rows["number"].between(-np.inf if low is None else low, np.inf if high is None else high)
            found &= self._mask(rows, inside)
        return found

    def _mask(self, rows: pd.DataFrame, has: pd.Series) -> np.ndarray:
        mask = np.zeros(len(self.subjects), bool)
        mask[rows["place"].to_numpy()[has.fillna(False).to_numpy(bool)]] = True
        return mask


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
