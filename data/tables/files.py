"""Tables from files: delimited text, workbooks, Parquet or SAS to a frame whose index is the data row.

Conventions, the same for every command and page:

- Row numbers count data rows: the first row under the header is row 1. They are the frame's index and
  survive ``--where``; a row without any value is left out and keeps its number.
- An empty cell is missing. Nothing else is here: ``NA``, ``ND`` or ``.`` are text, so a subject may be called
  NA. In a column of values they count as missing (``data.tables.values``).
- Text and workbook cells arrive as text without blanks around it, so that 007 stays 007; Parquet and SAS
  columns with the type they have; ``text_column`` and ``number_column`` read either.
- ``frame.attrs["origin"]`` says where the cells of a workbook stand, which of them hold no value, and what a
  person should know of the file (``notes``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import CohortError, InputError
from data.tables.formats.headers import no_rows
from data.tables.formats.options import AS_THE_FILE_SAYS, Fits, TableOptions

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

TEXT, WORKBOOK, PARQUET = (".csv", ".tsv", ".txt"), (".xlsx", ".xlsm"), (".parquet", ".pq")
TRANSPORT, SAS = (".xpt",), (".sas7bdat",)
ENDINGS = (*TEXT, *WORKBOOK, *PARQUET, *TRANSPORT, *SAS)
SAVE_AS = {
    ".xls": "an old Excel workbook; open it and save it as .xlsx",
    ".xlsb": "a binary workbook; open it and save it as .xlsx",
    ".ods": "an OpenDocument sheet; open it and save it as .xlsx or CSV",
    ".fods": "an OpenDocument sheet; open it and save it as .xlsx or CSV",
    ".numbers": "a Numbers sheet; export it as .xlsx or CSV",
    ".gsheet": "a link to a sheet on the web; download it as .xlsx or CSV",
    ".xml": "XML; save the table as CSV or .xlsx",
    ".json": "JSON; save the table as CSV or Parquet",
    ".rds": "an R object; write it as CSV or Parquet",
    ".rdata": "R objects; write the table as CSV or Parquet",
    ".sav": "an SPSS file; save it as CSV or .xlsx",
    ".dta": "a Stata file; save it as CSV or .xlsx",
    ".cpt": "a CPORT file; write it as .xpt or CSV",
    ".zip": "a zip file; unpack it and name the table in it",
    ".gz": "packed; unpack it and name the table in it",
    ".pdf": "a PDF document; get the table itself as CSV or .xlsx",
    ".docx": "a text document; save the table itself as CSV or .xlsx",
}
MAX_NUMBER = 2**53  # above, a float is no longer every whole number


def read_table(
    path: str | Path, options: TableOptions = AS_THE_FILE_SAYS, fits: Fits | None = None
) -> pd.DataFrame:
    """The table in the file: one row a data row, index = data row number from 1, named ``row``.

    The ending of the name says the format. fits: whether a header has the columns that are needed; it decides
    which sheet and which row of a workbook is read.
    Raises InputError where there is no file, no table in it, or a header that cannot be used, whatever the
    bytes are.
    """
    path = Path(path)
    _check_is_file(path)
    ending = path.suffix.lower()
    if options.sheet and ending not in WORKBOOK:
        raise InputError(f"--sheet {options.sheet}", f"{path.name} is no workbook", "leave it out")
    try:
        frame, origin = _read(path, ending, options, fits)
    except CohortError:
        raise
    except Exception as error:  # libraries raise anything on damaged bytes
        what = _what(ending)
        raise InputError(
            f"{path.name}", f"it is no {what} that can be read ({_short(error)})", "write or save it again"
        ) from error
    return _drop_empty(frame, origin, path)


def notes_of(frame: pd.DataFrame) -> list[str]:
    """What a person should know about how the file was read."""
    return list(frame.attrs.get("origin", {}).get("notes", []))


def place_of(frame: pd.DataFrame, row: int, column: str) -> str:
    """``Scores!C2`` for a cell of a workbook; empty for other files."""
    origin = frame.attrs.get("origin", {})
    letters = origin.get("columns", {}).get(column)
    return f"{origin['sheet']}!{letters}{row + origin['above']}" if letters else ""


def check_values(frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raises InputError where a needed column has a formula without a stored value, or an error (#N/A)."""
    broken = broken_cells(frame, columns)
    if broken:
        cells = [f"{place_of(frame, row, column)} ({what[:40]})" for column, row, what in broken[:5]]
        more = f" and {len(broken) - 5} more" if len(broken) > 5 else ""
        raise InputError(
            f"{len(broken)} cells with a formula without a value, or an error: {', '.join(cells)}{more}",
            "a value is needed in each",
            "open the workbook in Excel and save it, or write the values",
        )


def broken_cells(frame: pd.DataFrame, columns: Iterable[str]) -> list[tuple[str, int, str]]:
    """Column, row and content of the cells of a workbook that hold no value although they are not empty."""
    broken = frame.attrs.get("origin", {}).get("broken", {})
    if not broken:
        return []
    rows = set(frame.index)
    return [
        (column, row, what)
        for column in dict.fromkeys(columns)
        for row, what in broken.get(column, {}).items()
        if row in rows
    ]


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
    return renamed_columns(frame, renamed)


def renamed_columns(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The frame with columns under other names, old -> new, which still know where their cells stand."""
    frame = frame.rename(columns=dict(names))
    origin = frame.attrs.get("origin", {})
    moved = {
        key: {names.get(column, column): value for column, value in origin[key].items()}
        for key in ("columns", "broken")
        if key in origin
    }
    frame.attrs = {**frame.attrs, "origin": {**origin, **moved}}
    return frame


def has_columns(names: Iterable[str], columns: Iterable[str]) -> bool:
    """Whether a header has these columns, in any case and with blanks."""
    plain = {_plain_name(name) for name in names}
    return all(_plain_name(column) in plain for column in columns)


def text_column(frame: pd.DataFrame, column: str) -> pd.Series:
    """The column as text, missing where empty; whole numbers without a decimal point.

    Raises InputError where a cell of a workbook holds a formula without a stored value, or an error.
    """
    import pandas as pd

    check_values(frame, [column])
    series = frame[column]
    if isinstance(series.dtype, pd.CategoricalDtype):
        labels = _to_text(pd.Series(series.cat.categories))
        return pd.Series(labels.reindex(series.cat.codes).to_numpy(), index=series.index, dtype="str")
    return _to_text(series)


def number_column(frame: pd.DataFrame, column: str) -> tuple[pd.Series, np.ndarray]:
    """The column as float64, NaN where missing or not a number, and a mask of the rows that hold text.

    A number is written with digits, point and exponent only. Raises InputError as ``text_column`` does.
    """
    import numpy as np
    import pandas as pd

    check_values(frame, [column])
    series = frame[column]
    if pd.api.types.is_bool_dtype(series):
        return pd.Series(np.nan, index=series.index), series.notna().to_numpy(bool)
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_complex_dtype(series):
        numbers = series.astype("Float64").to_numpy("float64", na_value=np.nan)
        infinite = np.isinf(numbers)
        return pd.Series(np.where(infinite, np.nan, numbers), index=series.index), infinite
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
    if not path.is_file():
        raise InputError(f"{path}", "this is no ordinary file, a table is needed", "name a file")
    ending = path.suffix.lower()
    if ending in SAVE_AS:
        what, _, todo = SAVE_AS[ending].partition("; ")
        raise InputError(f"{path.name} is {what}", f"a table ends in {', '.join(ENDINGS)}", todo)
    if ending not in ENDINGS:
        raise InputError(f"{path.name}", f"a table ends in {', '.join(ENDINGS)}", "save it as one of these")
    if path.stat().st_size == 0:
        raise InputError(f"{path.name}", "the file is empty", "write a header and rows into it")


def _read(
    path: Path, ending: str, options: TableOptions, fits: Fits | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The frame, and where it comes from."""
    notes: list[str] = []
    if ending in WORKBOOK:
        from data.tables.formats.workbook import read_workbook

        _check_is_zip(path)
        return read_workbook(path, options, fits)
    if ending in PARQUET:
        from data.tables.formats.parquet import read_parquet

        frame = read_parquet(path)
    elif ending in (*TRANSPORT, *SAS):
        from data.tables.formats.sas import read_sas7bdat, read_transport

        frame, notes = (read_transport if ending in TRANSPORT else read_sas7bdat)(path, options)
    else:
        from data.tables.formats.text import read_text

        frame = read_text(path, options)
    return frame, {"notes": notes}


def _check_is_zip(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"\xd0\xcf\x11\xe0":
        raise InputError(
            f"{path.name}",
            "it is an old Excel workbook, or one with a password",
            "open it and save it as .xlsx without a password",
        )


def _what(ending: str) -> str:
    kinds = {WORKBOOK: "workbook", PARQUET: "Parquet file", TRANSPORT: "SAS transport file", SAS: "SAS file"}
    return next((kind for endings, kind in kinds.items() if ending in endings), "table")


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:100]}" if text else type(error).__name__


def _drop_empty(frame: pd.DataFrame, origin: dict[str, Any], path: Path) -> pd.DataFrame:
    """The rows that hold something, under their numbers."""
    import pandas as pd

    if frame.index.name != "row":
        frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    empty = frame.isna().all(axis=1)
    frame = frame[~empty] if empty.any() else frame
    if not len(frame):
        raise no_rows(path)
    frame.attrs["origin"] = origin
    return frame


def _to_text(series: pd.Series) -> pd.Series:
    import pandas as pd

    if pd.api.types.is_float_dtype(series):
        whole = series.dropna()
        if (whole % 1 == 0).all() and (whole.abs() <= MAX_NUMBER).all():
            series = series.astype("Int64")
    text = series.astype("string").str.strip()
    return text.mask(text == "").astype("str")


def _plain_name(name: Any) -> str:
    return str(name).strip().casefold().replace(" ", "_")
