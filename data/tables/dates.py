"""Dates as trials write them: whole, partial, with a time, or in words. What is missing is never filled up.

A form that could be cut short into another whole date is understood in full length only: 2014/01/02, not
2014/1/2; a number is a date with eight digits, not with seven. What the other dates of a column say about
such a cell is known to ``data.tables.date_columns``.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

FIRST_YEAR, LAST_YEAR = 1850, 2150
DAYS_A_YEAR = 365.25
_EXCEL_ZERO = date(1899, 12, 30)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"), ("feb", "february"), ("mar", "march"), ("apr", "april"), ("may",),
            ("jun", "june"), ("jul", "july"), ("aug", "august"), ("sep", "sept", "september"),
            ("oct", "october"), ("nov", "november"), ("dec", "december"),
        ),
        start=1,
    )
    for name in names
}  # fmt: skip
_UNKNOWN = r"(?:UNK?|NK|ND|XX?|\?\??|00|--?|__|\.\.)"  # in place of a day or a month
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})"
_TIME = (
    r"(?:[T ]\s*(?:(?:\d{1,2}|--?|UNK?)(?::?(?:\d{2}|--?|UNK?)){0,2}(?:[.,]\d+)?\s*(?:[AP]\.?M\.?)?\s*"
    r"(?:Z|UTC|[+-]\d{2}:?\d{2})?)?)?"
)


def _forms(*texts: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(text, re.IGNORECASE | re.ASCII) for text in texts)


_YEAR, _TWO, _ONE_OR_TWO = r"(?P<year>\d{4})", r"\d{2}", r"\d{1,2}"
_WHOLE = _forms(
    rf"{_YEAR}-(?P<number>{_TWO})-(?P<day>{_TWO}){_TIME}",
    rf"{_YEAR}(?P<number>{_TWO})(?P<day>{_TWO})(?:T\d{{2,6}}(?:\.\d+)?Z?)?",
    rf"{_YEAR}/(?P<number>{_TWO})/(?P<day>{_TWO}){_TIME}",
    rf"{_YEAR}\.(?P<number>{_TWO})\.(?P<day>{_TWO})\.?{_TIME}",
    rf"(?P<day>{_ONE_OR_TWO})\.(?P<number>{_ONE_OR_TWO})\.{_YEAR}{_TIME}",
    rf"(?P<day>{_ONE_OR_TWO})[- /]?{_MONTH}[- /]?{_YEAR}(?::\d{{2}}(?::\d{{2}}){{0,2}}(?:\.\d+)?|{_TIME})",
    rf"{_MONTH}\.? (?P<day>{_ONE_OR_TWO}),? {_YEAR}{_TIME}",
    rf"{_YEAR}-{_MONTH}-(?P<day>{_TWO})",
)
_PARTIAL = _forms(
    rf"{_YEAR}(?:T[-:.\d]*)?",
    rf"{_YEAR}[-/]?(?P<number>{_TWO})-?",
    rf"{_YEAR}[-/](?P<number>{_TWO})[-/]{_UNKNOWN}{_TIME}",
    rf"{_YEAR}[-/]?{_UNKNOWN}(?:[-/]?{_UNKNOWN})?{_TIME}",
    rf"{_YEAR}[-/]{_UNKNOWN}[-/](?P<day>{_TWO}){_TIME}",
    rf"{_YEAR}(?P<number>{_TWO})(?:00|UN|XX|--)",
    rf"{_YEAR}[- ]{_MONTH}(?:[- ]{_UNKNOWN})?",
    rf"(?:{_UNKNOWN}[- /.]?)?{_MONTH}[- /.]?,?{_YEAR}",
    rf"{_UNKNOWN}[- /.]?{_UNKNOWN}[- /.]?{_YEAR}",
    rf"(?:{_UNKNOWN}[./-])?(?P<number>{_TWO})[./]{_YEAR}",
    rf"{_UNKNOWN}-(?P<number>{_TWO})-{_YEAR}",
    rf"(?P<day>{_ONE_OR_TWO})[- /.]?{_UNKNOWN}[- /.]?{_YEAR}",
    rf"--(?P<number>{_TWO})-(?P<day>{_TWO}){_TIME}",
    rf"(?P<day>{_TWO})[- ]?{_MONTH}[- ]?(?:UNK?|UNKN|XXXX|\?\?\?\?|----?|0000)?",
)
_DAY_OR_MONTH_FIRST = re.compile(r"\d{1,2}([/-])\d{1,2}\1\d{4}.*", re.ASCII)
_SHORT_YEAR = re.compile(
    rf"\d{{1,2}}[- /]?{_MONTH}[- /]?\d\d(?:[ :].*)?|\d{{1,2}}([./-])\d{{1,2}}\2\d\d(?: .*)?", re.I | re.A
)


def whole_date(text: str | None) -> date | None:
    """The day that the text names, None where it is partial or no date.

    Understood: 2014-01-02 (with or without a time), 02JAN2014 (also with SAS's time), 2-Jan-2014,
    2 January 2014, January 2, 2014, 02.01.2014, 2014/01/02, 20140102. Not understood, because nobody can
    tell: day and month with slashes (3/4 or 4/3), years of two digits, day numbers of a spreadsheet.
    """
    text = (text or "").strip()
    for form in _WHOLE:
        match = form.fullmatch(text)
        if match:
            return _day(match.groupdict())
    return None


def _day(parts: dict[str, str | None]) -> date | None:
    year, day = int(parts["year"] or 0), int(parts["day"] or 0)
    try:
        return date(year, _month(parts), day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None


def _month(parts: dict[str, str | None]) -> int:
    return int(parts.get("number") or _MONTHS.get((parts.get("month") or "").casefold(), 0))


def is_partial_date(text: str | None) -> bool:
    """Whether the text is a date of which day, month or year are unknown.

    2014-01, 201401, 2014, JAN2014, UN-JAN-2014, 2014-UN-UN, 2014---02, --12-01.
    """
    return _partial(text) is not None


def _partial(text: str | None) -> dict[str, str | None] | None:
    text = (text or "").strip()
    if any(form.fullmatch(text) for form in _WHOLE) and whole_date(text) is not None:
        return None
    for form in _PARTIAL:
        match = form.fullmatch(text)
        if match and _can_be(match.groupdict()):
            return match.groupdict()
    return None


def _can_be(parts: dict[str, str | None]) -> bool:
    """Whether what is known of a partial date can be a part of one."""
    year = int(parts.get("year") or FIRST_YEAR)
    number, day = parts.get("number"), parts.get("day")
    has_month = number is None or 1 <= int(number) <= 12
    return FIRST_YEAR <= year <= LAST_YEAR and has_month and (day is None or 1 <= int(day) <= 31)


def year_of(text: str | None) -> int | None:
    """The year of a whole or partial date; None where it is unknown."""
    day = whole_date(text)
    if day is not None:
        return day.year
    year = (_partial(text) or {}).get("year")
    return int(year) if year else None


def why_no_date(text: str) -> str:
    """What is wrong with a text that is neither a whole date nor a partial one, and how to write it."""
    text = text.strip()
    if _DAY_OR_MONTH_FIRST.fullmatch(text):
        return "could be day/month or month/day; write 2014-01-31"
    if _SHORT_YEAR.fullmatch(text):
        return "has a year of two digits; write 2014-01-31"
    if re.fullmatch(r"\d{5}(?:\.\d+)?", text, re.ASCII):
        day = _EXCEL_ZERO + timedelta(days=int(float(text)))
        return f"is a number, perhaps the day number of a spreadsheet ({day}); format the column as dates"
    return "is not a date (2014-01-31)"


def study_day_to_days(study_day: int) -> int:
    """CDISC study days have no day 0: day 1 is baseline. Days from baseline: 1 -> 0, 14 -> 13, -1 -> -1."""
    return study_day - 1 if study_day >= 1 else study_day


def birth_year_from_age(age_years: float, at: date) -> int:
    """The likeliest year of birth: on average a person of age n is n and a half."""
    return int((at.year + (at.timetuple().tm_yday - 1) / DAYS_A_YEAR) - age_years - 0.5)
