"""Files of tables for tests: SAS transport files, and workbooks with what a library will not write."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl
import pandas as pd

RECORD = 80
HEADER = "HEADER RECORD*******{:<8}HEADER RECORD!!!!!!!{:<30}  "


def write_transport(
    path: Path, table: Mapping[str, Sequence], formats: Mapping[str, tuple[str, int]] | None = None
) -> None:
    """A SAS transport file of version 5: float columns with None for missing (or "A" for .A), else text.

    formats: column -> name and width of its SAS format.
    """
    columns, start = [], 0
    for name, values in table.items():
        is_number = all(
            value is None or isinstance(value, int | float) or value in ("A", "_") for value in values
        )
        width = 8 if is_number else max([1, *(len(_bytes(value)) for value in values)])
        columns.append((name, is_number, width, start, *(formats or {}).get(name, ("", 0))))
        start += width
    rows = list(zip(*table.values(), strict=True))
    body = b"".join(
        _ibm(value) if column[1] else _bytes(value).ljust(column[2])
        for row in rows
        for value, column in zip(row, columns, strict=True)
    )
    fields = b"".join(_namestr(number, *column) for number, column in enumerate(columns, start=1))
    when = "01JAN24:00:00:00"
    member = f"{'SAS':<8}{'TABLE':<8}{'SASDATA':<8}{'9.4':<8}{'Linux':<8}{'':<24}{when}"
    parts = [
        HEADER.format("LIBRARY ", "0" * 30),
        f"{'SAS':<8}{'SAS':<8}{'SASLIB':<8}{'9.4':<8}{'Linux':<8}{'':<24}{when}",
        f"{when:<80}",
        HEADER.format("MEMBER  ", "000000000000000001600000000140"),
        HEADER.format("DSCRPTR ", "0" * 30),
        member,
        f"{when:<32}{'':<48}",
        HEADER.format("NAMESTR ", f"000000{len(columns):04d}00000000000000000000"),
    ]
    content = "".join(parts).encode("ascii") + _padded(fields)
    path.write_bytes(content + HEADER.format("OBS     ", "0" * 30).encode() + _padded(body))


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str("" if value is None else value).encode()


def _padded(content: bytes) -> bytes:
    return content.ljust(-(-len(content) // RECORD) * RECORD)


def _namestr(number: int, name: str, is_number: bool, width: int, start: int, form: str, size: int) -> bytes:
    return struct.pack(
        ">hhhh8s40s8shhh2s8shhl52s",
        1 if is_number else 2, 0, width, number, name.encode().ljust(8), b"".ljust(40),
        form.encode().ljust(8), size, 0, 0, b"", b"".ljust(8), 0, 0, start, b"",
    )  # fmt: skip


def _ibm(value: object) -> bytes:
    """A number as an IBM float of eight bytes."""
    if value is None or isinstance(value, str):
        return (b"." if value is None else str(value).encode()) + bytes(7)
    number = abs(float(value))  # type: ignore[arg-type]
    if number == 0:
        return bytes(8)
    power = 64
    while number >= 1:
        number, power = number / 16, power + 1
    while number < 1 / 16:
        number, power = number * 16, power - 1
    sign = 0x80 if float(value) < 0 else 0  # type: ignore[arg-type]
    return bytes([sign | power]) + int(number * 2**56).to_bytes(7, "big")


def write_sheets(
    path: Path, sheets: Mapping[str, Sequence[Sequence]], states: Mapping[str, str] | None = None
) -> None:
    """A workbook with these sheets of rows; states: sheet -> hidden or veryHidden."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = (states or {}).get(title, "visible")
        for row in rows:
            sheet.append(list(row))
    book.save(path)


def changed_part(path: Path, part: str, old: str, new: str) -> None:
    """The zip file with a text in one of its parts replaced. Raises AssertionError where it is not there."""
    content = path.read_bytes()
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            data = source.read(name)
            if name == part:
                assert old.encode() in data, data[:2000]
                data = data.replace(old.encode(), new.encode(), 1)
            made.writestr(name, data, zipfile.ZIP_DEFLATED)
    path.write_bytes(target.getvalue())


def long_table(subjects: int = 6) -> pd.DataFrame:
    """Totals of two readers at two visits."""
    rows = [
        (f"S{number:03d}", reader, day, 3 * number + (day > 0) * number / 2 + (reader == "R2"))
        for number in range(1, subjects + 1)
        for reader in ("R1", "R2")
        for day in (0, 364)
    ]
    return pd.DataFrame(rows, columns=["subject", "reader", "days", "total"])
