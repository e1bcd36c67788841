"""Workbooks (XLSX, XLSM) to a frame of text cells: what a person sees on the sheet, or a refusal by cell.

- Only cells that hold something count; what a sheet states as its size is not looked at.
- A sheet that is hidden is never chosen by the program. Of several visible ones that hold something, the one
  whose header has the needed columns is read; else a person says which.
- The header is the first row that holds something, or within the first rows the one that has the needed
  columns. Names in merged cells above it are put together with it.
- A formula whose value was never stored, and an error such as #N/A, are listed as broken: whoever needs that
  column refuses them. Hidden rows and columns are read, and noted.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from data.tables.formats.archive import check_archive
from data.tables.formats.options import Fits, TableOptions

if TYPE_CHECKING:
    import pandas as pd

MAX_CELLS = 10_000_000  # of a sheet, counted up to the last used one of each row
SEARCHED = 20  # rows among which the header is looked for
MAX_DEPTH = 3  # rows of a header
SHOWN = 5
REMEMBERED = 100_000
SHOWN_ZEROS = re.compile(r'((?:"[^"]*"|\\.|[- /])*0(?:"[^"]*"|\\.|[- /0])*0)')  # 000, "S-"000, 00-000
TOKEN = re.compile(r'"([^"]*)"|\\(.)|(.)')


@dataclass
class Sheet:
    """What a sheet holds. rows: (row number, texts up to the last used column), rows without any left out.

    broken: (row, column) -> what the cell holds in place of a value. merged: (first column, first row, last
    column, last row). hidden_rows: those that hold something.
    """

    title: str
    is_hidden: bool
    rows: list[tuple[int, list[str | None]]] = field(default_factory=list)
    broken: dict[tuple[int, int], str] = field(default_factory=dict)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    is_filtered: bool = False

    def cell(self, row: int, column: int) -> str:
        """``Scores!C2``."""
        return f"{self.title}!{letters(column)}{row}"

    def range(self, merged: tuple[int, int, int, int]) -> str:
        """``C1:N1``."""
        return f"{letters(merged[0])}{merged[1]}:{letters(merged[2])}{merged[3]}"


@dataclass(frozen=True)
class Header:
    """Names of the columns, the first and last row that they stand in."""

    names: list[str]
    first: int
    last: int


@dataclass(frozen=True)
class Found:
    """A sheet and its header, and whether that has the columns that are needed."""

    sheet: Sheet
    header: Header
    fits: bool


def read_workbook(
    path: Path, options: TableOptions, fits: Fits | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of the chosen sheet (index = data row number), and where its cells stand.

    The second has ``sheet``, ``columns`` (name -> letters), ``above`` (rows above data row 1), ``broken``
    (name -> data row -> what the cell holds) and ``notes``.
    Raises InputError where no sheet or no header can be chosen, and for merged cells among the data.
    """
    import openpyxl

    check_archive(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            found, notes = _choose(book, path, options.sheet, fits)
        finally:
            book.close()
    frame, columns = _frame(found, path)
    sheet, above = found.sheet, found.header.last
    broken: dict[str, dict[int, str]] = {}
    for (row, column), what in sheet.broken.items():
        name = found.header.names[column - 1] if column <= len(found.header.names) else ""
        if row > above and name:
            broken.setdefault(name, {})[row - above] = what
    origin = {"sheet": sheet.title, "columns": columns, "above": above, "broken": broken}
    return frame, origin | {"notes": [*notes, *_notes(found)]}


def letters(column: int) -> str:
    """The letters of a column number: 1 is A, 16384 is XFD."""
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(column)) if column <= 18278 else f"column {column} "


def _choose(book: Any, path: Path, name: str, fits: Fits | None) -> tuple[Found, list[str]]:
    """The sheet to read with its header, and what to say about the choice."""
    sheets = book.worksheets
    if name:
        sheet = _read(book, _named_sheet(sheets, name, path), path)
        if not sheet.rows:
            raise InputError(f"{path.name}: sheet {sheet.title} is empty", "rows are needed", "name another")
        return _found(sheet, fits), [f"sheet {sheet.title} is hidden"] if sheet.is_hidden else []
    found = _filled([sheet for sheet in sheets if sheet.sheet_state == "visible"], book, path, fits)
    hidden = [sheet for sheet in sheets if sheet.sheet_state != "visible"]
    if not any(one.fits for one in found):
        _say_hidden(_filled(hidden, book, path, fits), found, path)
    if not found:
        raise InputError(f"{path.name}", "its first sheet is empty", "write a header and rows into it")
    fitting = [one for one in found if one.fits] if len(found) > 1 and fits else found
    if len(fitting) != 1:
        which = "several sheets have" if fitting else "no sheet has"
        raise InputError(
            f"{path.name} has the sheets {', '.join(one.sheet.title for one in found)}",
            f"{which} the columns that are needed" if fits else "one of them is needed",
            f"name one with --sheet {(fitting or found)[0].sheet.title!r}",
        )
    titles = ", ".join(sheet.title for sheet in sheets)
    says = [f"read from sheet {fitting[0].sheet.title} of {titles}"] if len(sheets) > 1 else []
    return fitting[0], says


def _filled(sheets: list[Any], book: Any, path: Path, fits: Fits | None) -> list[Found]:
    """Those of the sheets that hold something, with their headers."""
    read = [_read(book, sheet, path) for sheet in sheets]
    return [_found(sheet, fits) for sheet in read if sheet.rows]


def _say_hidden(hidden: list[Found], visible: list[Found], path: Path) -> None:
    """Raises InputError where only a hidden sheet has what is needed: a person must name it."""
    wanted = [one.sheet.title for one in hidden if one.fits]
    if wanted:
        what = (
            "no visible sheet has the columns that are needed"
            if visible
            else "no visible sheet holds anything"
        )
        raise InputError(
            f"{path.name}: {what}, hidden are {', '.join(wanted)}",
            "a sheet that can be seen is needed",
            f"name the hidden one with --sheet {wanted[0]!r}",
        )


def _named_sheet(sheets: list[Any], name: str, path: Path) -> Any:
    exact = [sheet for sheet in sheets if sheet.title == name]
    alike = [sheet for sheet in sheets if sheet.title.strip().casefold() == name.strip().casefold()]
    found = exact or alike
    if len(found) != 1:
        raise InputError(
            f"--sheet {name}",
            f"{path.name} has the sheets {', '.join(sheet.title for sheet in sheets)}",
            "name one of these",
        )
    return found[0]


def _read(book: Any, source: Any, path: Path) -> Sheet:
    """The cells of a sheet as text. Raises InputError where there are too many."""
    sheet = Sheet(source.title, source.sheet_state != "visible")
    cells = 0
    texts = _Texts(book)
    with source._get_source() as content:
        parser = _parser(book, source, content)
        for row, parsed in parser.parse():
            line: list[str | None] = []
            for cell in parsed:
                text = texts.of(cell)
                if cell["data_type"] in ("e", "uncalculated") and text is not None:
                    sheet.broken[cell["row"], cell["column"]] = text
                if text is not None:
                    line.extend([None] * (cell["column"] - len(line)))
                    line[cell["column"] - 1] = text
            if line and sheet.rows and row <= sheet.rows[-1][0]:
                raise InputError(
                    f"{path.name}: sheet {sheet.title} has row {row} twice",
                    "rows in order are needed",
                    "save it again",
                )
            cells += len(line)
            if cells > MAX_CELLS:
                raise InputError(
                    f"{path.name}: sheet {sheet.title} uses more than {MAX_CELLS} cells",
                    "fewer are read from a workbook",
                    "save it as CSV or Parquet",
                )
            if line:
                sheet.rows.append((row, line))
    _keep_layout(sheet, parser)
    return sheet


def _parser(book: Any, source: Any, content: Any) -> Any:
    """openpyxl's parser of a sheet, which takes a formula without a stored value for an empty cell."""
    from openpyxl.worksheet import _reader

    class Parser(_reader.WorkSheetParser):  # type: ignore[misc]
        def parse_cell(self, element: Any) -> dict[str, Any]:
            cell: dict[str, Any] = super().parse_cell(element)
            formula = element.find(_reader.FORMULA_TAG)
            if formula is not None and cell["value"] is None and not _is_empty_text(element):
                cell["data_type"], cell["value"] = "uncalculated", f"={formula.text or ''}"
            return cell

    def _is_empty_text(element: Any) -> bool:
        return element.get("t") == "str" and element.find(_reader.VALUE_TAG) is not None

    return Parser(
        content,
        source._shared_strings,
        data_only=True,
        epoch=book.epoch,
        date_formats=book._date_formats,
        timedelta_formats=book._timedelta_formats,
    )


def _keep_layout(sheet: Sheet, parser: Any) -> None:
    """Merged cells, and what is hidden."""
    ranges = parser.merged_cells.mergeCell if parser.merged_cells is not None else []
    spread = [one.bounds for one in ranges if one.min_row < one.max_row or one.min_col < one.max_col]
    sheet.merged = sorted(spread, key=lambda one: (one[1], one[0]))
    hidden = {
        int(row) for row, attributes in parser.row_dimensions.items() if _is_true(attributes.get("hidden"))
    }
    sheet.hidden_rows = [row for row, _ in sheet.rows if row in hidden]
    sheet.hidden_columns = [
        (int(one["min"]), int(one.get("max", one["min"])))
        for one in parser.column_dimensions.values()
        if _is_true(one.get("hidden"))
    ]
    sheet.is_filtered = getattr(parser, "auto_filter", None) is not None


def _is_true(text: str | None) -> bool:
    return text in ("1", "true")


class _Texts:
    """Values of cells as text, with zeros in front where a format shows them; equal texts share memory."""

    def __init__(self, book: Any) -> None:
        self._formats = {
            at: book._number_formats[style.numFmtId - 164]
            for at, style in enumerate(book._cell_styles)
            if 0 <= style.numFmtId - 164 < len(book._number_formats)
        }
        self._shown = {
            at: _tokens(form)
            for at, form in self._formats.items()
            if SHOWN_ZEROS.fullmatch(form.split(";")[0])
        }
        self._known: dict[str, str] = {}

    def of(self, cell: dict[str, Any]) -> str | None:
        """Text without blanks around it, None where there is none."""
        value = cell["value"]
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            tokens = self._shown.get(cell["style_id"])
            if tokens:
                return _shown_as(value, tokens)
        text = value.isoformat() if hasattr(value, "isoformat") else str(value)
        text = text.removesuffix("T00:00:00").strip()
        if len(self._known) < REMEMBERED:
            text = self._known.setdefault(text, text)
        return text or None


def _tokens(form: str) -> list[tuple[str, bool]]:
    """The characters of a number format and whether each is a digit's place."""
    found = []
    for quoted, escaped, plain in TOKEN.findall(form.split(";")[0]):
        found += [(char, False) for char in quoted or escaped] or [(plain, plain == "0")]
    return found


def _shown_as(value: int, tokens: list[tuple[str, bool]]) -> str:
    """A whole number as its format shows it: 7 by ``"S-"000`` is S-007, 1007 by ``00-000`` is 01-007."""
    digits, places = str(value), sum(is_place for _, is_place in tokens)
    digits = digits.rjust(places, "0")
    front, rest = digits[: len(digits) - places], iter(digits[len(digits) - places :])
    shown = ""
    for char, is_place in tokens:
        shown += front + next(rest) if is_place else char
        front = "" if is_place else front
    return shown


def _found(sheet: Sheet, fits: Fits | None) -> Found:
    """The sheet with its header: the first row, or the first of the upper ones that has what is needed."""
    first = _header(sheet, 0)
    if fits is None or fits(first.names):
        return Found(sheet, first, True)
    for at in range(1, min(SEARCHED, len(sheet.rows))):
        header = _header(sheet, at)
        if fits(header.names):
            return Found(sheet, header, True)
    return Found(sheet, first, False)


def _header(sheet: Sheet, at: int) -> Header:
    """The header that begins in this row of ``sheet.rows``, with the rows that merged cells tie to it."""
    first = sheet.rows[at][0]
    touching = [one for one in sheet.merged if one[1] == first]
    depth = max((one[3] - first + 1 for one in touching), default=1)
    below = dict(sheet.rows[at : at + MAX_DEPTH])
    if depth == 1 and touching and _is_all_text(below.get(first + 1)):
        depth = 2
    depth = min(depth, MAX_DEPTH)
    lines = [_spread(sheet, first + step, below.get(first + step, [])) for step in range(depth)]
    width = max(len(line) for line in lines)
    columns = [[(line[at] if at < len(line) else None) or "" for line in lines] for at in range(width)]
    return Header(_joined(columns), first, first + depth - 1)


def _is_all_text(line: list[str | None] | None) -> bool:
    """Whether a row holds names only, no number."""
    filled = [text for text in line or [] if text]
    return bool(filled) and not any(re.fullmatch(r"[-+]?[\d.,]+", text) for text in filled)


def _spread(sheet: Sheet, row: int, line: list[str | None]) -> list[str | None]:
    """The row with the text of each merged cell in all columns that it covers."""
    line = list(line)
    for left, top, right, _ in sheet.merged:
        if top == row and left <= len(line) and line[left - 1] and right - left < 16384:
            line.extend([None] * (right - len(line)))
            line[left - 1 : right] = [line[left - 1]] * (right - left + 1)
    return line


def _joined(columns: list[list[str]]) -> list[str]:
    """One name a column: the lowest text of each, with those above it where that occurs twice."""
    lowest = [next((text for text in reversed(texts) if text), "") for texts in columns]
    names = []
    for name, texts in zip(lowest, columns, strict=True):
        parts = dict.fromkeys(text for text in texts if text)
        names.append(" ".join(parts) if name and lowest.count(name) > 1 else name)
    return names


def _frame(found: Found, path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """The rows under the header, and the letters of each column."""
    import pandas as pd

    from data.tables.formats.headers import named

    sheet, header = found.sheet, found.header
    _check_header(found, path)
    body = [(row, line) for row, line in sheet.rows if row > header.last]
    _check_merged(sheet, header, body, path)
    width = len(header.names)
    for row, line in body:
        for at, text in enumerate(line):
            if text and (at >= width or not header.names[at]):
                raise InputError(
                    f"{path.name}: {sheet.cell(row, at + 1)} holds '{text[:40]}' and its column has no name",
                    "each needs one",
                    "write the header, or empty the cell",
                )
    columns = {
        at: pd.array([line[at] if at < len(line) else None for _, line in body], dtype="str")
        for at in range(width)
    }
    index = pd.Index([row - header.last for row, _ in body], dtype="int64", name="row")
    frame = named(pd.DataFrame(columns, index=index), header.names, path)
    return frame, {name: letters(at + 1) for at, name in enumerate(header.names) if name}


def _check_header(found: Found, path: Path) -> None:
    """Refuses a header of merged cells that does not give the names that are needed."""
    header = found.header
    merged = [one for one in found.sheet.merged if header.first <= one[1] <= header.last]
    if merged and not found.fits:
        raise InputError(
            f"{path.name}: the header of sheet {found.sheet.title} has merged cells "
            f"({_some(found.sheet.range(one) for one in merged)})",
            f"they give the columns {_some(dict.fromkeys(name for name in header.names if name))}",
            "write one row with a name for each column",
        )


def _check_merged(sheet: Sheet, header: Header, body: list[tuple[int, list[str | None]]], path: Path) -> None:
    """Refuses merged cells among the data: only the first of them holds the value."""
    rows = dict(body)
    for one in sheet.merged:
        left, top, right, _ = one
        line = rows.get(top, [])
        if top > header.last and left <= len(header.names) and any(line[left - 1 : right]):
            raise InputError(
                f"{path.name}: the cells {sheet.title}!{sheet.range(one)} are merged",
                "every row and column needs a value of its own",
                "unmerge them and fill each cell",
            )


def _notes(found: Found) -> list[str]:
    """What a person may not see on the sheet, or may see otherwise."""
    sheet, header = found.sheet, found.header
    notes = []
    if sheet.rows[0][0] != header.first:
        notes.append(f"the header of sheet {sheet.title} is row {header.first}; rows above it are left out")
    rows = [row for row in sheet.hidden_rows if row > header.last]
    if rows:
        why = " (a filter is set)" if sheet.is_filtered else ""
        many = "rows" if len(rows) > 1 else "row"
        listed = _some(map(str, rows))
        notes.append(f"{len(rows)} hidden {many} of sheet {sheet.title}{why} read too: {listed}")
    names = [
        name
        for at, name in enumerate(header.names, start=1)
        if name and any(first <= at <= last for first, last in sheet.hidden_columns)
    ]
    if names:
        notes.append(f"hidden columns of sheet {sheet.title} read too: {_some(names)}")
    return notes


def _some(texts: Any) -> str:
    listed = list(texts)
    return ", ".join(listed[:SHOWN]) + (f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else "")
