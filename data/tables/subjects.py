"""A table of subjects (ADSL, DM or a plain one) as rows of ``subject`` and ``covariate``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from core.errors import InputError
from data.tables import covariates as covariates_in
from data.tables.checked_columns import CheckedColumns
from data.tables.columns import SUBJECTS, recognise, squeezed
from data.tables.date_columns import MISSING as NO_DATE
from data.tables.date_columns import year_of_birth
from data.tables.dates import birth_year_from_age, is_partial_date, year_of
from data.tables.merge import Refused

NO_ARM = {
    "screenfailure", "scrnfail", "notassigned", "notasgn", "nottreated", "nottrt", "unplannedtreatment",
    "unplan", "na", "none", "unknown",
}  # fmt: skip
SEX = {"m": "M", "male": "M", "man": "M", "f": "F", "female": "F", "woman": "F"}
NO_SEX = {
    "u", "uk", "un", "unk", "unknown", "undifferentiated", "undiff", "nd", "nk", "ni", "na", "none",
    "notapplicable", "notavailable", "notdone", "notknown", "notreported", "missing", "unspecified",
    "intersex", "other", "diverse",
}  # fmt: skip
FIRST_YEAR, LAST_YEAR, OLDEST = 1890, 2100, 120
FIELDS = ("arm", "sex", "birth_year", "centre", "baseline_date")


@dataclass(frozen=True)
class Subjects:
    """What a table of subjects says.

    rows: ``subject, arm, sex, birth_year, centre, baseline_date`` (a true date, still), index = row number.
    is_estimated: True where the birth year was computed from the age.
    covariates: rows of the table ``covariate``; sources: column -> covariate.
    """

    rows: pd.DataFrame
    is_estimated: pd.Series
    covariates: pd.DataFrame
    refused: Refused
    columns: dict[str, str]
    ignored: dict[str, str]
    notes: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)


def read_subjects(table: pd.DataFrame, mapping: Mapping[str, str] | None = None) -> Subjects:
    """The table's subjects, with the rows that cannot be used and why.

    Raises InputError where no column holds the subject's code.
    """
    columns = recognise(table.columns, SUBJECTS, mapping)
    if not columns.has("subject"):
        raise InputError(
            f"a table with the columns {', '.join(map(str, table.columns))}",
            "a column with the subject's code is needed (subject, USUBJID, ...)",
            "say which one it is with --map COLUMN=subject",
        )
    reader = _SubjectColumns(table, columns)
    rows, estimated = reader.rows()
    refused = reader.refused + _duplicates(rows)
    bad = {item["row"] for item in refused}
    good = rows[~rows.index.isin(bad)].drop_duplicates("subject")
    kept, ignored = covariates_in.choose(table, columns.rest, columns.named)
    if columns.has("age"):
        unit = "years"
        kept.insert(0, covariates_in.Covariate(columns.used["age"], "age", unit, True))
    found = covariates_in.rows(table.loc[good.index], good["subject"], None, kept)
    return Subjects(
        good,
        estimated.loc[good.index],
        found,
        refused,
        columns.used,
        {**columns.ignored, **ignored},
        reader.notes,
        {item.column: item.name for item in kept},
    )


def _duplicates(rows: pd.DataFrame) -> Refused:
    """Rows of one subject that say different things; equal ones count once."""
    distinct = rows.drop_duplicates(["subject", *FIELDS])
    many = distinct.loc[distinct["subject"].duplicated(keep=False) & distinct["subject"].notna(), "subject"]
    duplicates = rows[rows["subject"].isin(set(many))]
    return [
        {"row": row, "reason": f"subject {subject} stands in several rows that differ"}
        for row, subject in zip(duplicates.index.tolist(), duplicates["subject"], strict=True)
    ]


class _SubjectColumns(CheckedColumns):
    """The columns of a table of subjects."""

    def rows(self) -> tuple[pd.DataFrame, pd.Series]:
        subject = self.names("subject")
        self.refuse(subject.isna(), lambda row: "the subject's code is empty")
        baseline = self.dates("baseline_date", "baseline date")
        year, estimated = self._birth_year(baseline)
        rows = pd.DataFrame(
            {
                "subject": subject,
                "arm": self.text("arm").map(_arm, na_action="ignore"),
                "sex": self._sex(),
                "birth_year": year,
                "centre": self.text("centre"),
                "baseline_date": baseline.astype(object),
            },
            index=self.table.index,
        )
        return rows.astype({"arm": "str", "sex": "str"}), estimated

    def _sex(self) -> pd.Series:
        text = self.text("sex")
        plain = text.map(squeezed, na_action="ignore")
        sex = plain.map(SEX)
        strange = text.notna() & sex.isna() & ~plain.isin(NO_SEX)
        self.refuse(strange, lambda row: f"sex '{text[row]}' is neither M nor F")
        self.note(text.notna() & plain.isin(NO_SEX), text, "a sex that is neither M nor F is left empty")
        return sex

    def _birth_year(self, baseline: pd.Series) -> tuple[pd.Series, pd.Series]:
        year = self._given_year()
        dated = self.text("birth_date")
        years = {text: year_of(text) or year_of_birth(text) for text in dated.dropna().unique()}
        from_date = dated.map(years, na_action="ignore").astype("Float64")
        is_missing = dated.str.casefold().isin(NO_DATE)
        self.note(is_missing, dated, "a birth date counts as missing")
        wrong = {text for text, year in years.items() if year is None and not is_partial_date(text)}
        self.refuse(
            dated.isin(wrong) & ~is_missing,
            lambda row: f"birth date '{dated[row]}' is not a date (1950-12-31)",
        )
        year = year.fillna(from_date)
        self.refuse(
            ((year < FIRST_YEAR) | (year > LAST_YEAR)).fillna(False),
            lambda row: f"birth year {year[row]:g} cannot be",
        )
        from_age = self._from_age(baseline)
        estimated = year.isna() & from_age.notna()
        return year.fillna(from_age).astype("Int64"), estimated

    def _given_year(self) -> pd.Series:
        numbers, is_text = self.numbers("birth_year")
        text = self.text("birth_year")
        wrong = is_text | (numbers.notna() & (numbers % 1 != 0))
        self.refuse(wrong, lambda row: f"birth year '{text[row]}' is not a year")
        return numbers.where(numbers % 1 == 0).astype("Float64")

    def _from_age(self, baseline: pd.Series) -> pd.Series:
        if "age" not in self.columns.used:
            return pd.Series(pd.NA, index=self.table.index, dtype="Float64")
        age, is_text = self.numbers("age")
        text = self.text("age")
        wrong = is_text | (age < 0) | (age > OLDEST)
        self.refuse(wrong, lambda row: f"age '{text[row]}' is not an age in years")
        at = baseline.where(baseline.notna(), self.dates("screening_date", "screening date"))
        unit = self.text("age_unit").astype(object).map(squeezed, na_action="ignore")
        in_years = unit.isna() | unit.isin({"years", "year", "y"})
        values = [
            birth_year_from_age(number, day) if isinstance(day, date) and number == number and fine else pd.NA
            for number, day, fine in zip(age, at, in_years & ~wrong, strict=True)
        ]
        return pd.Series(values, index=self.table.index, dtype="Float64")


def _arm(text: str) -> str | None:
    return None if squeezed(text) in NO_ARM else text
