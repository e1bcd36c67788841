"""Delimited text to a frame of text cells: a broken quote or line is named, never guessed at.

Separators are comma, semicolon, tab and bar; Excel's first line ``sep=;`` says which. pyarrow parses. Where
the file has quotes, every line is first read with the standard library's strict parser, because a quote that
is never closed swallows rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from data.tables.formats.headers import named, no_names
from data.tables.formats.options import TableOptions

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

SEPARATORS = (",", ";", "\t", "|")
TITLES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
HINT = re.compile(r'\s*"?sep=(.)"?[,;\t|]*[ ]*', re.IGNORECASE)
BLANK_LINES = re.compile(r"(?:[ ,;\t|]*(?:\r\n|\r|\n))+")  # above the header
LOOKED_AT, ROWS_LOOKED_AT = 1 << 20, 50  # bytes and rows that say what the separator is
FIRST = 4096
SHOWN = 5
MAX_FIELD = 1 << 24  # characters
MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
ESCAPED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def read_text(path: Path, options: TableOptions) -> pd.DataFrame:
    """The table in the file, all cells text without blanks around them, empty ones missing.

    An apostrophe before ``= + - @``, which marks text that is no formula, is taken away as Excel does.
    Raises InputError for text that cannot be decoded, a quote that is not closed (with the line where it
    opens), and lines with more or fewer fields than the header (with their numbers).
    """
    import pandas as pd

    content = utf8(path, options.encoding)
    top = content[:LOOKED_AT].decode(errors="ignore")
    hint = _hint(top)
    body = content[len(hint.encode()) :]
    top = body[:LOOKED_AT].decode(errors="ignore")
    blank = re.match(BLANK_LINES, top)
    above = blank[0] if blank else ""
    body, top = body[len(above.encode()) :], top[len(above) :]
    separator = _hinted(hint, path) if hint else _separator(top)
    csv.field_size_limit(MAX_FIELD)
    header = next(csv.reader(io.StringIO(top, newline=""), delimiter=separator), [])
    header = [name.strip()[1:] if ESCAPED.match(name.strip()) else name for name in header]
    named_columns = sum(bool(name.strip()) for name in header)
    if not named_columns or (above and named_columns < 2):
        raise no_names(path)
    offset = len(re.findall(r"\r\n|\r|\n", hint + above))
    lines = _Lines(path, body, separator, len(header), offset)
    has_quotes = b'"' in body or body.count(b"\r") != body.count(b"\r\n")
    frame = None if has_quotes and lines.have_surplus() else _by_arrow(body, separator, len(header))
    if frame is None:
        lines.have_surplus()
        frame = lines.frame()
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return named(frame, header, path)


def utf8(path: Path, encoding: str = "") -> bytes:
    """The text of the file as UTF-8: it is that, or its byte order mark or a person says what else.

    Raises InputError for other text (with the byte and its line), and for what is no text.
    """
    content = path.read_bytes()
    _check_is_text(content, path)
    mark = next((name for start, name in MARKS.items() if content.startswith(start)), "")
    used = mark or encoding or "utf-8"
    try:
        text = content.decode(used)
    except UnicodeError as error:
        raise _undecodable(path, content, used, error) from error
    if "\0" in text:
        if not encoding and _has_many_zeros(content):
            raise _unmarked(path)
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(
            f"{path.name}: line {line} holds a zero byte, this is no text",
            "a table is needed",
            "save it as CSV UTF-8",
        )
    return content if used == "utf-8" else text.removeprefix("\ufeff").encode()


def _check_is_text(content: bytes, path: Path) -> None:
    kinds = {
        b"PK\x03\x04": ("a workbook or zip file", "give it the ending .xlsx, or save it as CSV"),
        b"\xd0\xcf\x11\xe0": ("an old Excel workbook (.xls)", "open it and save it as .xlsx or CSV"),
        b"PAR1": ("a Parquet file", "give it the ending .parquet"),
        b"%PDF": ("a PDF document", "save the table itself as CSV"),
        b"{\\rtf": ("a text document", "save the table itself as CSV"),
    }
    for start, (kind, todo) in kinds.items():
        if content.startswith(start):
            raise InputError(f"{path.name} is {kind}", "text is needed under this ending", todo)
    if re.match(rb"\s*<(!doctype html|html|\?xml|table)", content[:200], re.IGNORECASE):
        raise InputError(f"{path.name} is a web page or XML", "delimited text is needed", "save it as CSV")


def _has_many_zeros(content: bytes) -> bool:
    return content[:FIRST].count(b"\0") > len(content[:FIRST]) // 4


def _unmarked(path: Path) -> InputError:
    return InputError(
        f"{path.name}",
        "it looks like UTF-16 without its mark",
        "give --encoding utf-16-le, or save it as UTF-8",
    )


def _undecodable(path: Path, content: bytes, used: str, error: UnicodeError) -> InputError:
    if used != "utf-8" or not isinstance(error, UnicodeDecodeError):
        return InputError(
            f"{path.name}", f"its text is not {used}", "save it as CSV UTF-8, or name --encoding"
        )
    if _has_many_zeros(content):
        return _unmarked(path)
    if b"\0" in content[:FIRST]:
        return InputError(f"{path.name}", "this is no text, a table is needed", "save it as CSV UTF-8")
    line = content.count(b"\n", 0, error.start) + 1
    return InputError(
        f"{path.name}: line {line}, byte 0x{content[error.start]:02X}",
        "its text is not UTF-8; that of older Windows programs is cp1252",
        "save it as CSV UTF-8, or give --encoding cp1252",
    )


def _hint(top: str) -> str:
    """Excel's first line about the separator with its line end, empty where there is none."""
    first = re.match(r"[^\r\n]*(\r\n|\r|\n|$)", top)
    return first[0] if first and HINT.fullmatch(first[0].rstrip("\r\n")) else ""


def _hinted(hint: str, path: Path) -> str:
    match = HINT.fullmatch(hint.rstrip("\r\n"))
    said = match[1] if match else ""
    if said not in SEPARATORS:
        raise InputError(
            f"{path.name}: its first line says sep={said}",
            f"{', '.join(TITLES.values())} are understood",
            "save it with one of them",
        )
    return said


def _separator(top: str) -> str:
    """The separator under which the first rows have as many fields as the header."""
    found = {}
    for separator in SEPARATORS:
        widths = _widths(top, separator)
        if widths and widths[0] > 1:
            rows = widths[1:]
            fits = sum(width == widths[0] for width in rows) / len(rows) if rows else 1.0
            found[separator] = (fits, widths[0])
    return max(found, key=lambda separator: found[separator]) if found else ","


def _widths(top: str, separator: str) -> list[int]:
    """Fields of the header and of the first rows, blank ones left out."""
    widths = []
    for row in csv.reader(io.StringIO(top, newline=""), delimiter=separator):
        if any(cell.strip() for cell in row):
            widths.append(len(row))
        if len(widths) > ROWS_LOOKED_AT:
            break
    return widths


class _Lines:
    """The records of a text by the strict parser, with the lines that they stand in.

    offset: lines before the header.
    """

    def __init__(self, path: Path, body: bytes, separator: str, width: int, offset: int) -> None:
        self._path, self._separator, self._width, self._offset = path, separator, width, offset
        self._text = body.decode()
        self._checked: bool | None = None

    def have_surplus(self) -> bool:
        """Whether lines have empty fields beyond the header, and no other fault.

        Raises InputError for a quote that does not close, that closes in the middle of a field, or that
        spans lines which are rows of their own, and for lines with another number of fields.
        """
        if self._checked is None:
            self._checked = self._check()
        return self._checked

    def frame(self) -> pd.DataFrame:
        """All cells as text; fields beyond the header are empty and go."""
        import pyarrow

        width = self._width
        records = (row for _, _, row in self._records())
        next(records)
        rows = [(row + [""] * width)[:width] for row in records if row]
        columns = list(zip(*rows, strict=True)) if rows else [()] * width
        arrays = {str(at): pyarrow.array(column, pyarrow.string()) for at, column in enumerate(columns)}
        return _stripped(pyarrow.table(arrays))

    def _check(self) -> bool:
        wrong: list[tuple[int, int, str]] = []
        has_surplus = False
        for first, last, row in self._records():
            if first < last and self._width > 1:
                self._check_span(first, last)
            filled = len(row)
            while filled > self._width and not row[filled - 1].strip():
                filled -= 1
            has_surplus |= filled < len(row)
            if filled != self._width and any(cell.strip() for cell in row):
                wrong.append((first + self._offset, filled, self._separator.join(row)))
        if wrong:
            raise _ragged(wrong, self._width, self._separator, self._path)
        return has_surplus

    def _records(self) -> Iterator[tuple[int, int, list[str]]]:
        """First line, last line (from 1, the header's) and fields of every record."""
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._separator, strict=True)
        before = 0
        try:
            for row in reader:
                yield before + 1, reader.line_num, row
                before = reader.line_num
        except csv.Error as error:
            raise InputError(
                f"{self._path.name}: line {before + 1 + self._offset} opens a quote that does not close as "
                f"it should ({error})",
                "each quoted cell ends with a quote before the next separator",
                "close the quote, or write a quote within a cell twice",
            ) from error

    def _check_span(self, first: int, last: int) -> None:
        """Refuses a quoted cell over lines of which each is a row of its own without the quotes."""
        lines = self._split[first - 1 : last]
        if all(line.count(self._separator) == self._width - 1 for line in lines):
            raise InputError(
                f"{self._path.name}: the quote that line {first + self._offset} opens closes in line "
                f"{last + self._offset}",
                f"each of these lines has {self._width} fields of its own, so rows would be lost in one cell",
                "close the quote in its own line, or take the line breaks out of the cell",
            )

    @cached_property
    def _split(self) -> list[str]:
        return re.split(r"\r\n|\r|\n", self._text)


def _ragged(wrong: list[tuple[int, int, str]], width: int, separator: str, path: Path) -> InputError:
    lines = ", ".join(str(line) for line, _, _ in wrong[:SHOWN])
    more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    _, fields, row = wrong[0]
    return InputError(
        f"{path.name}: {len(wrong)} line(s) such as '{row[:60]}' do not fit the header (line {lines}{more})",
        f"{width} fields are needed, {fields} are there (separator: {TITLES.get(separator, separator)})",
        "fix these lines",
    )


def _by_arrow(body: bytes, separator: str, width: int) -> pd.DataFrame | None:
    """The rows under the header, None where a line has another number of fields."""
    import pyarrow
    from pyarrow import csv as arrow_csv

    names = [str(number) for number in range(width)]
    try:
        table = arrow_csv.read_csv(
            pyarrow.BufferReader(body),
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows_after_names=1),
            parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.string())),
        )
    except pyarrow.ArrowInvalid:
        return None
    return _stripped(table)


def _stripped(table: pyarrow.Table) -> pd.DataFrame:
    """Text columns without blanks around the values; empty text becomes missing."""
    import pandas as pd
    import pyarrow
    import pyarrow.compute as pc

    empty = pyarrow.scalar("")
    columns = {}
    for name in table.column_names:
        text = pc.utf8_trim_whitespace(table[name])
        text = pc.if_else(pc.equal(text, empty), pyarrow.scalar(None, pyarrow.string()), text)
        series = pd.Series(pd.array(text.to_pandas(), dtype="str"))
        marked = series.str.match(ESCAPED).fillna(False).to_numpy(bool)
        columns[name] = series.mask(marked, series.str[1:]) if marked.any() else series
    return pd.DataFrame(columns)
