"""Columns of values: words and codes for "missing", decimal commas, and what a number can be.

A column of values (grade, rating, total, days, an outcome) is prepared here before it is used; a column that
names something (subject, visit, reader, arm) never is, so a subject may be called NA.

- ``MISSING`` counts as an empty cell, whatever its case. Not in it is what can also mean "nothing was found":
  ND (not done, not detected), none, nil. Such words, and codes such as -9 or 999, count only where a person
  says so (``--missing``); else they are refused, with row, column, value and the range that is possible.
- A comma is read as a decimal one where the column leaves no doubt: no value with a point, and one at least
  whose comma cannot part thousands. Else it is refused; ``--decimal`` says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.scores.ranges import Range
from data.tables.columns import Columns, squeezed
from data.tables.files import (
    broken_cells,
    check_values,
    notes_of,
    number_column,
    place_of,
    text_column,
)
from data.tables.formats.options import TableOptions

if TYPE_CHECKING:
    import pandas as pd

Refused = list[dict[str, Any]]
MISSING = frozenset(
    {
        "na", "n/a", "n.a.", "n.a", "nan", "<na>", "null", ".", "..", "-", "--", "–", "—", "ne", "n.e.",
        "n/e", "not done", "not evaluable", "not evaluated", "not assessed", "not assessable",
        "not available", "not applicable", "not scorable", "not scored", "not readable", "missing", "._",
    }
    | {f".{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"}
)  # fmt: skip
COMMA = re.compile(r"[-+]?\d+,\d+", re.ASCII)
POINT = re.compile(r"[-+]?\d*\.\d+", re.ASCII)
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}", re.ASCII)  # or a decimal comma: nobody can tell
_CODES = {int(digit * count) for digit in "789" for count in (1, 2, 3, 4, 5)}
_CODES |= {96, 97, 98, 996, 997, 998, 9996, 9997, 9998}  # refused, not known, not applicable
CODES = sorted([sign * code for sign in (1, -1) for code in _CODES])
MIN_CHANGE_CODE = 77
MIN_VALUES = 3  # beside a code, for it to stand out
MAX_GRADE = 4  # whole numbers up to it look like grades, of which 7, 8, 9 and -1 are none
MAX_DAYS = 36525  # a hundred years
MIN_DAY_CODE = (96, 999)  # below and above baseline: nearer days may well be true


@dataclass
class Problems:
    """Why rows cannot be used: the first reason of each, with the column that it is about."""

    reasons: dict[int, str] = field(default_factory=dict)
    columns: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, row: int, column: str, reason: str) -> None:
        if row not in self.reasons:
            self.reasons[row], self.columns[row] = reason, column

    def series(self, index: pd.Index) -> pd.Series:
        """The reason of each row, None where there is none."""
        import pandas as pd

        return pd.Series([self.reasons.get(row) for row in index], index=index, dtype=object)


def prepared(
    frame: pd.DataFrame,
    columns: Iterable[str],
    options: TableOptions,
    *,
    with_codes: Iterable[str] | None = None,
) -> tuple[pd.DataFrame, Problems]:
    """The frame with these columns of values made ready, and cells whose comma nobody can interpret.

    with_codes: the columns in which the codes of ``--missing`` count; all of them by default. Cells that are
    text stay as they are. Raises InputError for a formula without a stored value, or an error such as #N/A,
    unless that is named as a code.
    """
    problems = Problems()
    columns = list(dict.fromkeys(columns))
    coded = set(columns if with_codes is None else with_codes)
    frame = frame.copy(deep=False)
    for column in columns:
        codes = options.missing if column in coded else ()
        wanted = {code.casefold() for code in codes}
        check_values(frame[~frame.index.isin(_named_errors(frame, column, wanted))], [column])
        frame[column] = _prepared(frame, column, codes, options.decimal, problems)
    return frame, problems


LABELS = ("subject", "visit", "arm", "sex", "centre", "age_unit")


def ready_to_import(
    table: pd.DataFrame, columns: Columns, options: TableOptions
) -> tuple[pd.DataFrame, list[str]]:
    """A table of subjects or visits with its columns of values made ready, and what a person should know.

    Columns of numbers lose words and codes for missing and get a decimal point; in those of text only what a
    person named counts as missing. A cell of a left-over column that holds an error or an uncalculated
    formula is left out and noted; one of a column in use is refused by whoever reads it.
    """
    notes = notes_of(table)
    labels = {columns.used[name] for name in LABELS if name in columns.used}
    table = table.copy(deep=False)
    for column in [*columns.rest, *columns.named]:
        for _, row, what in broken_cells(table, [column]):
            notes.append(f"{place_of(table, row, column)} holds {what[:40]}: left out of {column}")
            table[column] = table[column].mask(table.index == row)
    table.attrs = _without_broken(table, [*columns.rest, *columns.named])
    values = [name for name in table.columns if name not in labels]
    numbers = number_columns(table, values)
    table, problems = prepared(table, numbers, options)
    for column in (name for name in values if name not in numbers and options.missing):
        text = text_column(table, column)
        is_code = text.str.casefold().isin([code.casefold() for code in options.missing])
        table[column] = text.mask(is_code)
    return table, [*notes, *problems.notes, *dict.fromkeys(problems.reasons.values())]


def _without_broken(table: pd.DataFrame, columns: Iterable[str]) -> dict[Any, Any]:
    """The attributes of the table, these columns with no broken cell."""
    origin = table.attrs.get("origin", {})
    broken = {name: cells for name, cells in origin.get("broken", {}).items() if name not in set(columns)}
    return {**table.attrs, "origin": {**origin, "broken": broken}}


def number_columns(frame: pd.DataFrame, columns: Iterable[str]) -> list[str]:
    """Those of the columns that hold numbers: at least half of what is not empty or a word for missing."""
    import pandas as pd

    found = []
    for column in columns:
        text = text_column(frame, column)
        filled = text[text.notna() & ~text.str.casefold().isin(MISSING)]
        numbers = pd.to_numeric(filled.str.replace(",", "."), errors="coerce")
        if len(filled) and numbers.notna().sum() * 2 >= len(filled):
            found.append(column)
    return found


def refuse_outside(frame: pd.DataFrame, column: str, limit: Range, problems: Problems) -> None:
    """Adds the numbers of the column that lie outside its range."""
    numbers = number_column(frame, column)[0].dropna()
    tolerated = numbers[[limit.tolerates(value) for value in numbers]]
    if len(tolerated):
        problems.notes.append(
            f"{column}: {len(tolerated)} value{'s lie' if len(tolerated) > 1 else ' lies'} a little below "
            f"{limit.low:g} (row {tolerated.index[0]}: {tolerated.iloc[0]:g}), where no score is; taken as "
            "computed values, refused with --system or --range"
        )
    for row, value in zip(numbers.index.tolist(), numbers.tolist(), strict=True):
        if not limit.holds(value) and not limit.tolerates(value):
            problems.add(
                row,
                column,
                f"{column} {value:g} is outside {limit}; if it means missing, give --missing {value:g}",
            )


def refuse_codes(frame: pd.DataFrame, column: str, problems: Problems, *, is_change: bool = False) -> None:
    """Adds the numbers that look like codes for a missing value: -9, 99, 999, far from all others.

    is_change: whether one value alone may well be below 0.
    """
    numbers, _ = number_column(frame, column)
    numbers = numbers.dropna()
    is_code = numbers.isin([code for code in CODES if not is_change or abs(code) >= MIN_CHANGE_CODE])
    others = numbers[~is_code]
    if not is_code.any() or len(others) < MIN_VALUES:
        return
    low, high = float(others.min()), float(others.max())
    codes = numbers[is_code]
    for row, value in zip(codes.index.tolist(), codes.tolist(), strict=True):
        if _stands_out(value, low, high):
            problems.add(
                row,
                column,
                f"{column} {value:g} looks like a code for a missing value (all others are {low:g} to "
                f"{high:g}); give --missing {value:g}, or --range if it is a true value",
            )


def note_odd_grades(frame: pd.DataFrame, column: str, problems: Problems) -> None:
    """Notes a 7, 8, 9 or -1 among grades up to 4: a code for missing, or a true value: nobody can tell."""
    numbers = number_column(frame, column)[0].dropna()
    is_odd = numbers.isin([7, 8, 9, -1])
    others = numbers[~is_odd]
    is_graded = len(others) >= MIN_VALUES and others.between(0, MAX_GRADE).all() and (others % 1 == 0).all()
    odd = [value for value in numbers[is_odd].unique() if value < 0 or value > 2 * others.max()]
    if not is_graded or not odd:
        return
    values = ", ".join(f"{value:g}" for value in odd)
    row = numbers.index[numbers.isin(odd)][0]
    problems.notes.append(
        f"{column} {values} (row {row}{' and others' if numbers.isin(odd).sum() > 1 else ''}) counts as a "
        f"value beside {others.min():g} to {others.max():g}; if it means missing, give "
        f"--missing {values.replace(', ', ',')}"
    )


def refuse_days(frame: pd.DataFrame, column: str, problems: Problems) -> None:
    """Adds days from baseline that cannot be: above a hundred years, or a code such as 9999 or -999."""
    numbers = number_column(frame, column)[0].dropna()
    far = numbers.abs() > MAX_DAYS
    for row, value in zip(numbers.index[far].tolist(), numbers[far].tolist(), strict=True):
        why = f"{column} {value:g} lies more than a hundred years from baseline; days from it are needed"
        problems.add(row, column, why)
    numbers = numbers[~far]
    is_code = numbers.isin(CODES) & ((numbers <= -MIN_DAY_CODE[0]) | (numbers >= MIN_DAY_CODE[1]))
    others = numbers[~is_code]
    if not is_code.any() or len(others) < MIN_VALUES:
        return
    low, high = float(others.min()), float(others.max())
    for row, value in zip(numbers.index[is_code].tolist(), numbers[is_code].tolist(), strict=True):
        if value < 3 * min(low, 0) or value > 2 * max(high, 0):
            problems.add(
                row,
                column,
                f"{column} {value:g} looks like a code for a missing day (all others are {low:g} to {high:g})"
                "; leave the cell empty if it is",
            )


def _stands_out(value: float, low: float, high: float) -> bool:
    """Whether a code lies where no other value of its column comes near."""
    if value < 0:
        return low >= 0 or (value <= -MIN_CHANGE_CODE and value < 3 * low)
    return value >= MIN_CHANGE_CODE and value > 2 * max(high, -low, 0)


def located(refused: Refused, frame: pd.DataFrame, columns: Mapping[str, str]) -> Refused:
    """The refused rows with the column that the reason is about where its name is not that of the field.

    In a workbook they have the cell too. columns: field -> column. A reason begins with the field, or the
    column, that it is about.
    """
    names = {**{column: column for column in columns.values()}, **columns}
    longest_first = sorted(names.items(), key=lambda item: -len(item[0]))
    found = []
    for item in refused:
        name, column = next(((n, c) for n, c in longest_first if _is_about(item["reason"], n)), ("", ""))
        column = item.get("column", column)
        place = place_of(frame, item["row"], column) if column and item["row"] is not None else ""
        says = {"column": column} if column and squeezed(column) != squeezed(name) else {}
        found.append({**item, **says, **({"cell": place} if place else {})})
    return found


def cell_of_value(item: dict[str, Any], frame: pd.DataFrame, column: str) -> dict[str, str]:
    """The cell of a workbook that the reason of a refused row is about, where it is about this column."""
    is_about = item["reason"].startswith("'") or _is_about(item["reason"], column)
    place = place_of(frame, item["row"], column) if is_about else ""
    return {"cell": place} if place else {}


def _is_about(reason: str, name: str) -> bool:
    return reason.casefold().startswith((f"{name.casefold()} ", f"{name.casefold().replace('_', ' ')} "))


def _named_errors(frame: pd.DataFrame, column: str, codes: set[str]) -> list[int]:
    """Rows whose broken cell holds an error that a person named as a code, such as #N/A."""
    return [row for _, row, what in broken_cells(frame, [column]) if what.casefold() in codes]


def _prepared(
    frame: pd.DataFrame, column: str, codes: tuple[str, ...], decimal: str, problems: Problems
) -> pd.Series:
    import pandas as pd

    series = frame[column]
    numeric = [number for code in codes if (number := _number(code)) is not None]
    if pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series):
        is_code = series.isin(numeric).fillna(False).astype(bool)
        return series.mask(is_code) if is_code.any() else series
    errors = _named_errors(frame, column, {code.casefold() for code in codes})
    text = text_column(frame.drop(index=errors), column).reindex(frame.index)
    plain = text.str.casefold()
    words = MISSING | {code.casefold() for code in codes}
    is_missing = plain.isin(words)
    if numeric:
        is_missing |= pd.to_numeric(text.str.replace(",", "."), errors="coerce").isin(numeric)
    if is_missing.any():
        said = ", ".join(dict.fromkeys(text[is_missing]))
        count = int(is_missing.sum())
        problems.notes.append(
            f"{column}: {count} cell{'s count' if count > 1 else ' counts'} as missing ({said})"
        )
        text = text.mask(is_missing)
    text = text.str.replace("\u2212", "-")
    return _with_point(frame, column, text, decimal, problems)


def _with_point(
    frame: pd.DataFrame, column: str, text: pd.Series, decimal: str, problems: Problems
) -> pd.Series:
    """Decimal commas as points where they are certain; the others are problems."""
    has_comma = text.str.fullmatch(COMMA).fillna(False).astype(bool)
    has_point = text.str.fullmatch(POINT).fillna(False).astype(bool)
    is_sheet = "sheet" in frame.attrs.get(
        "origin", {}
    )  # numbers of a workbook have a point, typed text a comma
    if decimal == "," and not is_sheet:
        for row in text.index[has_point]:
            problems.add(row, column, f"{column} {text[row]} has a decimal point, and --decimal , was given")
        return text.where(~has_comma, text.str.replace(",", "."))
    if not has_comma.any():
        return text
    values = text[has_comma]
    is_certain = not values.str.fullmatch(THOUSANDS).all() and (is_sheet or not has_point.any())
    if decimal == "," or (not decimal and is_certain):
        if not decimal:
            problems.notes.append(f"{column}: decimal commas ({values.iloc[0]}) are read as such")
        return text.where(~has_comma, text.str.replace(",", "."))
    why = "the column has decimal points too" if has_point.any() else "it may part thousands"
    for row, value in zip(values.index.tolist(), values.tolist(), strict=True):
        problems.add(
            row, column, f"{column} '{value}' has a comma: {why}; write a point, or give --decimal , for all"
        )
    return text


def _number(code: str) -> float | None:
    try:
        return float(code)
    except ValueError:
        return None
