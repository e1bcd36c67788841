"""A data frame as an XLSX workbook whose bytes depend on nothing but the frame."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from pathlib import Path

import pandas as pd

from core.errors import InputError

MAX_ROWS = 1_048_575  # below the header
NO_TIME = datetime(2000, 1, 1)
ZIP_TIME = (2000, 1, 1, 0, 0, 0)


def write_workbook(frame: pd.DataFrame, path: Path) -> int:
    """Writes one sheet with a header; missing values are empty cells. Returns the number of rows.

    Raises InputError for more rows than a sheet holds.
    """
    import openpyxl

    if len(frame) > MAX_ROWS:
        raise InputError(
            f"{len(frame)} rows",
            f"a workbook holds {MAX_ROWS}",
            "choose a name that ends in .csv or .parquet",
        )
    book = openpyxl.Workbook(write_only=True)
    book.properties.created = book.properties.modified = NO_TIME
    sheet = book.create_sheet("export")
    sheet.append([str(name) for name in frame.columns])
    values = frame.astype(object).where(frame.notna(), None)
    for row in values.itertuples(index=False, name=None):
        sheet.append([_plain(value) for value in row])
    _save(book, path)
    return len(frame)


def _plain(value: object) -> object:
    return value.item() if hasattr(value, "item") else value


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
    import re

    return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", xml)
