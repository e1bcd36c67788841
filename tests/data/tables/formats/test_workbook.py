"""Workbooks: which sheet, which header, which cells, and how much of a file is read."""

import datetime
import resource
import time
import zipfile

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font

from core.errors import InputError
from data.tables.files import check_values, has_columns, notes_of, place_of, read_table, text_column
from data.tables.formats.options import TableOptions
from tests.helpers.table_files import changed_part, write_sheets

HEADER = ("subject", "visit", "grade")
ROWS = [HEADER, ("P1", "BL", 1), ("P2", "BL", 2)]


def fits(names):
    return has_columns(names, HEADER)


def book(tmp_path, sheets, states=None):
    path = tmp_path / "b.xlsx"
    write_sheets(path, sheets, states or {})
    return path


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheet_is_never_chosen(tmp_path, state):
    path = book(tmp_path, {"lists": [HEADER, ("X", "BL", 3)], "Scores": ROWS}, {"lists": state})
    for wanted in (None, fits):
        frame = read_table(path, fits=wanted)
        assert frame["subject"].tolist() == ["P1", "P2"]
        assert notes_of(frame) == ["read from sheet Scores of lists, Scores"]


def test_hidden_sheet_alone_needs_to_be_named(tmp_path):
    path = book(tmp_path, {"empty": [], "data": ROWS}, {"data": "hidden"})
    with pytest.raises(InputError, match=r"no visible sheet holds anything, hidden are data.*--sheet 'data'"):
        read_table(path)
    frame = read_table(path, TableOptions(sheet="DATA"))
    assert len(frame) == 2
    assert "sheet data is hidden" in notes_of(frame)


def test_hidden_sheet_that_fits_behind_a_cover_is_named(tmp_path):
    path = book(tmp_path, {"Info": [("made 2024",), (1,)], "data": ROWS}, {"data": "veryHidden"})
    with pytest.raises(InputError, match="no visible sheet has the columns that are needed, hidden are data"):
        read_table(path, fits=fits)
    assert list(read_table(path).columns) == ["made 2024"]


def test_sheet_that_fits_is_chosen_among_several(tmp_path):
    path = book(tmp_path, {"Info": [("Reader export",), ("made 2024",)], "Scores": ROWS, "empty": []})
    assert len(read_table(path, fits=fits)) == 2
    with pytest.raises(InputError, match="has the sheets Info, Scores; one of them is needed"):
        read_table(path)


def test_sheets_that_fit_alike_are_named(tmp_path):
    path = book(tmp_path, {"R1": ROWS, "R2": ROWS})
    with pytest.raises(InputError, match=r"sheets R1, R2; several sheets have.*--sheet 'R1'"):
        read_table(path, fits=fits)
    assert len(read_table(path, TableOptions(sheet="R2"), fits)) == 2
    with pytest.raises(InputError, match=r"--sheet R3; b.xlsx has the sheets R1, R2"):
        read_table(path, TableOptions(sheet="R3"))


def test_sheets_of_which_none_fits_are_named(tmp_path):
    path = book(tmp_path, {"a": [("x", "y"), (1, 2)], "b": [("z",), (1,)]})
    with pytest.raises(InputError, match="sheets a, b; no sheet has the columns"):
        read_table(path, fits=fits)


def test_sheet_belongs_to_workbooks(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"--sheet x; t\.csv is no workbook"):
        read_table(path, TableOptions(sheet="x"))


def test_title_rows_above_the_header_are_left_out_and_noted(tmp_path):
    path = book(tmp_path, {"Scores": [("Reader export",), (), ("made", "2024"), *ROWS]})
    frame = read_table(path, fits=fits)
    assert (list(frame.index), frame["grade"].tolist()) == ([1, 2], ["1", "2"])
    assert notes_of(frame) == ["the header of sheet Scores is row 4; rows above it are left out"]
    assert place_of(frame, 2, "grade") == "Scores!C6"


def merged_book(tmp_path, rows, ranges):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for one in ranges:
        made.active.merge_cells(one)
    made.save(tmp_path / "m.xlsx")
    return tmp_path / "m.xlsx"


def test_two_row_header_is_put_together(tmp_path):
    rows = [
        ["subject", "visit", "Cervical", None, "Lumbar"],
        [None, None, "C2I", "C3S", "L1S"],
        ["P1", "BL", 1, 2, 3],
    ]
    for ranges in (["A1:A2", "B1:B2", "C1:D1"], ["C1:D1"]):
        frame = read_table(merged_book(tmp_path, rows, ranges))
        assert list(frame.columns) == ["subject", "visit", "C2I", "C3S", "L1S"]
        assert (frame.loc[1].tolist(), place_of(frame, 1, "C3S")) == (["P1", "BL", "1", "2", "3"], "Sheet!D3")


def test_names_that_occur_twice_get_the_text_above_them(tmp_path):
    rows = [
        ["subject", "Right", None, "Left", None],
        [None, "MCP1", "MCP2", "MCP1", "MCP2"],
        ["P1", 1, 2, 3, 4],
    ]
    frame = read_table(merged_book(tmp_path, rows, ["A1:A2", "B1:C1", "D1:E1"]))
    assert list(frame.columns) == ["subject", "Right MCP1", "Right MCP2", "Left MCP1", "Left MCP2"]


def test_merged_header_without_the_needed_names_names_its_cells(tmp_path):
    rows = [["who", "Baseline", None], [None, "R1", "R2"], ["P1", 1, 2]]
    with pytest.raises(
        InputError, match=r"has merged cells \(A1:A2, B1:C1\); they give the columns who, R1, R2"
    ):
        read_table(merged_book(tmp_path, rows, ["A1:A2", "B1:C1"]), fits=fits)


def test_merged_cells_among_the_data_are_refused_by_range(tmp_path):
    rows = [list(HEADER), ["P1", "BL", 1], [None, "W52", 2], ["P2", "BL", 1]]
    with pytest.raises(InputError, match=r"the cells Sheet!A2:A3 are merged"):
        read_table(merged_book(tmp_path, rows, ["A2:A3"]))
    assert len(read_table(merged_book(tmp_path, rows, ["F7:G9"]))) == 3


def test_value_without_a_header_is_refused_by_cell(tmp_path):
    path = book(tmp_path, {"S": [("a", "b"), (1, 2, None, "note")]})
    with pytest.raises(InputError, match="S!D2 holds 'note' and its column has no name"):
        read_table(path)


def test_formula_without_a_value_is_refused_where_it_is_needed(tmp_path):
    path = book(tmp_path, {"S": [HEADER, ("P1", "BL", "=MAX(2,3)"), ("P2", "BL", 1)]})
    frame = read_table(path)
    with pytest.raises(InputError, match=r"S!C2 \(=MAX\(2,3\)\)"):
        check_values(frame, ["grade"])
    with pytest.raises(InputError, match="S!C2"):
        text_column(frame, "grade")
    check_values(frame, ["subject", "visit"])
    check_values(frame[frame["subject"] == "P2"], ["grade"])


def test_stored_value_of_a_formula_is_taken(tmp_path):
    path = book(tmp_path, {"S": [HEADER, ("P1", "BL", "=MAX(2,3)"), ("P2", "BL", '=""')]})
    changed_part(
        path,
        "xl/worksheets/sheet1.xml",
        '<c r="C2"><f>MAX(2,3)</f><v />',
        '<c r="C2"><f>MAX(2,3)</f><v>3</v>',
    )
    changed_part(path, "xl/worksheets/sheet1.xml", '<c r="C3">', '<c r="C3" t="str">')
    frame = read_table(path)
    check_values(frame, HEADER)
    assert frame["grade"].fillna("").tolist() == ["3", ""]


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?"])
def test_error_is_refused_by_cell_where_it_is_needed(tmp_path, error):
    path = book(tmp_path, {"S": [HEADER, ("P1", "BL", error), ("P2", "BL", 1)]})
    frame = read_table(path)
    check_values(frame, ["subject"])
    with pytest.raises(InputError, match=r"S!C2"):
        check_values(frame, ["grade"])


def test_hidden_rows_columns_and_filters_are_noted(tmp_path):
    made = openpyxl.Workbook()
    for row in [*ROWS, ("P3", "BL", 0)]:
        made.active.append(row)
    made.active.row_dimensions[3].hidden = True
    made.active.column_dimensions["B"].hidden = True
    made.active.auto_filter.ref = "A1:C4"
    made.save(tmp_path / "h.xlsx")
    frame = read_table(tmp_path / "h.xlsx")
    assert len(frame) == 3
    assert notes_of(frame) == [
        "1 hidden row of sheet Sheet (a filter is set) read too: 3",
        "hidden columns of sheet Sheet read too: visit",
    ]


@pytest.mark.parametrize("epoch", [1900, 1904])
def test_cells_keep_what_they_show(tmp_path, epoch):
    made = openpyxl.Workbook()
    if epoch == 1904:
        made.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    made.active.append(["when", "number", "text", "flag", "padded", "share"])
    made.active.append([datetime.date(2024, 2, 29), 7.0, "007", True, 7, 0.25])
    made.active["E2"].number_format = "0000"
    made.active["C2"].font = Font(bold=True)
    made.save(tmp_path / "d.xlsx")
    assert read_table(tmp_path / "d.xlsx").loc[1].tolist() == [
        "2024-02-29",
        "7",
        "007",
        "True",
        "0007",
        "0.25",
    ]


@pytest.mark.parametrize("stated", ["A1", "A1:A2", "A1:XFD1048576", "B2:B2"])
def test_stated_size_of_a_sheet_is_not_looked_at(tmp_path, stated):
    path = book(tmp_path, {"S": ROWS})
    changed_part(
        path, "xl/worksheets/sheet1.xml", '<dimension ref="A1:C3" />', f'<dimension ref="{stated}" />'
    )
    assert read_table(path)["grade"].tolist() == ["1", "2"]


@pytest.mark.parametrize("cell", ["XFD1048576", "A1048576", "XFD2"])
def test_formatted_empty_cell_far_away_costs_nothing(tmp_path, cell):
    made = openpyxl.Workbook()
    for row in ROWS:
        made.active.append(row)
    made.active[cell].font = Font(bold=True)
    made.save(tmp_path / "far.xlsx")
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert len(read_table(tmp_path / "far.xlsx")) == 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000
    assert time.process_time() - start < 5


def test_document_type_in_a_part_is_refused(tmp_path):
    path = book(tmp_path, {"S": ROWS})
    changed_part(path, "xl/worksheets/sheet1.xml", "<worksheet", '<!DOCTYPE w [<!ENTITY a "b">]><worksheet')
    with pytest.raises(InputError, match="declares a document type"):
        read_table(path)


def test_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = book(tmp_path, {"S": ROWS})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet2.xml", b" " * (64 << 20))
    with pytest.raises(InputError, match=r"unpacks to 64 MB.*at most 1024 MB"):
        read_table(path)


def test_more_cells_than_the_limit_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("data.tables.formats.workbook.MAX_CELLS", 5)
    with pytest.raises(InputError, match="uses more than 5 cells"):
        read_table(book(tmp_path, {"S": ROWS}))


@pytest.mark.parametrize("ending", [".xls", ".ods", ".xlsb", ".numbers", ".sav", ".json"])
def test_other_kinds_of_sheets_are_refused_by_name(tmp_path, ending):
    path = tmp_path / f"scores{ending}"
    path.write_bytes(b"x")
    with pytest.raises(InputError, match=rf"scores{ending} is .*(save|export)"):
        read_table(path)


def test_old_workbook_under_the_new_ending_is_named(tmp_path):
    path = tmp_path / "old.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    with pytest.raises(InputError, match="an old Excel workbook, or one with a password"):
        read_table(path)


cell_values = st.one_of(st.integers(-5, 500), st.text("abc 0.", max_size=4), st.none(), st.booleans())


@settings(max_examples=40, deadline=None)
@given(
    others=st.lists(
        st.tuples(
            st.lists(st.lists(cell_values, min_size=1, max_size=4), max_size=4),
            st.sampled_from(["visible", "hidden", "veryHidden"]),
        ),
        max_size=3,
    ),
    place=st.integers(0, 3),
    above=st.lists(st.lists(cell_values, max_size=2), max_size=3),
)
def test_the_one_visible_table_is_found_whatever_lies_beside_it(tmp_path_factory, others, place, above):
    listed = [(f"other{number}", rows, state) for number, (rows, state) in enumerate(others)]
    listed.insert(min(place, len(listed)), ("Scores", [*above, *ROWS], "visible"))
    path = tmp_path_factory.mktemp("book") / "b.xlsx"
    write_sheets(path, {name: rows for name, rows, _ in listed}, {name: state for name, _, state in listed})
    frame = read_table(path, fits=fits)
    assert frame[list(HEADER)].to_numpy().tolist() == [["P1", "BL", "1"], ["P2", "BL", "2"]]
    assert isinstance(frame.index, pd.Index) and list(frame.index) == [1, 2]


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ('"S-"000', ["S-007", "S-1007"]),
        ("\\S000", ["S007", "S1007"]),
        ("00-000", ["00-007", "01-007"]),
        ("000-0000", ["000-0007", "000-1007"]),
        ("000;-000", ["007", "1007"]),
        ("0.00", ["7", "1007"]),
        ('0" mm"', ["7", "1007"]),
        ("#,##0", ["7", "1007"]),
    ],
)
def test_a_number_stands_as_its_format_shows_it_where_that_is_zeros_and_signs(tmp_path, form, shown):
    book, path = openpyxl.Workbook(), tmp_path / "b.xlsx"
    book.active.append(["subject", "grade"])
    for row, value in enumerate((7, 1007), start=2):
        book.active.append([value, 1])
        book.active.cell(row, 1).number_format = form
    book.save(path)
    assert list(read_table(path)["subject"]) == shown
