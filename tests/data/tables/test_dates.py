"""Dates: every whole one comes back in every form, and one that was cut short is never another date."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.tables.dates import is_partial_date, whole_date, why_no_date, year_of

DATES = st.dates(date(1900, 1, 1), date(2100, 12, 31))
PADDED = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d%b%Y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%d.%m.%Y",
          "%Y-%b-%d", "%B %d, %Y", "%b %d %Y", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ",
          "%d%b%Y:%H:%M:%S", "%d%b%Y %H:%M", "%Y%m%dT%H%M"]  # fmt: skip
UNKNOWN_DAY = [
    "%Y-%m", "%Y%m", "%b%Y", "%b %Y", "%B %Y", "UN-%b-%Y", "UNK %b %Y", "UN%b%Y", "%Y-%m-UN", "%Y-%m-XX",
    "%Y-%m--", "%Y-%m-00", "%Y%m00", "%m/%Y", "%m.%Y", "--%b-%Y", "00.%m.%Y", "UN/%m/%Y", "%Y-%m-UNT10:00",
]  # fmt: skip
UNKNOWN_MONTH = [
    "%Y", "%Y-UN-UN", "%Y-XX-XX", "%Y---%d", "UN UNK %Y", "UNUNK%Y", "%Y-UNK-%d", "%Y0000", "%d-UNK-%Y",
]  # fmt: skip
UNKNOWN_YEAR = ["--%m-%d"]


def written(day, form, case=str):
    values = {"%Y": f"{day:%Y}", "%m": f"{day:%m}", "%d": f"{day:%d}", "%b": case(f"{day:%b}")}
    values |= {"%B": f"{day:%B}", "%H": "09", "%M": "05", "%S": "07"}
    for code, text in values.items():
        form = form.replace(code, text)
    return form


@given(DATES, st.sampled_from(PADDED), st.sampled_from([str, str.upper, str.lower]))
def test_every_whole_date_comes_back(day, form, case):
    text = written(day, form, case)
    assert whole_date(text) == whole_date(f"  {text} ") == day
    assert not is_partial_date(text)
    assert year_of(text) == day.year


@given(DATES, st.sampled_from(PADDED), st.data())
def test_a_date_that_was_cut_short_is_never_another_date(day, form, data):
    text = written(day, form)
    short = text[: data.draw(st.integers(1, len(text) - 1))]
    assert whole_date(short) in (None, day)
    if is_partial_date(short):
        assert year_of(short) in (None, day.year)


@given(
    DATES, st.sampled_from([*UNKNOWN_DAY, *UNKNOWN_MONTH, *UNKNOWN_YEAR]), st.sampled_from([str, str.upper])
)
def test_a_partial_date_is_never_filled_up(day, form, case):
    text = written(day, form, case)
    assert whole_date(text) is None
    assert is_partial_date(text)
    assert year_of(text) == (None if form in UNKNOWN_YEAR else day.year)


@given(st.integers(0, 10**9).map(str) | st.integers(0, 99999).map(lambda number: f"{number:06d}"))
def test_a_number_is_a_date_with_eight_digits_only(text):
    day = whole_date(text)
    assert day is None or text == f"{day:%Y%m%d}"
    if len(text) in (5, 7) or len(text) > 8:
        assert day is None and not is_partial_date(text)


@given(DATES)
def test_day_and_month_with_slashes_or_two_digit_years_are_refused_with_the_reason(day):
    for form in ("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"):
        text = written(day, form)
        assert whole_date(text) is None and not is_partial_date(text)
        assert "day/month or month/day" in why_no_date(text)
    short = f"{day.year % 100:02d}"
    for text in (
        f"{day:%d%b}{short}",
        f"{day:%d.%m.}{short}",
        f"{day:%m/%d/}{short}",
        f"{day:%d-%b-}{short}",
    ):
        assert whole_date(text) is None and not is_partial_date(text)
        assert "year of two digits" in why_no_date(text)


@given(st.dates(date(1930, 1, 1), date(2100, 1, 1)))
def test_day_numbers_of_a_spreadsheet_are_named_as_such(day):
    text = str((day - date(1899, 12, 30)).days)
    assert whole_date(text) is None and not is_partial_date(text)
    assert f"perhaps the day number of a spreadsheet ({day})" in why_no_date(text)


@pytest.mark.parametrize(
    "text",
    [
        "201413", "2014121", "2014-13", "2014-02-30", "30FEB2014", "2014-01-02/2014-01-05", "0014-01-02",
        "2014-01-02 or later", "2014-W05", "2014-035", "2014/1/2", "2014-1-2", "2014-01-0", "1.5", "soon",
        "UN-UN-UNKN", "",
    ],
)  # fmt: skip
def test_these_are_no_dates(text):
    assert whole_date(text) is None
    assert not is_partial_date(text)
    assert why_no_date(text) == "is not a date (2014-01-31)"
