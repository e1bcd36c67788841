"""Dates of a column: what the others decide is read so, and said; what they do not is refused."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.tables.adam import as_totals
from data.tables.covariates import choose
from data.tables.date_columns import read_dates, year_of_birth
from data.tables.subjects import read_subjects

DATES = st.dates(date(1900, 1, 1), date(2100, 12, 31))
COLUMNS = st.lists(DATES, min_size=1, max_size=8, unique=True)
LAST = {"day/month/year": "{d:%d}{s}{d:%m}{s}{d:%Y}", "month/day/year": "{d:%m}{s}{d:%d}{s}{d:%Y}"}


@given(COLUMNS, st.sampled_from(list(LAST)), st.sampled_from("/-"))
def test_one_day_above_12_decides_the_order_of_its_column(days, order, separator):
    texts = {LAST[order].format(d=day, s=separator): day for day in days}
    found = read_dates(texts)
    if any(day.day > 12 for day in days):
        assert found.days == texts and not found.wrong
        assert order in found.notes[0]
    else:
        assert not found.days
        assert all("could be day/month or month/day" in found.wrong[text] for text in texts)


@given(st.dates(date(1900, 1, 13), date(2100, 12, 31)), st.dates(date(1900, 1, 13), date(2100, 12, 31)))
def test_a_column_with_both_orders_is_refused_with_both(first, second):
    first, second = first.replace(day=13), second.replace(day=14)
    texts = [f"{first:%d/%m/%Y}", f"{second:%m/%d/%Y}"]
    found = read_dates([*texts, "03/02/2014"])
    assert not found.days and set(found.wrong) == {*texts, "03/02/2014"}
    assert texts[0] in found.wrong["03/02/2014"] and texts[1] in found.wrong["03/02/2014"]


@given(COLUMNS, st.sampled_from("-/."))
def test_dates_without_zeros_are_read_unless_one_of_the_column_has_zeros(days, separator):
    short = {f"{day.year}{separator}{day.month}{separator}{day.day}": day for day in days}
    assert read_dates(short).days == short
    padded = f"2014{separator}01{separator}02"
    beside = read_dates([*short, padded])
    cut = {text for text, day in short.items() if min(day.month, day.day) < 10}
    assert set(beside.wrong) == cut - {padded}
    assert all(padded in why for why in beside.wrong.values())


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.data())
def test_a_cut_date_beside_whole_ones_is_never_another(day, data):
    whole = f"{day:%Y-%m-%d}"
    cut = whole[: data.draw(st.integers(1, 9))]
    assert read_dates([cut, whole, "2014-01-02"]).days.get(cut) in (None, day)


def test_words_for_no_date_leave_it_empty_and_are_said():
    table = pd.DataFrame(
        {
            "subject": ["S1", "S2", "S3"],
            "baseline_date": ["NA", "2014-02-01", "."],
            "dob": ["NA", "UNK", "1960-02-03"],
        }
    )
    found = read_subjects(table)
    assert not found.refused and list(found.rows["subject"]) == ["S1", "S2", "S3"]
    assert found.rows["baseline_date"].tolist() == [None, date(2014, 2, 1), None]
    assert "a baseline date counts as missing: 'NA' in row 0, '.' in row 2" in found.notes


@given(DATES)
def test_of_a_birth_date_the_year_counts_whatever_the_order(day):
    for form in ("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y"):
        assert year_of_birth(day.strftime(form)) == day.year
    assert year_of_birth(f"{day.year}/{day.month}/{day.day}") == day.year


@pytest.mark.parametrize("text", ["31/31/1950", "00/01/1950", "13/13/1950", "1950/13/2", "soon", None])
def test_these_have_no_year_of_birth(text):
    assert year_of_birth(text) is None


def test_dates_in_any_order_become_no_covariate():
    table = pd.DataFrame({"operated": ["01/02/2014", "03/04/2014", "2014-5-6", "07/08/2013"]})
    kept, ignored = choose(table, ["operated"], {})
    assert not kept and ignored["operated"] == "it holds dates"


def test_analysis_dates_are_decided_by_their_column_and_the_others_are_named():
    rows = pd.DataFrame(
        {
            "USUBJID": ["S1", "S1", "S2", "S2"],
            "AVAL": ["1", "2", "1", "3"],
            "ABLFL": ["Y", None, "Y", None],
            "ADT": ["01/02/2014", "01/30/2014", "01/05/2014", "2014-02"],
        },
        index=pd.Index([1, 2, 3, 4], name="row"),
    )
    table, notes = as_totals(rows, "adqs.csv")
    assert table["days"].tolist() == [0, 28, 0, "ADT 2014-02"]
    assert "month/day/year" in notes[-1]
    with pytest.raises(Exception, match="row 1: ADT '01/02/2014' could be day/month"):
        as_totals(rows.assign(ADT=["01/02/2014", "02/02/2014", "01/05/2014", None]), "adqs.csv")


def test_derived_records_of_an_analysis_table_are_said():
    rows = pd.DataFrame({"USUBJID": "S1", "AVAL": ["1", "2", "2"], "ADY": ["1", "365", "729"]})
    _, notes = as_totals(rows.assign(DTYPE=[None, None, "LOCF"]), "adqs.csv")
    assert "1 of 3 rows are derived records (DTYPE: LOCF)" in notes[-1]
    assert "--where DTYPE=" in notes[-1]
    _, notes = as_totals(rows.assign(DTYPE=None), "adqs.csv")
    assert not any("derived" in note for note in notes)
