"""A table of visits (SV, any CDISC domain with VISIT, or a plain one) as rows of ``visit``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import numpy as np
import pandas as pd

from core.errors import InputError
from core.names import (
    Names,
    is_occasion,
    look_alike_warnings,
    name_without_occasion,
    on_day,
    plain,
    with_number,
)
from core.visit_order import order_by_name
from data.tables import covariates as covariates_in
from data.tables.checked_columns import MAX_ROWS_NAMED, CheckedColumns
from data.tables.columns import VISITS, VISITS_BY_PATTERN, Columns, recognise, squeezed
from data.tables.dates import study_day_to_days
from data.tables.files import text_column
from data.tables.merge import Refused

FIELDS = ("visit_order", "planned_day", "window_before", "window_after", "day")
DAYS_A_WEEK, DAYS_A_MONTH = 7, 365.25 / 12
UNSCHEDULED = re.compile(r"un-?sch|unplan|(?:^|visit)(?:uns(?![a-z])|extra|additional|interim|ad-?hoc)")


@dataclass(frozen=True)
class Visits:
    """What a table of visits says.

    rows: ``subject, visit, visit_order, planned_day, window_before, window_after, day``; index = row number.
    covariates: rows of the table ``covariate``, by visit; sources: column -> covariate.
    """

    rows: pd.DataFrame
    covariates: pd.DataFrame
    refused: Refused
    columns: dict[str, str]
    ignored: dict[str, str]
    notes: list[str]
    sources: dict[str, str]


def read_visits(
    table: pd.DataFrame,
    subjects: Sequence[str],
    baseline: Mapping[str, date],
    mapping: Mapping[str, str] | None = None,
    visits: Sequence[str] = (),
    stored: pd.DataFrame | None = None,
) -> Visits:
    """The table's visits, one row a subject and visit, with the rows that cannot be used and why.

    Two visits of one name are kept as two, with the day (or else the number) behind the name.
    subjects: every subject of the cohort; a table without a subject column is the plan for all of them.
    visits: names that the cohort has already; their spelling stays.
    stored: ``subject, visit, day`` of the visits that the cohort holds.
    baseline: subject -> baseline date; a subject without one gets the date of its first visit in the table.
    Raises InputError where no column holds the visit.
    """
    columns = recognise(table.columns, VISITS, mapping, VISITS_BY_PATTERN)
    if not columns.has("visit") and columns.has("visit_order"):
        columns.used["visit"] = columns.used["visit_order"]
    if not columns.has("visit"):
        raise InputError(
            f"a table with the columns {', '.join(map(str, table.columns))}",
            "a column with the visit is needed (visit, VISIT, ...)",
            "say which one it is with --map COLUMN=visit",
        )
    stored = pd.DataFrame(columns=["subject", "visit", "day"]) if stored is None else stored
    reader = _VisitColumns(table, columns)
    rows = reader.rows(Names(subjects), Names(visits, are_visits=True))
    notes = reader.notes
    kept: list[covariates_in.Covariate] = []
    if columns.has("subject"):
        if columns.has("date"):
            rows["day"] = rows["day"].fillna(_days(rows, baseline))
        rows = reader.tell_apart(rows, stored)
        kept, ignored = _covariates(table, columns, rows)
        covariates = covariates_in.rows(
            table.loc[rows.index], rows["subject"], rows["visit"], kept if rows.index.is_unique else []
        )
        reader.note_several_days(rows)
        rows = _one_each(rows)
    else:
        notes.append(f"no subject column: used as the plan of all {len(subjects)} subjects")
        rows = _for_all(reader.one_plan(rows), subjects)
        covariates, ignored = covariates_in.rows(table, pd.Series(dtype=str), None, []), {}
    notes += look_alike_warnings("visit", rows["visit"].unique(), are_visits=True)
    return Visits(
        rows.drop(columns=["date", "visit_number"], errors="ignore"),
        covariates[covariates.index.isin(rows.index)],
        reader.refused,
        columns.used,
        {**columns.ignored, **ignored},
        notes,
        {item.column: item.name for item in kept},
    )


class _VisitColumns(CheckedColumns):
    """The columns of a table of visits."""

    def rows(self, subjects: Names, visits: Names) -> pd.DataFrame:
        """The usable rows, names as the study writes them."""
        visit = self.names("visit")
        self.refuse(visit.isna(), lambda row: "the visit is empty")
        visit = self._of_study(visit, visits, "visit")
        subject = self.names("subject")
        if self.columns.has("subject"):
            self.refuse(subject.isna(), lambda row: "the subject's code is empty")
            subject = self._of_study(subject, subjects, "subject", "is not in the cohort")
        before, after = self._window()
        rows = pd.DataFrame(
            {
                "subject": subject,
                "visit": visit,
                "visit_order": self._order(visit),
                "planned_day": self._planned_day(),
                "window_before": before,
                "window_after": after,
                "day": self._whole("day").fillna(self._study_days("study_day")),
                "date": self.dates("date", "date"),
                "visit_number": self.numbers("visit_order")[0],
            },
            index=self.table.index,
        )
        return self._not_refused(rows)

    def _not_refused(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows[~rows.index.isin({item["row"] for item in self.refused})]

    def _of_study(self, given: pd.Series, names: Names, what: str, unknown: str = "") -> pd.Series:
        """The study's spelling; what could be two names is refused; what is none too, if ``unknown``."""
        found = {text: names.find(text) for text in given.dropna().unique()}
        if unknown:
            bad = given.map(lambda text: found[text].name is None, na_action="ignore")
        else:
            bad = given.map(lambda text: found[text].is_ambiguous, na_action="ignore")
        self.refuse(
            bad.fillna(False).astype(bool),
            lambda row: found[given[row]].why_not(what, given[row], unknown),
        )
        rewritten = given.map(lambda text: found[text].is_rewritten, na_action="ignore").fillna(False)
        self.note(
            rewritten.astype(bool), given, f"a {what} is taken for the one of the study with other zeros"
        )
        return given.map(lambda text: found[text].name or text, na_action="ignore").astype("str")

    def tell_apart(self, rows: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
        """Names for the visits of one subject that have one name but are several.

        They are several where their numbers differ, or their days; of a scheduled visit the first day keeps
        the name, unless the table is one of records (then it is one visit). A row that could be any of
        several is refused. One that is stored under the plain name keeps it.
        """
        stored_keys = zip(stored["subject"], stored["visit"], strict=True)
        days_of: dict[tuple[str, str], Any] = dict(zip(stored_keys, stored["day"], strict=True))
        known = {
            (subject, plain(name_without_occasion(name)))
            for subject, name in days_of
            if is_occasion(name) and (subject, name_without_occasion(name)) not in days_of
        }
        pairs = list(zip(rows["subject"], rows["visit"].map(plain), strict=True))
        is_known = np.array([pair in known for pair in pairs], bool)
        again = rows.duplicated(["subject", "visit"], keep=False).to_numpy() | is_known
        visit, kept = rows["visit"].copy(), []
        for key, group in rows[again].groupby(["subject", "visit"], sort=False):
            subject, name = cast(tuple[str, str], key)
            has_several = (subject, plain(name)) in known
            keys = _by_day(name, group) if has_several else _occasions(name, group, self._is_of_records)
            if keys.nunique() < 2 and not has_several:
                self._undated(subject, name, keys)
                continue
            self.refuse(keys.isna(), _which_of(name))
            day = days_of.get((subject, name))
            if not pd.isna(day):
                keys = keys.mask((group["day"] == day).fillna(False).astype(bool), name)
            visit.loc[group.index] = keys.fillna(name)
            kept.append(f"{subject} has {' and '.join(dict.fromkeys(keys.dropna()))}")
        self._note_kept(kept)
        extra = visit.ne(rows["visit"]) & rows["planned_day"].notna()
        rows = rows.assign(visit=visit)
        rows.loc[extra, ["planned_day", "window_before", "window_after"]] = pd.NA
        return self._not_refused(rows)

    def _undated(self, subject: str, name: str, keys: pd.Series) -> None:
        """Unscheduled rows of one name without a date beside one with it may be another visit: refused.

        Where none has a date, they count as one, which is said.
        """
        if self._is_of_records or not UNSCHEDULED.search(plain(name)) or not keys.isna().any():
            return
        if keys.notna().any():
            why = f"it may be another visit {name} than {keys.dropna().iloc[0]}: give its date"
            self.refuse(keys.isna(), lambda row: why)
        else:
            rows = ", ".join(map(str, keys.index[:MAX_ROWS_NAMED]))
            self.notes.append(f"rows {rows} count as one visit: {name} of {subject}, without a date")

    @property
    def _is_of_records(self) -> bool:
        """Whether the table is of a CDISC domain that has many rows for one visit."""
        domain = next((name for name in self.table.columns if squeezed(name) == "domain"), None)
        return domain is not None and set(text_column(self.table, domain).dropna()) != {"SV"}

    def _note_kept(self, kept: list[str]) -> None:
        if kept:
            more = f", and {len(kept) - MAX_ROWS_NAMED} more" if len(kept) > MAX_ROWS_NAMED else ""
            some = ", ".join(kept[:MAX_ROWS_NAMED])
            self.notes.append(f"visits of one name on several days are kept as several: {some}{more}")

    def one_plan(self, rows: pd.DataFrame) -> pd.DataFrame:
        """A plan has each visit once; what a later row says otherwise is refused."""
        distinct = rows.drop_duplicates(["visit", *(name for name in FIELDS if name != "day")])
        again = rows.index.isin(distinct.index[distinct["visit"].duplicated()])
        self.refuse(
            pd.Series(again, index=rows.index),
            lambda row: f"visit {rows['visit'][row]} stands in several rows of the plan that differ",
        )
        return self._not_refused(rows)

    def note_several_days(self, rows: pd.DataFrame) -> None:
        """Note scheduled visits of which the table has several days: the first one counts."""
        days = rows.groupby(["subject", "visit"], sort=False)["day"]
        spread = days.agg(["min", "max", "nunique"])
        spread = spread[spread["nunique"] > 1]
        if len(spread):
            subject, visit = (str(name) for name in cast(tuple[str, str], spread.index[0]))
            first = spread.iloc[0]
            more = f" and {len(spread) - 1} more" if len(spread) > 1 else ""
            days_of = f"{visit} of {subject} (days {int(first['min'])} to {int(first['max'])})"
            self.notes.append(f"visits with rows of several days count from the first: {days_of}{more}")

    def _numbers(self, field: str) -> pd.Series:
        numbers, is_text = self.numbers(field)
        text = self.text(field)
        self.refuse(is_text, lambda row: f"{self.columns.used[field]} '{text[row]}' is not a number")
        return numbers

    def _whole(self, field: str) -> pd.Series:
        numbers = self._numbers(field)
        broken = numbers.notna() & (numbers % 1 != 0)
        self.refuse(broken, lambda row: f"{self.columns.used[field]} {numbers[row]:g} is not a whole number")
        return numbers.mask(broken).astype("Int64")

    def _study_days(self, field: str) -> pd.Series:
        return self._whole(field).map(study_day_to_days, na_action="ignore").astype("Int64")

    def _order(self, visit: pd.Series) -> pd.Series:
        """The order given; visit numbers such as 3.1 become ranks; else by planned day; else by name."""
        numbers = self._numbers("visit_order")
        if numbers.notna().any() and (numbers.dropna() % 1 == 0).all():
            return numbers.astype("Int64")
        if numbers.notna().any():
            return numbers.rank(method="dense").astype("Int64")
        days = self._planned_day()
        if days.notna().all():
            return days.rank(method="dense").astype("Int64")
        by_name = order_by_name([str(name) for name in visit.dropna()])
        order = list(visit.dropna().unique()) if by_name.undecided else by_name.names
        return visit.map({name: place for place, name in enumerate(order, 1)}).astype("Int64")

    def _planned_day(self) -> pd.Series:
        days = self._whole("planned_day").fillna(self._study_days("planned_study_day"))
        weeks = self._numbers("planned_week") * DAYS_A_WEEK
        months = self._numbers("planned_month") * DAYS_A_MONTH
        return days.fillna(weeks.round().astype("Int64")).fillna(months.round().astype("Int64"))

    def _window(self) -> tuple[pd.Series, pd.Series]:
        """Days allowed before and after the planned day, both as positive numbers."""
        text = self.text("window")
        pairs = text.map(parse_window, na_action="ignore")
        wrong = text.notna() & pairs.isna()
        self.refuse(wrong, lambda row: f"window '{text[row]}' is not understood; write 14 or -7/+14")
        both = [pair if isinstance(pair, tuple) else (pd.NA, pd.NA) for pair in pairs]
        before, after = (
            pd.Series([pair[side] for pair in both], index=text.index, dtype="Int64") for side in (0, 1)
        )
        return self._whole("window_before").abs().fillna(before), self._whole("window_after").fillna(after)


def _which_of(name: str) -> Callable[[int], str]:
    return lambda row: f"it could be any of several visits {name}: give its date"


def _by_day(name: str, group: pd.DataFrame) -> pd.Series:
    """For each row the name with its day; missing where it has none."""
    return group["day"].astype("object").map(lambda day: None if pd.isna(day) else on_day(name, int(day)))


def _occasions(name: str, group: pd.DataFrame, is_of_records: bool) -> pd.Series:
    """For each row of one subject and name the name of its occasion; missing where nothing says which."""
    numbers = group["visit_number"]
    if numbers.nunique() > 1:
        days = group.groupby("visit_number")["day"].min()
        if days.notna().all() and days.is_unique:
            names = dict(zip(days.index, (on_day(name, int(day)) for day in days), strict=True))
        else:
            names = {number: with_number(name, number) for number in numbers.dropna().unique()}
        return numbers.map(names).astype("object")
    if UNSCHEDULED.search(plain(name)):
        return _by_day(name, group)
    if is_of_records:
        return pd.Series(name, index=group.index, dtype="object")
    is_first = (group["day"] == group["day"].min()).fillna(True).astype(bool)
    return _by_day(name, group).mask(is_first, name)


def parse_window(text: str) -> tuple[int, int] | None:
    """Days before and after: ``14`` and ``±14`` -> (14, 14), ``-7/+14`` -> (7, 14); None if not readable."""
    match = re.fullmatch(r"\s*(?:±|\+/-|\+-)?\s*(\d+)\s*(?:days?|d)?\s*", text)
    if match:
        return int(match[1]), int(match[1])
    match = re.fullmatch(r"\s*[-−](\d+)\s*(?:/|to|,|;|\.\.)\s*\+?(\d+)\s*(?:days?|d)?\s*", text)
    return (int(match[1]), int(match[2])) if match else None


def _days(rows: pd.DataFrame, baseline: Mapping[str, date]) -> pd.Series:
    """Days from the subject's baseline date; without one, from its first dated visit.

    A visit planned before day 0 (screening) is not a first visit.
    """
    first = dict(baseline)
    dated = rows[rows["date"].notna()]
    planned = dated[~(dated["planned_day"] < 0).fillna(False)].sort_values("visit_order", kind="stable")
    for subject, group in planned.groupby("subject", sort=False):
        visit = group["visit"].iloc[0]
        first.setdefault(str(subject), min(group.loc[group["visit"] == visit, "date"]))
    values = [
        (day - first[subject]).days if isinstance(day, date) and subject in first else pd.NA
        for subject, day in zip(rows["subject"], rows["date"], strict=True)
    ]
    return pd.Series(values, index=rows.index, dtype="Int64")


def _covariates(
    table: pd.DataFrame, columns: Columns, rows: pd.DataFrame
) -> tuple[list[covariates_in.Covariate], dict[str, str]]:
    """Left-over columns by visit, unless the table has several rows a visit (then they belong to those)."""
    domain = next((name for name in columns.rest if squeezed(name) == "domain"), None)
    if domain is not None and set(text_column(table, domain).dropna()) != {"SV"}:
        return [], dict.fromkeys(columns.rest, "it belongs to records of another domain")
    if rows.duplicated(["subject", "visit"]).any():
        return [], dict.fromkeys(columns.rest, "the table has several rows for one subject and visit")
    return covariates_in.choose(table, columns.rest, columns.named)


def _one_each(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a subject and visit: the earliest day; of the plan the first value that is given."""
    keys = ["subject", "visit"]
    found = rows.groupby(keys, sort=False)[
        ["visit_order", "planned_day", "window_before", "window_after"]
    ].first()
    found["day"] = rows.groupby(keys, sort=False)["day"].min()
    found["date"] = None
    numbers = rows.drop_duplicates(keys).index
    return found.reset_index().set_index(numbers)


def _for_all(rows: pd.DataFrame, subjects: Sequence[str]) -> pd.DataFrame:
    """Every planned visit for every subject; the day on which it took place is not known from a plan."""
    plan = rows.drop(columns=["subject", "day"]).drop_duplicates("visit")
    every = plan.reset_index(names="row").merge(pd.DataFrame({"subject": list(subjects)}), how="cross")
    return every.set_index("row").assign(day=pd.array([pd.NA] * len(every), dtype="Int64"))
