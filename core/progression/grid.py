"""Totals and site grades as arrays: patients x visits x readers (x sites). A filter is then a mask.

What a page needs again and again is computed from these in milliseconds; the tidy tables that
``core.progression.analysis`` takes come out of them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from core.errors import InputError
from core.progression.totals_table import Readings, collect


@dataclass(frozen=True)
class TotalGrid:
    """Totals of every patient, visit and reader.

    subjects, arm: shape (S,), arm None where unknown. visits: names in their order; readers: labels.
    days: (S, V), NaN where a patient has no such visit or no day. totals: (S, V, R), NaN without a total.
    imputed: (S, V, R), sites that the rule put in; 0 where there is no row. read: (S, V, R), True where there
    is a row, with or without a total. reference: the arm to compare others with, where it is set.
    """

    subjects: np.ndarray
    arm: np.ndarray
    visits: list[str]
    readers: list[str]
    days: np.ndarray
    totals: np.ndarray
    imputed: np.ndarray
    read: np.ndarray
    reference: str | None = None

    def only(self, subjects: Sequence[str] | None = None, readers: Sequence[str] | None = None) -> TotalGrid:
        """The patients and readers named (in the order that they have here)."""
        keep = _named(self.subjects, subjects)
        place = [p for p, name in enumerate(self.readers) if readers is None or name in readers]
        return replace(
            self,
            subjects=self.subjects[keep],
            arm=self.arm[keep],
            days=self.days[keep],
            readers=[self.readers[p] for p in place],
            **{name: getattr(self, name)[keep][:, :, place] for name in ("totals", "imputed", "read")},
        )

    def of_visits(self, visits: Sequence[str]) -> TotalGrid:
        """The visits named (in the order that they have here)."""
        place = [p for p, name in enumerate(self.visits) if name in visits]
        names = ("days", "totals", "imputed", "read")
        return replace(
            self,
            visits=[self.visits[p] for p in place],
            **{name: getattr(self, name)[:, place] for name in names},
        )

    def complete_only(self) -> TotalGrid:
        """Without the totals that a rule had to put sites in for."""
        return replace(self, totals=np.where(self.imputed > 0, np.nan, self.totals))

    def visit_days(self) -> dict[str, float]:
        """Visit -> median day; visits without a day are left out."""
        known = {visit: self.days[:, place] for place, visit in enumerate(self.visits)}
        known = {visit: days[~np.isnan(days)] for visit, days in known.items()}
        return {visit: float(np.median(days)) for visit, days in known.items() if len(days)}

    def frame(self, near: tuple[float, float, float] | None = None) -> pd.DataFrame:
        """Long table ``subject, visit, arm, reader, days, total, imputed_sites`` of what was read.

        near: (from day, to day, window): leaves out films outside both windows, which no change between the
        two days can use; a patient without any other keeps the first row, to be counted as left out.
        """
        keep = self.read & ~np.isnan(self.days)[:, :, None]
        if near is not None:
            first, last, window = near
            inside = (np.abs(self.days - first) <= window) | (np.abs(self.days - last) <= window)
            lone = keep.any(axis=(1, 2)) & ~(keep & inside[:, :, None]).any(axis=(1, 2))
            spare = keep & (np.cumsum(keep.reshape(len(keep), -1), axis=1).reshape(keep.shape) == 1)
            keep = keep & (inside[:, :, None] | (lone[:, None, None] & spare))
        s, v, r = np.nonzero(keep)
        codes, arms = pd.factorize(self.arm)
        return pd.DataFrame(
            {
                "subject": _category(s, self.subjects),
                "visit": _category(v, self.visits),
                "arm": _category(codes[s], arms),
                "reader": _category(r, self.readers),
                "days": self.days[s, v],
                "total": self.totals[s, v, r],
                "imputed_sites": self.imputed[s, v, r],
            }
        )

    def readings(self, near: tuple[float, float, float] | None = None) -> Readings:
        """What ``readings.collect`` makes of ``frame``, without its checks of a foreign table.

        Every cell is one subject, reader and visit; two visits of one day go through the checks.
        """
        frame = self.frame(near)
        rows = frame[["subject", "reader", "arm", "days", "total"]]
        if frame.duplicated(["subject", "reader", "days"]).any():
            return collect(frame, reference=self._reference(frame))
        for name in ("subject", "reader", "arm"):
            seen = rows[name].cat.remove_unused_categories()
            rows = rows.assign(**{name: seen})
        refused = pd.DataFrame({"row": [], "reason": pd.array([], dtype="str")})
        return Readings(rows, bool(rows["arm"].notna().any()), refused, self._reference(frame))

    def _reference(self, frame: pd.DataFrame) -> str | None:
        """The reference of the study, where the patients at hand have it."""
        return self.reference if self.reference in set(frame["arm"].dropna()) else None

    def status(self) -> np.ndarray:
        """Mean of the readers at every visit, shape (S, V), NaN where nobody has a total."""
        return mean_of_readers(self.totals)

    def change_from(self, first: str) -> np.ndarray:
        """Change from a visit to every visit, within readers, then their mean; shape (S, V), NaN without.

        Pairs of visits by name: two films of one day are two visits, and no window applies.
        """
        base = self.totals[:, [self.visits.index(first)]]
        return mean_of_readers(self.totals - base)


@dataclass(frozen=True)
class SiteGrid:
    """Grades of every patient, visit, reader and site.

    subjects, arm: shape (S,). grades: int8 (S, V, R, K), -1 where there is none.
    """

    subjects: np.ndarray
    arm: np.ndarray
    visits: list[str]
    readers: list[str]
    sites: list[str]
    grades: np.ndarray

    def only(self, subjects: Sequence[str] | None = None, readers: Sequence[str] | None = None) -> SiteGrid:
        """The patients and readers named."""
        keep = _named(self.subjects, subjects)
        place = [p for p, name in enumerate(self.readers) if readers is None or name in readers]
        return replace(
            self,
            subjects=self.subjects[keep],
            arm=self.arm[keep],
            readers=[self.readers[p] for p in place],
            grades=self.grades[keep][:, :, place],
        )

    def at(self, visit: str) -> np.ndarray:
        """Grades at one visit as float32, NaN for none, shape (S, R, K)."""
        here = self.grades[:, self.visits.index(visit)]
        return np.where(here < 0, np.float32(np.nan), here.astype(np.float32))

    def change(self, first: str, last: str) -> np.ndarray:
        """Change of each site within readers, then their mean, shape (S, K), NaN where nobody has both."""
        return mean_of_readers(np.moveaxis(self.at(last) - self.at(first), 1, -1))


def total_grid(frame: pd.DataFrame, visits: list[str]) -> TotalGrid:
    """The grid of a long table, a row per ``subject, visit, label`` with ``arm, day, total, imputed_sites``.

    visits: all visits in their order. Where two rows have one key the last one counts. Raises InputError for
    a visit that is not among them.
    """
    subject, subjects = _codes(frame["subject"])
    reader, readers = _codes(frame["label"])
    visit = _visit_places(frame["visit"], visits)
    shape = (len(subjects), len(visits), len(readers))
    totals, read = np.full(shape, np.nan), np.zeros(shape, bool)
    imputed, days = np.zeros(shape, np.int16), np.full(shape[:2], np.nan)
    place = (subject, visit, reader)
    totals[place] = frame["total"].to_numpy(float, na_value=np.nan)
    imputed[place] = frame["imputed_sites"].fillna(0).to_numpy(np.int16)
    read[place] = True
    days[subject, visit] = frame["day"].to_numpy(float, na_value=np.nan)
    return TotalGrid(subjects, _arms(frame, subject, len(subjects)), visits, list(readers), days, totals,
                     imputed, read)  # fmt: skip


def site_grid(frame: pd.DataFrame, visits: list[str], sites: list[str]) -> SiteGrid:
    """The grid of a long table, one row per ``subject, visit, label, site`` with ``arm, grade``.

    Raises InputError for a visit that is not among ``visits``.
    """
    subject, subjects = _codes(frame["subject"])
    reader, readers = _codes(frame["label"])
    visit = _visit_places(frame["visit"], visits)
    site = _places(frame["site"], sites)
    known = site >= 0
    grades = np.full((len(subjects), len(visits), len(readers), len(sites)), -1, np.int8)
    values = frame["grade"].to_numpy(np.float32, na_value=-1)
    values = np.where(np.isnan(values), -1, values)
    grades[subject[known], visit[known], reader[known], site[known]] = values[known]
    return SiteGrid(subjects, _arms(frame, subject, len(subjects)), visits, list(readers), sites, grades)


def mean_of_readers(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is known, NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _category(codes: np.ndarray, names: Any) -> pd.Categorical:
    return pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(names, dtype=object))


def _places(values: pd.Series, names: list[str]) -> np.ndarray:
    return np.asarray(pd.Index(names).get_indexer(pd.Index(values)))


def _visit_places(values: pd.Series, visits: list[str]) -> np.ndarray:
    """A place of its own for each visit: one without would count as the last."""
    places = _places(values, visits)
    if (places < 0).any():
        unknown = ", ".join(sorted({str(one) for one in values[places < 0]}))
        raise InputError(f"visit {unknown}", f"the visits are {', '.join(visits)}", "list it among them")
    return places


def _named(subjects: np.ndarray, wanted: Sequence[str] | None) -> np.ndarray:
    if wanted is None:
        return np.ones(len(subjects), bool)
    names = set(wanted)
    return np.fromiter((name in names for name in subjects), bool, len(subjects))


def _codes(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Codes of sorted values, and the values as objects."""
    codes, names = pd.factorize(values, sort=True)
    return codes, np.asarray(names, object)


def _arms(frame: pd.DataFrame, subject: np.ndarray, count: int) -> np.ndarray:
    arm = np.full(count, None, object)
    if "arm" in frame.columns:
        given = frame["arm"].astype(object).to_numpy()
        known = frame["arm"].notna().to_numpy()
        arm[subject[known]] = given[known]
    return arm
