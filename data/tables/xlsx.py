"""A data frame as an XLSX workbook whose bytes depend on nothing but the frame."""

from __future__ import annotations

import io
import math
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import InputError
from core.spreadsheet import FORMULA

MAX_ROWS = 1_048_575  # below the header
MAX_TEXT = 32_767
ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # no place in XML
NO_TIME = datetime(2000, 1, 1)
ZIP_TIME = (2000, 1, 1, 0, 0, 0)


def write_workbook(frame: pd.DataFrame, path: Path, origin: str = "") -> int:
    """Writes one sheet with a header; missing values are empty cells. Returns the number of rows.

    origin: where the rows come from, kept as the description in the properties of the file.

    Text stays text whatever it begins with, numbers stay numbers. Raises InputError for more rows than a
    sheet holds, or longer text than a cell holds.
    """
    import openpyxl

    if len(frame) > MAX_ROWS:
        raise InputError(
            f"{len(frame)} rows",
            f"a workbook holds {MAX_ROWS}",
            "choose a name that ends in .csv or .parquet",
        )
    _check_length(frame)
    book = openpyxl.Workbook(write_only=True)
    book.properties.created = book.properties.modified = NO_TIME
    book.properties.description = origin or None
    sheet = book.create_sheet("export")
    sheet.append([_cell(sheet, str(name)) for name in frame.columns])
    values = frame.astype(object).where(frame.notna(), None)
    for row in values.itertuples(index=False, name=None):
        sheet.append([_cell(sheet, value) for value in row])
    _save(book, path)
    return len(frame)


def _check_length(frame: pd.DataFrame) -> None:
    """Refuses text that is longer than a cell holds: the library would cut it."""
    for _, column in frame.items():
        if not pd.api.types.is_numeric_dtype(column):
            for row, value in enumerate(column, start=1):
                if isinstance(value, str) and len(value) > MAX_TEXT:
                    raise InputError(
                        f"a text of {len(value)} characters in row {row}",
                        f"a cell of a workbook holds {MAX_TEXT}",
                        "choose a name that ends in .csv or .parquet",
                    )


def _cell(sheet: Any, value: object) -> object:
    """The value; for text a cell of that type, or the library would make formulas and errors of it."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not isinstance(value, str):
        return value
    value = ILLEGAL.sub("\ufffd", value)
    if not re.match(f"{FORMULA}|#", value):
        return value or None
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=None)
    cell._value, cell.data_type = value, "s"
    cell.quotePrefix = True  # a spreadsheet keeps it as text when somebody edits it
    return cell


def _save(book, path: Path) -> None:
    """The library puts the time of writing into the file: removed again."""
    content = io.BytesIO()
    book.save(content)
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = _timeless(data)
            new.writestr(zipfile.ZipInfo(name, ZIP_TIME), data, zipfile.ZIP_DEFLATED)


def _timeless(xml: bytes) -> bytes:
    return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", xml)
