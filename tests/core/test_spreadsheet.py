"""Text that no spreadsheet runs as a formula, in CSV and XLSX, and comes back as it was."""

import duckdb
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.spreadsheet import safe_frame, safe_sql, safe_text
from data.tables.files import read_table
from data.tables.xlsx import write_workbook

STARTS = "=+-@\t\r"
formulas = st.tuples(st.sampled_from(STARTS), st.text("abc(1)\"',;=+-@ \t", max_size=8)).map("".join)
texts = st.one_of(formulas, st.text(max_size=8), st.sampled_from(["-5", "+1.5", "1e3", "'=1", "''-a"]))


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("-5", "-5"),
        ("+1.5e3", "+1.5e3"),
        ("-4 weeks", "'-4 weeks"),
        ("'=1", "''=1"),
        ("plain", "plain"),
        ("'quoted'", "'quoted'"),
    ],
)
def test_text_that_looks_like_a_formula_is_marked(text, safe):
    assert safe_text(text) == safe


@settings(max_examples=200, deadline=None)
@given(texts)
def test_no_marked_text_begins_like_a_formula_but_numbers(text):
    safe = safe_text(text)
    assert safe[:1] not in STARTS or not safe or is_number(safe)
    assert safe in (text, "'" + text)


@settings(max_examples=50, deadline=None)
@given(st.lists(texts.filter(lambda text: "\0" not in text), min_size=1, max_size=10))
def test_sql_marks_as_python_does(values):
    with duckdb.connect() as connection:
        connection.register("cells", pd.DataFrame({"c": pd.array(values, dtype="str")}))
        found = connection.execute(f"SELECT {safe_sql('c')} FROM cells").fetchall()
    assert [row[0] for row in found] == [safe_text(value) for value in values]


def test_frame_keeps_numbers_and_marks_names_and_categories():
    frame = pd.DataFrame({"=a": [-1.5, 2], "b": ["-x", None], "c": pd.Categorical(["@y", "z"])})
    safe = safe_frame(frame)
    assert list(safe.columns) == ["'=a", "b", "c"]
    assert safe["'=a"].tolist() == [-1.5, 2]
    assert (safe["b"].iloc[0], safe["c"].tolist()) == ("'-x", ["'@y", "z"])
    assert frame["b"].iloc[0] == "-x"


printable = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(printable, st.tuples(st.sampled_from("=+-@#"), printable).map("".join)), min_size=1)
)
def test_workbook_has_no_formula_and_text_comes_back(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("xlsx") / "t.xlsx"
    write_workbook(pd.DataFrame({"=key": "k", "text": values, "number": -1.5}), path)
    rows = list(openpyxl.load_workbook(path).active.iter_rows())
    assert {cell.data_type for row in rows for cell in row} <= {"s", "n"}
    assert all(row[1].data_type == "s" or row[1].value is None for row in rows)
    assert {row[2].value for row in rows[1:]} == {-1.5}
    frame = read_table(path)
    assert list(frame.columns) == ["=key", "text", "number"]
    assert frame["text"].fillna("").tolist() == [value.strip() for value in values]


def test_workbook_takes_no_text_that_a_cell_would_cut(tmp_path):
    with pytest.raises(InputError, match=r"40000 characters in row 2; a cell of a workbook holds 32767"):
        write_workbook(pd.DataFrame({"a": ["x", "x" * 40_000]}), tmp_path / "t.xlsx")


def test_characters_that_a_workbook_cannot_hold_are_replaced(tmp_path):
    write_workbook(pd.DataFrame({"a": ["x\x0by"], "b": [float("inf")]}), tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx")["a"].tolist() == ["x\ufffdy"]
