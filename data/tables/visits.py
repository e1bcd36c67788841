"""A table of visits (SV, any CDISC domain with VISIT, or a plain one) as rows of ``visit``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from core.errors import InputError
from data.tables import covariates as covariates_in
from data.tables.checked_columns import CheckedColumns
from data.tables.columns import VISITS, VISITS_BY_PATTERN, Columns, recognise, squeezed
from data.tables.dates import study_day_to_days
from data.tables.files import text_column
from data.tables.merge import Refused

FIELDS = ("visit_order", "planned_day", "window_before", "window_after", "day")
DAYS_A_WEEK, DAYS_A_MONTH = 7, 365.25 / 12


@dataclass(frozen=True)
class Visits:
    """What a table of visits says.

    rows: ``subject, visit, visit_order, planned_day, window_before, window_after, day``; index = row number.
    covariates: rows of the table ``covariate``, by visit.
    """

    rows: pd.DataFrame
    covariates: pd.DataFrame
    refused: Refused
    columns: dict[str, str]
    ignored: dict[str, str]
    notes: list[str]


def read_visits(
    table: pd.DataFrame,
    subjects: Sequence[str],
    baseline: Mapping[str, date],
    mapping: Mapping[str, str] | None = None,
) -> Visits:
    """The table's visits, one row a subject and visit, with the rows that cannot be used and why.

    subjects: every subject of the cohort; a table without a subject column is the plan for all of them.
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
    reader = _VisitColumns(table, columns)
    rows = reader.rows(known=set(subjects))
    notes = []
    if columns.has("subject"):
        if columns.has("date"):
            rows["day"] = rows["day"].fillna(_days(rows, baseline))
        kept, ignored = _covariates(table, columns, rows)
        covariates = covariates_in.rows(
            table.loc[rows.index], rows["subject"], rows["visit"], kept if rows.index.is_unique else []
        )
        rows = _one_each(rows)
    else:
        notes.append(f"no subject column: used as the plan of all {len(subjects)} subjects")
        rows = _for_all(rows, subjects)
        covariates, ignored = covariates_in.rows(table, pd.Series(dtype=str), None, []), {}
    return Visits(
        rows.drop(columns="date"),
        covariates[covariates.index.isin(rows.index)],
        reader.refused,
        columns.used,
        {**columns.ignored, **ignored},
        notes,
    )


class _VisitColumns(CheckedColumns):
    """The columns of a table of visits."""

    def rows(self, known: set[str]) -> pd.DataFrame:
        visit = self.text("visit")
        self.refuse(visit.isna(), lambda row: "the visit is empty")
        subject = self.text("subject")
        if self.columns.has("subject"):
            self.refuse(subject.isna(), lambda row: "the subject's code is empty")
            unknown = subject.notna() & ~subject.isin(known)
            self.refuse(unknown, lambda row: f"subject {subject[row]} is not in the cohort")
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
            },
            index=self.table.index,
        )
        return rows[~rows.index.isin({item["row"] for item in self.refused})]

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
        """The order given; visit numbers such as 3.1 become ranks; without any, order of appearance."""
        numbers = self._numbers("visit_order")
        if numbers.notna().any() and (numbers.dropna() % 1 == 0).all():
            return numbers.astype("Int64")
        if numbers.notna().any():
            return numbers.rank(method="dense").astype("Int64")
        days = self._planned_day()
        if days.notna().all():
            return days.rank(method="dense").astype("Int64")
        return pd.Series(pd.factorize(visit)[0] + 1, index=visit.index).astype("Int64")

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
