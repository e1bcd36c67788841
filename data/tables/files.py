"""Tables from files: CSV, XLSX or Parquet to a frame whose index is the data row.

Conventions, the same for every command and page:

- Row numbers count data rows: the first row under the header is row 1. They are the frame's index and
  survive ``--where``; a row without any value is left out and keeps its number.
- An empty cell is missing. Nothing else is: ``NA``, ``ND`` or ``.`` are text, so a subject may be called
  NA, and a grade that says ND is refused with its row instead of being guessed at.
- CSV and XLSX cells arrive as text without blanks around it, Parquet columns with the type they have;
  ``text_column`` and ``number_column`` read either.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import pandas as pd
    import pyarrow

ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".parquet", ".pq")
SEPARATORS = (",", ";", "\t")


def read_table(path: str | Path) -> pd.DataFrame:
    """The table in the file: one row a data row, index = data row number from 1, named ``row``.

    The ending of the name says the format. CSV may be separated by comma, semicolon or tab, in UTF-8 (with or
    without byte order mark) or UTF-16; of a workbook the first sheet is read.
    Raises InputError where there is no file, no table in it, or a header that cannot be used.
    """
    path = Path(path)
    _check_is_file(path)
    ending = path.suffix.lower()
    if ending in (".xlsx", ".xlsm"):
        frame = _read_workbook(path)
    elif ending in (".parquet", ".pq"):
        frame = _read_parquet(path)
    else:
        frame = _read_csv(path)
    return _drop_empty(frame, path)


def need_columns(frame: pd.DataFrame, columns: Iterable[str], path: str | Path) -> pd.DataFrame:
    """The frame with these columns under exactly these names; a name in other case or with blanks is taken.

    Raises InputError that names what is missing and what is there.
    """
    renamed, missing = {}, []
    for column in columns:
        if column in frame.columns:
            continue
        alike = [name for name in frame.columns if _plain_name(name) == _plain_name(column)]
        if len(alike) == 1:
            renamed[alike[0]] = column
        else:
            missing.append(column)
    if missing:
        raise InputError(
            f"{Path(path).name} has no column {', '.join(missing)}",
            f"it has {', '.join(map(str, frame.columns))}",
            "rename a column or choose another",
        )
    return frame.rename(columns=renamed)


def text_column(frame: pd.DataFrame, column: str) -> pd.Series:
    """The column as text, missing where empty; whole numbers without a decimal point."""
    import pandas as pd

    series = frame[column]
    if isinstance(series.dtype, pd.CategoricalDtype):
        labels = _to_text(pd.Series(series.cat.categories))
        return pd.Series(labels.reindex(series.cat.codes).to_numpy(), index=series.index, dtype="str")
    return _to_text(series)


def number_column(frame: pd.DataFrame, column: str) -> tuple[pd.Series, np.ndarray]:
    """The column as float64, NaN where missing or not a number, and a mask of the rows that hold text."""
    import numpy as np
    import pandas as pd

    series = frame[column]
    if pd.api.types.is_bool_dtype(series):
        return pd.Series(np.nan, index=series.index), series.notna().to_numpy(bool)
    if pd.api.types.is_numeric_dtype(series):
        numbers = series.astype("Float64").to_numpy("float64", na_value=np.nan)
        return pd.Series(numbers, index=series.index), np.zeros(len(series), bool)
    text = text_column(frame, column)
    numbers = (
        pd.to_numeric(text.astype("string"), errors="coerce").to_numpy("float64", na_value=np.nan).copy()
    )
    numbers[~np.isfinite(numbers)] = np.nan
    return pd.Series(numbers, index=series.index), (text.notna().to_numpy(bool) & np.isnan(numbers))


def _check_is_file(path: Path) -> None:
    if not path.exists():
        raise InputError(f"{path}", "no such file", "check the name")
    if path.is_dir():
        raise InputError(f"{path}", "this is a folder, a table is needed", "name a file in it")
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path.name}", f"a table ends in {', '.join(ENDINGS)}", "save it as one of these")
    if path.stat().st_size == 0:
        raise InputError(f"{path.name}", "the file is empty", "write a header and rows into it")


def _read_csv(path: Path) -> pd.DataFrame:
    from pyarrow import ArrowInvalid, string
    from pyarrow import csv as arrow_csv

    content = _utf8(path)
    header, lines, separator = _header(content, path)
    ragged: list[Any] = []

    def skip(row: Any) -> str:
        ragged.append(row)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            content,
            read_options=arrow_csv.ReadOptions(
                column_names=[str(number) for number in range(len(header))], skip_rows=lines
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=separator,
                newlines_in_values=True,
                invalid_row_handler=skip,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={str(number): string() for number in range(len(header))}
            ),
        )
    except ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return _named(_empty_columns(len(header)), header, path)
        raise _bad_text(path, error) from error
    if ragged:
        row = ragged[0]
        raise InputError(
            f"{path.name}: {len(ragged)} line(s) such as '{row.text[:60]}' do not fit the header",
            f"{row.expected_columns} fields are needed, {row.actual_columns} are there",
            "fix these lines",
        )
    return _named(_stripped(table), header, path)


def _utf8(path: Path) -> pyarrow.NativeFile:
    """The file as a seekable stream of UTF-8; UTF-16 with its mark is recoded."""
    import pyarrow

    with path.open("rb") as file:
        start = file.read(4096)
        if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            try:
                text = (start + file.read()).decode("utf-16")
            except UnicodeDecodeError as error:
                raise _bad_text(path, error) from error
            return pyarrow.BufferReader(text.encode())
    if b"\0" in start:
        raise InputError(f"{path.name}", "this is no text, a table is needed", "save it as CSV UTF-8")
    return pyarrow.memory_map(str(path))


def _header(content: pyarrow.NativeFile, path: Path) -> tuple[list[str], int, str]:
    """Column names, the number of lines that hold them, and the separator; leaves the stream at its start."""
    start = content.read(1 << 20)
    content.seek(0)
    try:
        text = bytes(start).decode("utf-8-sig", errors="strict" if len(start) < 1 << 20 else "ignore")
    except UnicodeDecodeError as error:
        raise _bad_text(path, error) from error
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names = next(reader, [])
    if not any(name.strip() for name in names):
        raise _no_names(path)
    return names, reader.line_num, separator


def _no_names(path: Path) -> InputError:
    return InputError(f"{path.name}", "its first line holds no column name", "write the header")


def _bad_text(path: Path, error: Exception) -> InputError:
    if "UTF" in str(error).upper():
        return InputError(f"{path.name}", "its text is not UTF-8", "save it as CSV UTF-8")
    return InputError(f"{path.name}", f"it cannot be read as a table ({error})", "open it and save it again")


def _read_workbook(path: Path) -> pd.DataFrame:
    import openpyxl
    import pandas as pd

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, KeyError, OSError, ValueError) as error:
        raise InputError(f"{path.name}", f"it is no workbook ({error})", "save it again as .xlsx") from error
    sheet = book.worksheets[0]
    rows = [[_cell_text(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    book.close()
    if not rows:
        raise InputError(f"{path.name}", "its first sheet is empty", "write a header and rows into it")
    width = len(rows[0])
    body = [(row + [None] * width)[:width] for row in rows[1:]]
    frame = pd.DataFrame(body, columns=range(width), dtype="str") if body else _empty_columns(width)
    return _named(frame, [name or "" for name in rows[0]], path)


def _cell_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    text = text.removesuffix("T00:00:00").strip()
    return text or None


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd
    from pyarrow import ArrowInvalid

    try:
        frame = pd.read_parquet(path)
    except (ArrowInvalid, OSError) as error:
        raise InputError(f"{path.name}", f"it is no Parquet file ({error})", "write it again") from error
    frame = frame.reset_index(drop=frame.index.names == [None])
    return _named(frame, [str(name) for name in frame.columns], path)


def _named(frame: pd.DataFrame, header: list[str], path: Path) -> pd.DataFrame:
    """The frame under its header; nameless columns are dropped where empty and refused where not."""
    names = [name.strip() for name in header]
    nameless = [number for number, name in enumerate(names) if not name]
    for number in nameless:
        if frame.iloc[:, number].notna().any():
            raise InputError(
                f"{path.name}: column {number + 1} has no name", "each needs one", "write the header"
            )
    frame = frame.iloc[:, [number for number in range(len(names)) if number not in nameless]]
    frame.columns = [name for name in names if name]
    duplicates = sorted({name for name in frame.columns if list(frame.columns).count(name) > 1})
    if duplicates:
        raise InputError(
            f"{path.name} has two columns {', '.join(duplicates)}", "one of each is needed", "rename one"
        )
    if not len(frame.columns):
        raise _no_names(path)
    return frame


def _drop_empty(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    import pandas as pd

    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    empty = frame.isna().all(axis=1)
    frame = frame[~empty] if empty.any() else frame
    if not len(frame):
        raise InputError(f"{path.name}", "it has a header and no rows", "write rows under the header")
    return frame


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
        columns[name] = pd.Series(pd.array(text.to_pandas(), dtype="str"))
    return pd.DataFrame(columns)


def _empty_columns(count: int) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({str(number): pd.Series(dtype="str") for number in range(count)})


def _to_text(series: pd.Series) -> pd.Series:
    import pandas as pd

    if pd.api.types.is_float_dtype(series):
        whole = series.dropna()
        if (whole % 1 == 0).all():
            series = series.astype("Int64")
    text = series.astype("string").str.strip()
    return text.mask(text == "").astype("str")


def _plain_name(name: Any) -> str:
    return str(name).strip().casefold().replace(" ", "_")
