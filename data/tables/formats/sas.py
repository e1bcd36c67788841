"""SAS tables (transport files of version 5, and SAS7BDAT) to a frame: numbers as numbers, dates as ISO text.

Missing values of every kind (``.``, ``.A`` to ``.Z``, blank text) are missing. Formats decide what a number
stands for: dates and times become text such as 2014-01-31, ``Z4.`` keeps its zeros in front. Labels of
formats lie in a catalogue outside the file, so the codes are read and a note names them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from data.tables.formats.headers import named, no_rows
from data.tables.formats.options import TableOptions

if TYPE_CHECKING:
    import pandas as pd

START = date(1960, 1, 1)
BLOCK = 80  # bytes of a record of a transport file
SMALLEST = 1e-70  # the parser of transport files makes 5e-79 of a zero
MAX_CELLS = 50_000_000
DATE = re.compile(
    r"DATE|DAY|DDMMYY[BCDNPS]?|MMDDYY[BCDNPS]?|YYMMDD[BCDNPS]?|WEEKDATE|WEEKDATX|WORDDATE|WORDDATX|JULIAN|"
    r"[EB]8601DA|IS8601DA|NLDATE\w*|EURDF\w*|MINGUO|MONYY|YYMM\w?"
)
DATETIME = re.compile(r"DATETIME|DATEAMPM|[EB]8601D[TNXZ]|IS8601DT|NLDATM\w*|DTDATE")
TIME = re.compile(r"TIME|TIMEAMPM|HHMM|HOUR|MMSS|TOD|[EB]8601T[MXZ]|IS8601TM")
PLAIN = re.compile(r"|BEST[DX]?|BESTX|F|[BNE]|COMMAX?|DOLLARX?|PERCENTN?|NUMX|SSN|Z|ROMAN|\$\w*")


@dataclass(frozen=True)
class _Column:
    """One column of the file: its name, and the format and width that it is shown with."""

    name: str
    form: str
    width: int


def read_transport(path: Path, options: TableOptions) -> tuple[pd.DataFrame, list[str]]:
    """The data set of a transport file (.xpt), and what a person should know about it."""
    import pandas as pd

    _check_one_member(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "may be corrupted" is no table to go on with
        fields, frame, rows = _transport_rows(path)
    columns = [_Column(_plain(one["name"]), _plain(one["nform"]).upper(), int(one["nfl"])) for one in fields]
    _check_row_count(path, frame, rows)
    frame.columns = pd.RangeIndex(len(columns))
    for at in [at for at, values in frame.items() if _is_number(values)]:
        frame[at] = frame[at].mask(frame[at].abs() < SMALLEST, 0.0)
    decode, notes = _decoder(frame, options)
    return _finished(frame, columns, decode, path), [*notes, *_notes(columns)]


def _transport_rows(path: Path) -> tuple[list[dict[str, Any]], pd.DataFrame, int]:
    """Fields, rows and the number of rows that the file should have."""
    import pandas as pd

    with pd.read_sas(path, format="xport", encoding=None, iterator=True) as reader:
        fields: list[dict[str, Any]] = reader.fields  # type: ignore[attr-defined]
        rows: int = reader.nobs  # type: ignore[attr-defined]
        _check_size(path, rows, len(fields))
        if rows <= 0:
            raise no_rows(path)
        return fields, reader.read(), rows


def read_sas7bdat(path: Path, options: TableOptions) -> tuple[pd.DataFrame, list[str]]:
    """The data set of a .sas7bdat file, and what a person should know about it."""
    import pandas as pd

    reader: Any = pd.read_sas(path, format="sas7bdat", encoding=options.encoding or "infer", iterator=True)
    with reader:
        columns = [_Column(str(one.name), str(one.format).upper(), 0) for one in reader.columns]
        _check_size(path, reader.row_count, len(columns))
        if reader.row_count <= 0:
            raise no_rows(path)
        frame = reader.read()
    _check_row_count(path, frame, reader.row_count)
    frame.columns = pd.RangeIndex(len(columns))
    return _finished(frame, columns, str, path), _notes(columns)


def _is_number(values: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_numeric_dtype(values))


def _check_one_member(path: Path) -> None:
    """A transport file may hold several data sets: a reader sees the first, and the rest as rows of it."""
    names = []
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if block.startswith((b"HEADER RECORD*******MEMBER ", b"HEADER RECORD*******MEMBV8")):
                file.read(BLOCK)
                names.append(file.read(BLOCK)[8:16].decode("ascii", "replace").strip())
            elif block.startswith(b"HEADER RECORD*******LIBV8"):
                raise InputError(
                    f"{path.name}: a SAS transport file of version 8",
                    "version 5 is read",
                    "save it as SAS7BDAT, CSV or Parquet",
                )
    if len(names) > 1:
        raise InputError(
            f"{path.name} holds the data sets {', '.join(names)}",
            "one is needed",
            "save one to a file of its own",
        )


def _check_size(path: Path, rows: int, columns: int) -> None:
    if rows * columns > MAX_CELLS or rows > 100 * path.stat().st_size:
        raise InputError(
            f"{path.name} says that it has {rows} rows of {columns} columns",
            f"at most {MAX_CELLS} cells are read",
            "write it again, or split it",
        )


def _check_row_count(path: Path, frame: pd.DataFrame, rows: int) -> None:
    if len(frame) != rows:
        raise InputError(
            f"{path.name}: {len(frame)} rows of {rows} can be read", "all are needed", "write the file again"
        )


def _plain(text: bytes | str) -> str:
    return (text.decode("ascii", "replace") if isinstance(text, bytes) else text).strip(" \0")


def _decoder(frame: pd.DataFrame, options: TableOptions) -> tuple[Callable[[Any], str], list[str]]:
    """How the bytes of text cells become text: UTF-8 if all of them are, else cp1252 with a note."""
    if options.encoding:
        return lambda value: value.decode(options.encoding), []
    for _, column in frame.items():
        for value in column.unique():
            if isinstance(value, bytes):
                try:
                    value.decode()
                except UnicodeDecodeError:
                    note = "its text is not UTF-8 and is read as cp1252; --encoding names another"
                    return lambda value: value.decode("cp1252", "replace"), [note]
    return lambda value: value.decode(), []


def _finished(
    frame: pd.DataFrame, columns: list[_Column], decode: Callable[[Any], str], path: Path
) -> pd.DataFrame:
    """The frame under its names, with text for text, dates and numbers that are shown with zeros in front."""
    import pandas as pd

    series = []
    for column, (_, values) in zip(columns, frame.items(), strict=True):
        if _is_number(values):
            show = _shown(column)
            made = values if show is None else values.map(show, na_action="ignore").astype("str")
        elif pd.api.types.is_datetime64_any_dtype(values):
            made = values.map(_iso, na_action="ignore").astype("str")
        else:
            text = values.map(lambda value: decode(value).strip(" \0") or None, na_action="ignore")
            made = text.astype("str")
        series.append(made)
    frame = pd.concat(series, axis=1) if series else frame
    return named(frame, [column.name for column in columns], path)


def _iso(moment: datetime) -> str:
    return moment.isoformat().removesuffix("T00:00:00")


def _shown(column: _Column) -> Callable[[float], str] | None:
    """How a number of this column is written where its format is not just a number."""
    if DATE.fullmatch(column.form):
        return lambda days: (START + timedelta(days=int(days))).isoformat()
    if DATETIME.fullmatch(column.form):
        start = datetime(START.year, START.month, START.day)
        return lambda seconds: (start + timedelta(seconds=round(seconds))).isoformat()
    if TIME.fullmatch(column.form):
        return lambda seconds: str(timedelta(seconds=round(seconds)))
    if column.form == "Z" and column.width > 1:
        return lambda value: f"{int(value):0{column.width}d}" if value == int(value) else str(value)
    return None


def _notes(columns: list[_Column]) -> list[str]:
    coded = [f"{column.name} ({column.form})" for column in columns if not _is_understood(column)]
    zeros = [column.name for column in columns if column.form == "Z" and column.width <= 1]
    notes = []
    if coded:
        notes.append(f"columns with codes whose labels are not in the file: {', '.join(coded)}")
    if zeros:
        notes.append(f"{', '.join(zeros)}: SAS shows zeros in front, here they are read without")
    return notes


def _is_understood(column: _Column) -> bool:
    return any(known.fullmatch(column.form) for known in (DATE, DATETIME, TIME, PLAIN))
