"""Analysis tables in the shape of CDISC ADaM (BDS): USUBJID, AVISIT, AVAL, CHG, BASE, TRT01P, ADY, ADT.

Our own column names come first; a CDISC name serves where there is none of ours. Several parameters
(PARAMCD) in one table are never pooled: one must be chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from core.errors import InputError
from data.tables.date_columns import read_dates
from data.tables.dates import study_day_to_days
from data.tables.files import number_column, renamed_columns, text_column

ARMS = ("TRT01P", "TRTP", "TRT01A", "TRTA", "ARM", "ACTARM")
READERS = ("RATER", "READERID", "READERNM", "ASSESSOR", "EVALID", "PARQUAL")
NAMES: dict[str, tuple[str, ...]] = {
    "subject": ("USUBJID", "SUBJID"),
    "visit": ("AVISIT", "VISIT"),
    "arm": ARMS,
    "reader": READERS,
    "total": ("AVAL",),
    "change": ("CHG",),
    "baseline": ("BASE",),
    "base": ("BASE",),
}
ONE_READER = "all"
CHANGES = frozenset({"chg", "change", "delta", "diff", "difference", "pchg"})


def column_of(names: Iterable[str], wanted: str) -> str | None:
    """The column that serves for a name: that one, in any case, or the CDISC name of the same thing."""
    listed = list(names)
    for name in (wanted, *NAMES.get(wanted.casefold(), ())):
        if name in listed:
            return name
        alike = [one for one in listed if one.strip().casefold() == name.casefold()]
        if len(alike) == 1:
            return alike[0]
    return None


def is_change(name: str) -> bool:
    """Whether a column of this name holds changes, which may be negative."""
    return name.strip().casefold() in CHANGES


def has_totals(names: Sequence[str]) -> bool:
    """Whether a header is that of a table of totals over time, ours or CDISC's."""
    has_day = any(column_of(names, name) for name in ("days", "ADY", "ADT"))
    return has_day and all(column_of(names, name) for name in ("subject", "total"))


def as_totals(table: pd.DataFrame, file: str) -> tuple[pd.DataFrame, list[str]]:
    """The table with columns subject, reader, days, total and arm under these names, and what was assumed.

    Columns that are there under their own names stay as they are; those of CDISC serve for what is missing.
    days: from ADY (day 1 is day 0 here), else from ADT and the subject's baseline (ABLFL is Y).
    Raises InputError for several parameters, and dates without a baseline.
    """
    notes: list[str] = []
    names = {}
    for name in ("subject", "reader", "total", "arm"):
        column = column_of(table.columns, name)
        if column is not None and column != name:
            names[column] = name
            if column.casefold() != name:
                notes.append(f"{column} is read as {name}")
    check_one_parameter(table, file)
    is_adam = names.get("AVAL") == "total"
    table = renamed_columns(table, names)
    if column_of(table.columns, "reader") is None and is_adam:
        table["reader"] = ONE_READER
        notes.append("no column for the reader: all totals are taken as those of one")
    if column_of(table.columns, "days") is None:
        table, note = _with_days(table, file)
        notes += [note] if note else []
    return table, [*notes, *derived_rows(table)]


def derived_rows(table: pd.DataFrame) -> list[str]:
    """A note where records were derived or imputed (DTYPE) and count like those of films."""
    column = column_of(table.columns, "DTYPE")
    if column is None:
        return []
    kinds = text_column(table, column).dropna()
    if not len(kinds):
        return []
    some = ", ".join(sorted(set(kinds))[:5])
    return [
        f"{len(kinds)} of {len(table)} rows are derived records ({column}: {some}) "
        f"and count like films; --where {column}= leaves them out"
    ]


def check_one_parameter(table: pd.DataFrame, file: str) -> None:
    """Raises InputError where the table holds several parameters."""
    column = column_of(table.columns, "PARAMCD") or column_of(table.columns, "PARAM")
    values = sorted(text_column(table, column).dropna().unique()) if column else []
    if len(values) > 1:
        raise InputError(
            f"{Path(file).name} has several values of {column}: {', '.join(values[:12])}",
            "one of them is needed",
            f"choose one, for example --where {column}={values[0]}",
        )


def parameter(table: pd.DataFrame) -> str:
    """What the one parameter of the table is called, empty where there is none."""
    texts = []
    for name in ("PARAMCD", "PARAM"):
        column = column_of(table.columns, name)
        if column:
            texts += list(text_column(table, column).dropna().unique()[:1])
    return " ".join(texts)


def _with_days(table: pd.DataFrame, file: str) -> tuple[pd.DataFrame, str]:
    """The table with a column days, and what it was made from."""
    study_day = column_of(table.columns, "ADY")
    if study_day:
        numbers, is_text = number_column(table, study_day)
        if (numbers == 0).any():
            raise InputError(
                f"{Path(file).name}: row {int(numbers.index[numbers == 0][0])} has {study_day} 0",
                "study days have no day 0: day 1 is the day of baseline",
                "fix it, or write a column days",
            )
        days = numbers.map(study_day_to_days, na_action="ignore").astype(object)
        days[is_text] = text_column(table, study_day)[is_text]
        return table.assign(days=days), f"days are {study_day}, in which day 1 is the day of baseline"
    dated = column_of(table.columns, "ADT")
    return _from_dates(table, dated, file) if dated else (table, "")


def _from_dates(table: pd.DataFrame, column: str, file: str) -> tuple[pd.DataFrame, str]:
    """days from each subject's baseline record to the date of the row, and what was assumed.

    A date that cannot be used stands in their place, so that its row is refused with it.
    """
    flag = column_of(table.columns, "ABLFL")
    if flag is None:
        raise InputError(
            f"{Path(file).name} has {column} and no ADY or ABLFL",
            "days from baseline are needed",
            "write a column days or ADY, or mark baseline records with ABLFL = Y",
        )
    text = text_column(table, column)
    found = read_dates(text.dropna().unique(), column)
    if found.wrong and not found.days:
        one = next(iter(found.wrong))
        row = int(table.index[text == one][0])
        raise InputError(
            f"{Path(file).name}: row {row}: {column} '{one}' {found.wrong[one]}",
            "days from baseline are needed",
            "write whole dates, or a column days or ADY",
        )
    dates = text.map(dict(found.days), na_action="ignore")
    is_baseline = (text_column(table, flag).str.upper() == "Y") & dates.notna()
    subject = text_column(table, "subject")
    start = dict(zip(subject[is_baseline], dates[is_baseline], strict=True))
    days = [
        (day - start[one]).days if isinstance(one, str) and one in start and day == day and day else None
        for one, day in zip(subject, dates, strict=True)
    ]
    values = pd.Series(days, index=table.index, dtype="object")
    unusable = text.isin([*found.wrong, *found.partial]).to_numpy(bool)
    values[unusable] = column + " " + text[unusable]
    notes = [f"days are those from baseline to {column}", *found.notes]
    return table.assign(days=values if unusable.any() else values.astype("float64")), "; ".join(notes)


def as_model_table(table: pd.DataFrame, wanted: Iterable[str]) -> tuple[pd.DataFrame, list[str]]:
    """The table with these names for the columns that serve for them, and which those were."""
    names, notes = {}, []
    for name in wanted:
        column = None if name in table.columns else column_of(table.columns, name)
        if column is not None and column not in names:
            names[column] = name
            notes += [f"{column} is read as {name}"] if column.casefold() != name.casefold() else []
    return renamed_columns(table, names), notes


def names_in(formula: str) -> list[str]:
    """What may be a column in a formula, in order of appearance."""
    return list(dict.fromkeys(re.findall(r"[^\W\d]\w*", formula)))


def without_baseline(table: pd.DataFrame, outcome: str) -> tuple[pd.DataFrame, list[str]]:
    """Of a table of changes, the rows after baseline: a change has no baseline row."""
    flag = column_of(table.columns, "ABLFL")
    if flag is None or not is_change(outcome):
        return table, []
    is_baseline = (text_column(table, flag).str.upper() == "Y").fillna(False).to_numpy(bool)
    note = f"{int(is_baseline.sum())} baseline rows ({flag} is Y) are left out: they have no change"
    return table[~is_baseline], [note] if is_baseline.any() else []
