"""Delimited text: separators, quotes, encodings and line ends."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.errors import InputError
from data.tables.files import read_table
from data.tables.formats.options import TableOptions

SEPARATORS = [",", ";", "\t", "|"]


def written(tmp_path, content, name="table.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("hint", ["", "sep={}", '"sep={}"', "SEP={}", "sep={},,,"])
def test_separator_is_recognised_with_and_without_a_hint(tmp_path, separator, line_end, hint):
    lines = [*([hint.format(separator)] if hint else []), f"subject{separator}total", f"007{separator}10.5"]
    frame = read_table(written(tmp_path, line_end.join(lines)))
    assert frame.to_dict("list") == {"subject": ["007"], "total": ["10.5"]}
    assert list(frame.index) == [1]


def test_unknown_separator_of_a_hint_is_said(tmp_path):
    with pytest.raises(InputError, match="sep=#; comma, semicolon, tab, bar are understood"):
        read_table(written(tmp_path, "sep=#\na#b\n1#2\n"))


def test_separator_that_fits_the_rows_is_taken_not_the_most_frequent_one(tmp_path):
    frame = read_table(written(tmp_path, "subject;note, with, many, commas\nP1;1\nP2;2\n"))
    assert list(frame.columns) == ["subject", "note, with, many, commas"]


@pytest.mark.parametrize("cut", [0, 1, 2, 5])
def test_quote_that_is_never_closed_names_its_line(tmp_path, cut):
    rows = [f"S{number},R1,0,{number},ok" for number in range(6)]
    rows[cut] = f'S{cut},R1,0,{cut},"film rotated'
    with pytest.raises(InputError, match=rf"line {cut + 2} opens a quote"):
        read_table(written(tmp_path, "\n".join(["subject,reader,days,total,comment", *rows, ""])))


@pytest.mark.parametrize("end", ['"film ok', 'film ok"', '"film" ok'])
def test_second_lost_quote_never_hides_rows(tmp_path, end):
    rows = ["S1,0,1,ok", 'S1,1,2,"film rotated', "S2,0,3,ok", f"S2,1,4,{end}", "S3,0,5,ok"]
    with pytest.raises(InputError, match=r"line 3"):
        read_table(written(tmp_path, "\n".join(["subject,days,total,comment", *rows, ""])))


def test_line_breaks_in_a_quoted_cell_are_kept_where_no_line_is_a_row(tmp_path):
    frame = read_table(written(tmp_path, 'a,b,c\n1,"two\nlines, really",3\n4,5,6\n'))
    assert frame["b"].tolist() == ["two\nlines, really", "5"]


def test_every_line_that_does_not_fit_is_named(tmp_path):
    with pytest.raises(InputError, match=r"3 line\(s\).*\(line 3, 5, 6\).*3 fields are needed, 2 are there"):
        read_table(written(tmp_path, "a,b,c\n1,2,3\n1,2\n1,2,3\n1,2,3,4\n1\n"))


def test_empty_fields_and_lines_behind_the_table_go(tmp_path):
    frame = read_table(written(tmp_path, "a,b\n1,2,,\n3,4\n , ,\n\n   \n5,6,\n"))
    assert frame[["a", "b"]].to_numpy().tolist() == [["1", "2"], ["3", "4"], ["5", "6"]]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp1252", "cp1250"]
)
def test_encoding_is_recognised_by_its_mark_or_named(tmp_path, encoding):
    has_mark = encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32")
    path = written(tmp_path, "subject,arm\nMüller,ä\n", encoding=encoding)
    assert read_table(path, TableOptions(encoding="" if has_mark else encoding))["subject"][1] == "Müller"
    if not has_mark:
        with pytest.raises(InputError, match=r"--encoding (cp1252|utf-16-le)"):
            read_table(path)


def test_byte_that_is_not_utf_8_is_named_with_its_line(tmp_path):
    with pytest.raises(InputError, match=r"line 3, byte 0xFC.*cp1252"):
        read_table(written(tmp_path, b"subject,arm\nP1,A\nM\xfcller,B\n"))


def test_unknown_encoding_is_said():
    for name in ("klingon", "base64", "rot13"):
        with pytest.raises(InputError, match=f"--encoding {name}"):
            TableOptions(encoding=name)


def test_zero_byte_anywhere_is_refused_with_its_line(tmp_path):
    rows = "".join(f"P{number},1\n" for number in range(3000))
    with pytest.raises(InputError, match="line 3002 holds a zero byte"):
        read_table(written(tmp_path, f"subject,total\n{rows}P\0,1\n"))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04rest", "a workbook or zip file"),
        (b"\xd0\xcf\x11\xe0rest", "an old Excel workbook"),
        (b"PAR1rest", "a Parquet file"),
        (b"<html><table>", "a web page"),
        (b"%PDF-1.4", "a PDF"),
    ],
)
def test_other_files_with_the_ending_of_text_are_named(tmp_path, content, what):
    with pytest.raises(InputError, match=what):
        read_table(written(tmp_path, content))


def test_mark_of_text_that_is_no_formula_is_taken_away(tmp_path):
    frame = read_table(written(tmp_path, "subject,'=total\n'=1+1,1\n'-4 weeks,2\n'quoted',3\n"))
    assert list(frame.columns) == ["subject", "=total"]
    assert frame["subject"].tolist() == ["=1+1", "-4 weeks", "'quoted'"]


cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\ufeff", exclude_categories=["Cs"]), max_size=10
)
tables = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=5)
)


@settings(max_examples=150, deadline=None)
@given(
    rows=tables,
    separator=st.sampled_from(SEPARATORS),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    hint=st.booleans(),
)
def test_any_table_of_text_comes_back_the_same(
    tmp_path_factory, rows, separator, quoting, encoding, line_end, hint
):
    rows = [["key", *row] for row in rows]
    assume(not any(cell.strip()[:1] == "'" for row in rows for cell in row))
    assume(not any(spans_rows(row, separator) for row in rows))
    buffer = io.StringIO(newline="")
    if any("\r" in cell or "\n" in cell for row in rows for cell in row):
        quoting = csv.QUOTE_ALL  # Python 3.11 quotes only the line end that it writes
    writer = csv.writer(buffer, delimiter=separator, quoting=quoting, lineterminator=line_end)
    writer.writerow([f"c{number}" for number in range(len(rows[0]))])
    writer.writerows(rows)
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(((f"sep={separator}{line_end}" if hint else "") + buffer.getvalue()).encode(encoding))
    frame = read_table(path)
    found = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    assert found == [[strip_as_arrow(cell) for cell in row] for row in rows]


def strip_as_arrow(cell):
    """White space of Unicode, which Python's strip takes for more than the reader does."""
    import pyarrow
    import pyarrow.compute as pc

    return pc.utf8_trim_whitespace(pyarrow.scalar(cell)).as_py() or None


def spans_rows(row, separator):
    """Whether each line of the record is a row of its own without the quotes: refused on purpose."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator, lineterminator="", quoting=csv.QUOTE_ALL).writerow(row)
    lines = buffer.getvalue().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines) > 1 and all(line.count(separator) == len(row) - 1 for line in lines)


@settings(max_examples=80, deadline=None)
@given(
    count=st.integers(2, 30),
    data=st.data(),
    separator=st.sampled_from(SEPARATORS),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_lost_quote_never_yields_fewer_rows(tmp_path_factory, count, data, separator, line_end):
    texts = [f"film {number}" for number in range(count)]
    lines = [separator.join([f"S{at}", str(at), f'"{text}"']) for at, text in enumerate(texts)]
    at = data.draw(st.integers(0, count - 1))
    which = data.draw(st.sampled_from(["first", "last"]))
    lines[at] = lines[at].replace('"', "", 1) if which == "first" else lines[at][:-1]
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(line_end.join([separator.join(["subject", "days", "comment"]), *lines, ""]).encode())
    try:
        assert len(read_table(path)) == count
    except InputError as error:
        assert f"line {at + 2}" in str(error) or "line" in str(error)


def test_identifiers_keep_zeros_in_front_in_text_and_workbook(tmp_path):
    source = pd.DataFrame({"subject": ["007", "0070", "7"], "total": [1, 2, 3]})
    source.to_csv(tmp_path / "t.csv", index=False)
    source.to_excel(tmp_path / "t.xlsx", index=False)
    source.to_parquet(tmp_path / "t.parquet")
    for ending in ("csv", "xlsx", "parquet"):
        assert read_table(tmp_path / f"t.{ending}")["subject"].tolist() == ["007", "0070", "7"]


@pytest.mark.parametrize("above", ["\n", "\r\n\r\n", ",,\n", " ; \n\n", "sep=,\n\n"])
def test_blank_lines_above_the_header_are_passed_over_and_lines_keep_their_numbers(tmp_path, above):
    path = tmp_path / "a.csv"
    path.write_bytes((above + "a,b,c\n1,2,3\n").encode())
    assert read_table(path).to_dict("records") == [{"a": "1", "b": "2", "c": "3"}]
    path.write_bytes((above + "a,b,c\n1,2,3,4\n").encode())
    line = len(above.splitlines()) + 2
    with pytest.raises(InputError, match=rf"\(line {line}\)"):
        read_table(path)
