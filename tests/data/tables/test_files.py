"""Tables that commands and imports read."""

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from data.tables.files import need_columns, number_column, read_table, text_column


def written(tmp_path, content, name="table.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def test_first_data_row_is_row_1(tmp_path):
    frame = read_table(written(tmp_path, "subject,grade\nP1,2\nP2,\n"))
    assert list(frame.index) == [1, 2]
    assert list(frame["subject"]) == ["P1", "P2"]
    assert frame["grade"].isna().tolist() == [False, True]


def test_empty_is_missing_and_na_is_text(tmp_path):
    frame = read_table(written(tmp_path, "subject,grade\nNA,ND\n007,\n"))
    assert list(frame["subject"]) == ["NA", "007"]
    numbers, is_text = number_column(frame, "grade")
    assert numbers.isna().all()
    assert is_text.tolist() == [True, False]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separator_and_encoding_are_recognised(tmp_path, separator, encoding):
    content = f"subject{separator}site\nMüller 1{separator}C2I\n"
    frame = read_table(written(tmp_path, content, encoding=encoding))
    assert frame.to_dict("list") == {"subject": ["Müller 1"], "site": ["C2I"]}


def test_quoted_separator_and_line_break_stay_in_their_cell(tmp_path):
    frame = read_table(written(tmp_path, 'a,"b\nc"\n"1,5","x\ny"\n'))
    assert list(frame.columns) == ["a", "b\nc"]
    assert frame.loc[1].tolist() == ["1,5", "x\ny"]


def test_empty_row_is_left_out_and_rows_keep_their_numbers(tmp_path):
    frame = read_table(written(tmp_path, "a,b\n1,2\n,\n3,4\n,,\n".replace(",,\n", ",\n")))
    assert list(frame.index) == [1, 3]


def test_nameless_empty_columns_go(tmp_path):
    assert list(read_table(written(tmp_path, "a,,b,\n1,,2,\n")).columns) == ["a", "b"]


def test_three_formats_say_the_same(tmp_path):
    source = pd.DataFrame({"subject": ["P1", "P2", "3"], "grade": [0, None, 3], "total": [0.5, 1.0, None]})
    source.to_csv(tmp_path / "t.csv", index=False)
    source.to_excel(tmp_path / "t.xlsx", index=False)
    source.to_parquet(tmp_path / "t.parquet")
    frames = [read_table(tmp_path / f"t.{ending}") for ending in ("csv", "xlsx", "parquet")]
    for frame in frames:
        assert text_column(frame, "subject").tolist() == ["P1", "P2", "3"]
        for column in ("grade", "total"):
            numbers, is_text = number_column(frame, column)
            np.testing.assert_array_equal(numbers, source[column].astype(float))
            assert not is_text.any()


def test_dates_and_numbers_of_a_workbook_become_text(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["when", "number", "share"])
    book.active.append([pd.Timestamp("2024-03-01").to_pydatetime(), 7.0, 0.25])
    book.save(tmp_path / "b.xlsx")
    assert read_table(tmp_path / "b.xlsx").loc[1].tolist() == ["2024-03-01", "7", "0.25"]


def test_categories_and_numbers_of_parquet_become_text(tmp_path):
    source = pd.DataFrame({"a": pd.Categorical(["x ", "y"]), "b": [1.0, 2.0], "c": [True, False]})
    source.to_parquet(tmp_path / "t.parquet")
    frame = read_table(tmp_path / "t.parquet")
    assert text_column(frame, "a").tolist() == ["x", "y"]
    assert text_column(frame, "b").tolist() == ["1", "2"]
    assert number_column(frame, "c")[1].all()


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "1,5", "2x", "--"])
def test_what_is_no_finite_number_is_text(tmp_path, number):
    frame = read_table(written(tmp_path, f'grade\n"{number}"\n'))
    numbers, is_text = number_column(frame, "grade")
    assert np.isnan(numbers[1])
    assert is_text[0]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("", "a.csv", "the file is empty"),
        ("a,b\n", "a.csv", "a header and no rows"),
        ("a,b\n1,2,3\n", "a.csv", "1 line.*2 fields are needed, 3 are there"),
        ("a,b\n1\n", "a.csv", "2 fields are needed, 1 are there"),
        ("a,a\n1,2\n", "a.csv", "two columns a"),
        ("a,\n1,2\n", "a.csv", "column 2 has no name"),
        ("\n1\n", "a.csv", "no column name"),
        (b"a\nM\xfcller\n", "a.csv", "not UTF-8"),
        (b"a,b\0\n1,2\n", "a.csv", "no text"),
        ("a,b\n1,2\n", "a.xlsx", "no workbook"),
        ("a,b\n1,2\n", "a.parquet", "no Parquet file"),
        ("a,b\n1,2\n", "a.sas7bdat", "no SAS file"),
        ("a,b\n1,2\n", "a.xpt", "no SAS transport file"),
        ("a,b\n1,2\n", "a.dat", "a table ends in"),
    ],
)
def test_what_is_no_table_is_said(tmp_path, content, name, message):
    with pytest.raises(InputError, match=message):
        read_table(written(tmp_path, content, name))


def test_missing_file_and_folder_are_said(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="a folder"):
        read_table(tmp_path)


def test_columns_are_found_in_other_case(tmp_path):
    frame = read_table(written(tmp_path, "Subject, GRADE \nP1,1\n"))
    assert list(need_columns(frame, ["subject", "grade"], "x.csv").columns) == ["subject", "grade"]


def test_missing_columns_are_named():
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(InputError, match=r"x.csv has no column subject, grade; it has a;"):
        need_columns(frame, ["subject", "grade", "a"], "dir/x.csv")


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8).map(str.strip)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=6))
def test_text_survives_csv(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    source = pd.DataFrame([("key", *row) for row in rows], columns=["k", "a", "b"])
    source.to_csv(path, index=False)
    frame = read_table(path)
    for column in ("a", "b"):
        assert frame[column].fillna("").tolist() == source[column].tolist()
