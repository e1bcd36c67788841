"""Columns of values: what counts as missing, decimal commas, what a number can be, where a cell stands."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import scores
from core.errors import InputError
from core.scores.ranges import change_range, system_in, total_range
from data.tables.files import read_table
from data.tables.formats.options import TableOptions, missing_codes
from data.tables.limits import limits_of
from data.tables.values import (
    MISSING,
    Problems,
    located,
    note_odd_grades,
    prepared,
    refuse_codes,
    refuse_days,
    refuse_outside,
)
from tests.helpers.table_files import write_sheets


def frame_of(*values, name="total"):
    index = pd.RangeIndex(1, len(values) + 1, name="row")
    return pd.DataFrame({name: pd.array(list(values), dtype="str")}, index=index)


def ready(*values, **options):
    frame, problems = prepared(frame_of(*values), ["total"], TableOptions(**options))
    return frame["total"].astype(object).where(frame["total"].notna(), None).tolist(), problems


@pytest.mark.parametrize("word", ["NA", "n/a", ".", "-", "NE", "Not Done", "missing", ".A", "NaN", "–"])
def test_usual_words_count_as_missing_and_are_noted(word):
    values, problems = ready("1", word, "2")
    assert values == ["1", None, "2"]
    assert problems.notes == [f"total: 1 cell counts as missing ({word})"]


@pytest.mark.parametrize("word", ["ND", "none", "nil", "0", "-9", "999", "x"])
def test_what_can_mean_something_is_no_missing_value_unless_named(word):
    assert ready("1", word)[0] == ["1", word]
    assert ready("1", word, missing=(word.lower(),))[0] == ["1", None]


@pytest.mark.parametrize("code", ["-9", "-9.0", "-9,0", "-09"])
def test_codes_are_compared_as_numbers(code):
    assert ready("1", code, missing=("-9",))[0] == ["1", None]


def test_codes_of_number_columns(tmp_path):
    frame = pd.DataFrame({"total": [1.0, -9.0, None]})
    assert prepared(frame, ["total"], TableOptions(missing=("-9",)))[0]["total"].isna().tolist() == [
        False,
        True,
        True,
    ]


def test_codes_are_split_at_commas():
    assert missing_codes(["-9, 999", "ND", "-9"]) == ("-9", "999", "ND")


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["1,5", "2", "10,25"], ["1.5", "2", "10.25"]),
        (["1,234", "2,5"], ["1.234", "2.5"]),
        (["0,125"], ["0.125"]),
        (["-1,5"], ["-1.5"]),
        (["\u22121,5"], ["-1.5"]),
        (["1234,567"], ["1234.567"]),
    ],
)
def test_decimal_comma_without_doubt_is_read(values, wanted):
    found, problems = ready(*values)
    assert (found, problems.reasons) == (wanted, {})
    assert "decimal commas" in problems.notes[0]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["1,234", "12"], "it may part thousands"),
        (["1,5", "1.5"], "the column has decimal points too"),
    ],
)
def test_comma_in_doubt_is_refused_with_its_value(values, why):
    found, problems = ready(*values)
    assert found == values
    assert problems.reasons == {
        1: f"total '{values[0]}' has a comma: {why}; write a point, or give --decimal , for all"
    }


def test_decimal_sign_that_is_named_decides():
    assert ready("1,234", "12", decimal=",")[0] == ["1.234", "12"]
    assert ready("1.5", "2,5", decimal=",")[1].reasons == {
        1: "total 1.5 has a decimal point, and --decimal , was given"
    }
    assert list(ready("1,5", decimal=".")[1].reasons) == [1]
    with pytest.raises(InputError, match="--decimal x; a point or a comma"):
        TableOptions(decimal="x")


@pytest.mark.parametrize("text", ["1,234.5", "1.234,5", "1 234", "1'234", "1,2,3"])
def test_thousands_are_no_numbers(text):
    found, _ = ready(text, "1")
    assert found == [text, "1"]
    assert pd.isna(pd.to_numeric(pd.Series([text]), errors="coerce")[0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 448).map(lambda value: round(value, 2)), min_size=1, max_size=20))
def test_decimal_comma_never_changes_a_number(numbers):
    values, problems = ready(*[f"{number:.2f}".replace(".", ",") for number in numbers])
    assert [float(value) for value in values] == numbers
    assert not problems.reasons


def outside(values, limit):
    problems = Problems()
    refuse_outside(frame_of(*values), "total", limit, problems)
    return problems.reasons


def test_value_outside_the_range_names_value_and_range():
    limit = total_range(scores.get("msasss"))
    why = "is outside 0 to 72, the range of mSASSS total; if it means missing, give --missing"
    assert outside(["0", "72", "72.5", "-1"], limit) == {3: f"total 72.5 {why} 72.5", 4: f"total -1 {why} -1"}


def test_without_a_system_the_largest_total_of_any_is_the_limit():
    largest = max(system.maximum for system in scores.systems().values())
    assert list(outside(["0", str(largest), str(largest + 1), "999", "-9"], total_range(None))) == [3, 4, 5]


def test_ranges_of_components_rules_and_changes():
    svdh, sparcc = scores.get("mtss"), scores.get("sparcc")
    assert (total_range(svdh).high, total_range(svdh, "erosion").high) == (448, 280)
    assert total_range(sparcc).high == 414
    assert total_range(sparcc, "total", "sparcc.six_worst_each_visit").high == 108
    assert (change_range(total_range(svdh)).low, change_range(total_range(svdh)).high) == (-448, 448)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mSASSS total score", "msasss"),
        ("SPARCCTOT", "sparcc"),
        ("SvdH", "mtss"),
        ("mTSS vs SPARCC", None),
        ("CRP", None),
    ],
)
def test_system_is_found_in_a_parameter(text, name):
    found = system_in(text)
    assert (found.name if found else None) == name


def test_limits_come_from_option_column_or_parameter():
    table = frame_of("1").assign(aval="1", change="1")
    assert limits_of(table, "total", "msasss", is_change=False).high == 72
    assert (
        limits_of(table.assign(system="mtss", component="erosion"), "total", None, is_change=False).high
        == 280
    )
    assert limits_of(table.assign(PARAMCD="MSASSS"), "aval", None, is_change=False).high == 72
    assert limits_of(table, "aval", None, is_change=False) is None
    assert limits_of(table, "total", None, is_change=False).high == 448
    assert limits_of(table, "change", "msasss", is_change=True).low == -72
    with pytest.raises(InputError):
        limits_of(table, "total", "dunno", is_change=False)


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (["1", "2", "3", "-9"], [4]),
        (["1", "2", "30", "99"], [4]),
        (["1", "2", "60", "99"], []),
        (["1", "-2", "3", "-9"], []),
        (["1", "-2", "3", "-99"], [4]),
        (["500", "400", "650", "999"], []),
        (["1", "-9"], []),
    ],
)
def test_codes_stand_out_or_are_values(values, codes):
    problems = Problems()
    refuse_codes(frame_of(*values), "total", problems)
    assert list(problems.reasons) == codes


def test_one_change_below_zero_is_no_code():
    problems = Problems()
    refuse_codes(frame_of("1", "2", "3", "-9"), "total", problems, is_change=True)
    assert not problems.reasons


def test_refused_cell_of_a_workbook_has_its_place(tmp_path):
    write_sheets(tmp_path / "b.xlsx", {"S": [("who", "Points"), ("P1", "x"), ("P2", 1)]})
    frame = read_table(tmp_path / "b.xlsx")
    refused = [{"row": 1, "reason": "total 'x' is not a number"}, {"row": 2, "reason": "nothing"}]
    assert located(refused, frame, {"total": "Points", "subject": "who"}) == [
        {**refused[0], "column": "Points", "cell": "S!B2"},
        refused[1],
    ]


def test_error_that_is_named_as_a_code_is_missing(tmp_path):
    write_sheets(tmp_path / "b.xlsx", {"S": [("who", "total"), ("P1", "#N/A"), ("P2", 1)]})
    frame = read_table(tmp_path / "b.xlsx")
    with pytest.raises(InputError, match="S!B2"):
        prepared(frame, ["total"], TableOptions())
    found = prepared(frame, ["total"], TableOptions(missing=("#N/A",)))[0]["total"]
    assert found.fillna("").tolist() == ["", "1"]


def test_words_for_missing_are_in_small_letters():
    assert all(word == word.casefold() for word in MISSING)


@pytest.mark.parametrize("code", [-9999, -999, -99, 999, 9999, 99999])
def test_codes_among_days_are_refused_and_true_days_are_not(code):
    problems = Problems()
    refuse_days(frame_of("0", "168", "364", str(code), name="days"), "days", problems)
    assert list(problems.reasons) == [4]
    assert "days" in problems.reasons[4] and f"{code}" in problems.reasons[4]


@given(st.lists(st.integers(-90, 3000), min_size=3, max_size=12))
def test_days_of_a_long_study_are_never_refused(days):
    problems = Problems()
    refuse_days(frame_of(*map(str, [*days, 0, 364, 728, 1092, 1456, 2600]), name="days"), "days", problems)
    assert not problems.reasons


def test_day_numbers_of_a_spreadsheet_are_no_days_from_baseline():
    problems = Problems()
    refuse_days(frame_of("41640", "42004", name="days"), "days", problems)
    assert set(problems.reasons) == {1, 2}


@pytest.mark.parametrize("code", ["7", "8", "9", "-1"])
def test_a_likely_code_among_grades_is_said_and_kept(code):
    problems = Problems()
    note_odd_grades(frame_of("0", "1", "2", "3", code, name="rating"), "rating", problems)
    assert not problems.reasons
    assert problems.notes == [
        f"rating {code} (row 5) counts as a value beside 0 to 3; if it means missing, give --missing {code}"
    ]


@pytest.mark.parametrize("values", [("0", "1", "5", "9"), ("0.5", "1", "2", "9"), ("3", "4", "4", "7")])
def test_among_other_numbers_nothing_is_said_of_a_nine(values):
    problems = Problems()
    note_odd_grades(frame_of(*values, name="rating"), "rating", problems)
    assert not problems.notes


@pytest.mark.parametrize("code", ["-97", "-98", "96", "97", "98", "996", "997", "998", "9998", "-9997"])
def test_codes_for_refused_or_not_known_stand_out(code):
    problems = Problems()
    refuse_codes(frame_of("0", "1", "2", "3", code), "total", problems)
    assert list(problems.reasons) == [5]


def test_a_computed_total_just_below_zero_is_said_where_the_score_is_not_known():
    frame, problems = frame_of("0", "-0.1", "-1", "-9"), Problems()
    refuse_outside(frame, "total", total_range(None), problems)
    assert set(problems.reasons) == {3, 4} and "row 2: -0.1" in problems.notes[0]
    known = Problems()
    refuse_outside(frame, "total", total_range(scores.get("msasss")), known)
    assert set(known.reasons) == {2, 3, 4} and not known.notes
