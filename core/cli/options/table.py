"""Options of every command that reads a table: sheet, codes for missing, decimal sign, encoding, ranges."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from core.cli.output import keep_where, note
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from core.scores.ranges import Range
    from data.tables.formats.options import TableOptions
    from data.tables.values import Problems

SHOWN = 20


def table_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a table file, and gives them to the command as ``reading``, a ``TableOptions``."""

    @click.option("--sheet", default="", metavar="NAME", help="Sheet of a workbook.")
    @click.option(
        "--missing",
        multiple=True,
        metavar="CODE[,CODE...]",
        help="Values that mean missing, such as -9,999; NA, ND, '.' and the like always do (repeatable).",
    )
    @click.option(
        "--decimal", type=click.Choice([".", ","]), default=None, help="Decimal sign, where it is in doubt."
    )
    @click.option("--encoding", default="", metavar="NAME", help="Of text that is not UTF-8, such as cp1252.")
    @functools.wraps(function)
    def packed(
        *args: Any, sheet: str, missing: tuple[str, ...], decimal: str | None, encoding: str, **rest: Any
    ) -> Any:
        from data.tables.formats.options import TableOptions, missing_codes

        reading = TableOptions(sheet, missing_codes(missing), decimal or "", encoding)
        return function(*args, reading=reading, **rest)

    return packed


def range_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say what a value can be."""

    @click.option("--system", metavar="S", help="Scoring system: values outside its range are refused.")
    @click.option(
        "--range", "limits", metavar="LOW,HIGH", help="Values that are possible, where no system says."
    )
    @functools.wraps(function)
    def with_range(*args: Any, **options: Any) -> Any:
        return function(*args, **options)

    return with_range


def read(
    file: str,
    reading: TableOptions,
    where: tuple[str, ...],
    columns: tuple[str, ...],
    values: tuple[str, ...],
) -> tuple[pd.DataFrame, Problems]:
    """The rows that are wanted of a table with these columns, those of values prepared.

    Raises InputError where a column is missing, no row is left, or a needed cell holds no value.
    """
    from data.tables.files import check_values, has_columns, need_columns, read_table
    from data.tables.values import prepared

    frame = read_table(file, reading, lambda names: has_columns(names, columns))
    frame = need_columns(frame, columns, file)
    frame = keep_rows(frame, where)
    check_values(frame, [column for column in columns if column not in values])
    return prepared(frame, [column for column in values if column in frame], reading)


def keep_rows(frame: pd.DataFrame, where: tuple[str, ...]) -> pd.DataFrame:
    """The rows that ``--where`` wants. Raises InputError where there are none."""
    frame = keep_where(frame, where)
    if not len(frame):
        raise InputError(
            f"--where {' '.join(where)}",
            "rows with these values are needed, no row is left under --where",
            "check the values",
        )
    return frame


def say_notes(frame: pd.DataFrame, problems: Problems) -> None:
    """What a person should know of how the file and its values were read, on standard error."""
    from data.tables.files import notes_of

    for text in dict.fromkeys([*notes_of(frame), *problems.notes]):
        note(f"note: {text}")


def say_refused(refused: list[dict[str, Any]]) -> None:
    """The first refused rows on standard error, each with its reason and in a workbook its cell."""
    for problem in refused[:SHOWN]:
        place = f" ({problem['cell']})" if problem.get("cell") else ""
        note(f"row {problem['row']}{place} refused: {problem['reason']}")
    if len(refused) > SHOWN:
        note(f"... and {len(refused) - SHOWN} more rows refused")


def given_range(text: str | None) -> Range | None:
    """``--range LOW,HIGH``."""
    if text is None:
        return None
    from core.scores.ranges import Range

    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError as error:
        raise click.UsageError(f"--range {text}: two numbers are needed, such as 0,72") from error
    if not low < high:
        raise click.UsageError(f"--range {text}: the lower one comes first")
    return Range(low, high, "the range that was given")
