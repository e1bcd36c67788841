"""Dates as trials write them: whole, partial, with a time, or in words."""

from __future__ import annotations

import re
from datetime import date, datetime

ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?")
PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}|-|UN|UNK))?(?:-(\d{2}|-|UN|UNK|--))?", re.IGNORECASE)
FORMATS = ("%d%b%Y", "%d-%b-%Y", "%d %b %Y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d", "%d %B %Y")
DAYS_A_YEAR = 365.25


def whole_date(text: str | None) -> date | None:
    """The day that the text names, None where it is partial or no date.

    Understood: 2014-01-02 (with or without a time), 02JAN2014, 2-Jan-2014, 02.01.2014, 2014/01/02, 20140102.
    Day/month with slashes is not: nobody can tell 3/4 from 4/3.
    """
    text = (text or "").strip()
    match = ISO.fullmatch(text)
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
    for form in FORMATS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def is_partial_date(text: str | None) -> bool:
    """Whether the text is a date of which the day, or day and month, are unknown: 2014-01, 2014, 2014--02."""
    return bool(PARTIAL.fullmatch((text or "").strip())) and whole_date(text) is None


def year_of(text: str | None) -> int | None:
    """The year of a whole or partial date."""
    day = whole_date(text)
    if day is not None:
        return day.year
    return int(text.strip()[:4]) if text and is_partial_date(text) else None


def study_day_to_days(study_day: int) -> int:
    """CDISC study days have no day 0: day 1 is baseline. Days from baseline: 1 -> 0, 14 -> 13, -1 -> -1."""
    return study_day - 1 if study_day >= 1 else study_day


def birth_year_from_age(age_years: float, at: date) -> int:
    """The likeliest year of birth: on average a person of age n is n and a half."""
    return int((at.year + (at.timetuple().tm_yday - 1) / DAYS_A_YEAR) - age_years - 0.5)
