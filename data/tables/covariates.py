"""Left-over columns of a table as covariates: which are kept, under which name and unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from data.store.treatment_names import is_known
from data.tables.columns import squeezed, why_not_kept
from data.tables.date_columns import is_dated
from data.tables.dates import is_partial_date
from data.tables.files import number_column, text_column

MIN_FILLED = 0.1  # of the rows
MAX_LEVELS = 12
SHARE_OF_DATES = 0.5
MIN_ROWS_FOR_LEVELS = 3  # different texts; up to so many are categories in the smallest table
ROWS_A_LEVEL = 2  # at least, on average, where text is a category
ONE_VALUE = "it has one value only; keep it with --map COLUMN=NAME"
LONG_NUMBER, SHARE_OF_LONG = 100_000, 0.5  # six digits and more: patient and telephone numbers

KNOWN_NAMES = {
    "hlab27": "HLA-B27",
    "crp": "CRP",
    "creactiveprotein": "CRP",
    "esr": "ESR",
    "bmi": "BMI",
    "symptomduration": "symptom duration",
    "diseaseduration": "disease duration",
    "basdai": "BASDAI",
    "asdas": "ASDAS",
    "basfi": "BASFI",
    "das28": "DAS28",
    "rf": "RF",
    "acpa": "ACPA",
}
UNITS = {
    "mgl": "mg/L", "mgdl": "mg/dL", "mmh": "mm/h", "y": "years", "yr": "years", "yrs": "years",
    "years": "years", "year": "years", "months": "months", "kgm2": "kg/m2", "kg": "kg", "cm": "cm",
    "percent": "%",
}  # fmt: skip


@dataclass(frozen=True)
class Covariate:
    """One column as a covariate: its name and unit, and values as numbers or as text."""

    column: str
    name: str
    unit: str | None
    is_number: bool


def choose(
    table: pd.DataFrame, columns: list[str], named: dict[str, str]
) -> tuple[list[Covariate], dict[str, str]]:
    """Covariates among the left-over columns, and the others with the reason.

    Kept are numbers, and text with 2 to 12 levels, filled in at least a tenth of the rows; never dates,
    numbers of rows, names of people, or what would show the arm; and where the name is not known to be
    clinical, nothing that differs from row to row as names and numbers of people do. A column that a person
    named is always kept.
    """
    kept, ignored = [], {}
    for column in [*named, *columns]:
        values = text_column(table, column)
        reason = "" if column in named else why_not_kept(column) or _unfit(values)
        if not reason and column not in named and not is_known(name_and_unit(column)[0]):
            reason = _may_identify(values.dropna())
        if reason:
            ignored[column] = reason
        else:
            name, unit = name_and_unit(named.get(column, column))
            _, is_text = number_column(table, column)
            kept.append(Covariate(column, name, unit, not is_text.any()))
    return kept, ignored


def _unfit(values: pd.Series) -> str:
    filled = values.dropna()
    if len(filled) < max(1, MIN_FILLED * len(values)):
        return "it is empty" if filled.empty else f"it is filled in {len(filled)} of {len(values)} rows only"
    levels = filled.unique()
    if len(levels) < 2 and len(values) > 1:
        return ONE_VALUE
    dated = sum(is_dated(text) or _is_dash_date(text) for text in levels)
    if dated > SHARE_OF_DATES * len(levels):
        return "it holds dates"
    is_text = pd.to_numeric(filled, errors="coerce").isna().any()
    return f"its text has {len(levels)} different values" if is_text and len(levels) > MAX_LEVELS else ""


def _may_identify(filled: pd.Series) -> str:
    """Why the values of a column may be names or numbers of people; empty where they may not.

    A small study has few people: that there are few different values says nothing, only that each is shared.
    """
    levels = filled.nunique()
    numbers = pd.to_numeric(filled, errors="coerce")
    if numbers.isna().any():
        own = levels > MIN_ROWS_FOR_LEVELS and ROWS_A_LEVEL * levels > len(filled)
        return "its text differs from row to row, so it may name a person" if own else ""
    long = (numbers.abs() >= LONG_NUMBER) & (numbers % 1 == 0)
    return "its long numbers may be those of people" if long.mean() > SHARE_OF_LONG and levels > 1 else ""


def _is_dash_date(text: str) -> bool:
    return "-" in text and is_partial_date(text)


def name_and_unit(column: str) -> tuple[str, str | None]:
    """A readable name and the unit: ``CRP (mg/L)`` and ``crp_mg_l`` -> ``CRP``, ``mg/L``."""
    bracketed = re.fullmatch(r"(.+?)\s*[(\[]\s*([^)\]]+?)\s*[)\]]", column.strip())
    if bracketed:
        return _known(bracketed[1]), UNITS.get(squeezed(bracketed[2]), bracketed[2])
    words = re.split(r"[_\s]+", column.strip())
    for count in (2, 1):
        unit = UNITS.get(squeezed("".join(words[-count:])))
        if unit and len(words) > count:
            return _known("_".join(words[:-count])), unit
    return _known(column.strip()), None


def _known(name: str) -> str:
    return KNOWN_NAMES.get(squeezed(name), name.replace("_", " ").strip())


def rows(
    table: pd.DataFrame, subjects: pd.Series, visits: pd.Series | None, kept: list[Covariate]
) -> pd.DataFrame:
    """Rows of the table ``covariate``: ``subject, visit, name, number, text, unit``; empty cells have none.

    subjects, visits: the key of each row of ``table``; without visits these are properties of the subject.
    """
    parts = []
    for item in kept:
        text = text_column(table, item.column)
        number = number_column(table, item.column)[0]
        filled = text.notna()
        parts.append(
            pd.DataFrame(
                {
                    "subject": subjects[filled],
                    "visit": None if visits is None else visits[filled],
                    "name": item.name,
                    "number": number[filled] if item.is_number else float("nan"),
                    "text": None if item.is_number else text[filled],
                    "unit": item.unit,
                }
            )
        )
    if not parts:
        return pd.DataFrame(columns=["subject", "visit", "name", "number", "text", "unit"])
    return pd.concat(parts).astype(dict.fromkeys(("visit", "text", "unit"), "str"))
