"""Dates of one column: what a single cell leaves open, the others of its column may decide.

- ``03/02/2014`` is 3 February where another date of the column can be nothing but day/month (25/02/2014), and
  2 March where one can be nothing but month/day; where neither is there, or both are, it is refused.
- ``2014-1-2`` is a date where no date of the column has zeros in front; beside ``2014-01-03`` it may be one
  that was cut short, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from data.tables.dates import is_partial_date, whole_date, why_no_date

MISSING = frozenset(
    {"na", "n/a", "nan", "null", "none", ".", "-", "--", "unk", "unknown", "un", "nk", "nd", "missing",
     "not known", "not available", "not done", "not applicable", "nat", "#n/a"}
)  # fmt: skip
_TIME = r"(?:[T ]\s*\d{1,2}(?::\d{2}){1,2}(?:\.\d+)?\s*(?:[AP]M)?\s*Z?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.ASCII | re.IGNORECASE)
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/])(\d{{1,2}})\2(\d{{4}}){_TIME}", re.ASCII | re.IGNORECASE)
DAY_FIRST, MONTH_FIRST = "day/month/year", "month/day/year"


@dataclass(frozen=True)
class ColumnDates:
    """What the texts of a column are.

    days: text -> day. partial: dates with a part unknown. missing: words for no date. wrong: text -> why it
    cannot be used. notes: what the column decided.
    """

    days: Mapping[str, date]
    partial: frozenset[str]
    missing: frozenset[str]
    wrong: Mapping[str, str]
    notes: list[str] = field(default_factory=list)


def read_dates(texts: Iterable[str], title: str = "date") -> ColumnDates:
    """The dates of a column. texts: its cells, without the empty ones; title: what notes call them."""
    listed = list(dict.fromkeys(texts))
    days = {text: day for text in listed if (day := whole_date(text)) is not None}
    rest = [text for text in listed if text not in days]
    missing = frozenset(text for text in rest if text.strip().casefold() in MISSING)
    partial = frozenset(text for text in rest if text not in missing and is_partial_date(text))
    wrong = {text: why_no_date(text) for text in rest if text not in missing | partial}
    found, reasons, notes = _year_last([text for text in wrong if _YEAR_LAST.fullmatch(text)], title)
    more, cut = _year_first(listed, [text for text in wrong if _YEAR_FIRST.fullmatch(text)])
    days |= found | more
    wrong = {text: why for text, why in (wrong | reasons | cut).items() if text not in days}
    return ColumnDates(days, partial, missing, wrong, notes)


def year_of_birth(text: str | None) -> int | None:
    """The year of a date whose day and month stand in either order; None where it is no such date."""
    match = _YEAR_LAST.fullmatch((text or "").strip()) or _YEAR_FIRST.fullmatch((text or "").strip())
    if match is None:
        return None
    is_last = match.re is _YEAR_LAST
    year = int(match[4] if is_last else match[1])
    parts = (int(match[1]), int(match[3])) if is_last else (int(match[4]), int(match[3]))
    orders = (parts, parts[::-1]) if is_last else (parts,)
    return year if any(_day(year, month, day) for day, month in orders) else None


def is_dated(text: str) -> bool:
    """Whether the text is a whole date in any order and with zeros in front or not."""
    return whole_date(text) is not None or year_of_birth(text) is not None


def _year_last(texts: list[str], title: str) -> tuple[dict[str, date], dict[str, str], list[str]]:
    """Days of dates such as 25/02/2014, why others cannot be used, and which order was taken."""
    readings: dict[str, dict[str, date]] = {}
    for text in texts:
        match = _YEAR_LAST.fullmatch(text)
        assert match is not None
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        pairs = {DAY_FIRST: (second, first), MONTH_FIRST: (first, second)}
        readings[text] = {
            order: day for order, (month, of) in pairs.items() if (day := _day(year, month, of)) is not None
        }
    sure = {
        order: next((text for text in texts if list(readings[text]) == [order]), None)
        for order in (DAY_FIRST, MONTH_FIRST)
    }
    impossible = {text: "is not a date (2014-01-31)" for text in texts if not readings[text]}
    examples = [text for text in sure.values() if text]
    if len(examples) > 1:
        why = f"could be day/month or month/day, the column has both ({' and '.join(examples)})"
        return {}, dict.fromkeys(texts, f"{why}; write 2014-01-31") | impossible, []
    if not examples:
        return {}, impossible, []
    order = DAY_FIRST if sure[DAY_FIRST] else MONTH_FIRST
    found = {text: days[order] for text, days in readings.items() if order in days}
    several = [text for text in found if len(readings[text]) > 1]
    note = f"{title} with slashes is read as {order}: {examples[0]} can be nothing else"
    return found, impossible, [f"{note}, so {several[0]} is {found[several[0]]}" if several else note]


def _year_first(texts: list[str], short: list[str]) -> tuple[dict[str, date], dict[str, str]]:
    """Days of dates without zeros in front, such as 2014-1-2, and why others cannot be used."""
    matches = {text: match for text in texts if (match := _YEAR_FIRST.fullmatch(text)) is not None}
    padded = next((text for text, match in matches.items() if _has_zero(match)), None)
    days = {
        text: day
        for text in short
        if (day := _day(int(matches[text][1]), int(matches[text][3]), int(matches[text][4]))) is not None
    }
    if padded is None:
        return days, {}
    return {}, {
        text: f"is shorter than {padded} of the same column, and may be cut; write {day}"
        if text != padded
        else f"may be cut: its month has a zero in front and its day is short; write {day}"
        for text, day in days.items()
    }


def _has_zero(match: re.Match[str]) -> bool:
    return match[3].startswith("0") or match[4].startswith("0")


def _day(year: int, month: int, day: int) -> date | None:
    return whole_date(f"{year:04d}-{month:02d}-{day:02d}")
