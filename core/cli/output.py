"""What the commands share: JSON on standard output, notes on standard error, ``--where``."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
where_option = click.option(
    "--where", "where", multiple=True, metavar="COLUMN=VALUE", help="Keep rows with this value (repeatable)."
)


def emit(result: dict[str, Any], *, as_json: bool, text: Callable[[], str]) -> None:
    """Print the result: one JSON object in full precision with null for missing, or text for a person."""
    click.echo(json.dumps(plain(result), ensure_ascii=False, allow_nan=False) if as_json else text())


def note(message: str) -> None:
    """A note, warning or progress line: standard error, so that standard output stays clean."""
    click.echo(message, err=True)


class CountLine:
    """A count on standard error: rewritten on a terminal, every tenth in a log."""

    def __init__(self, what: str) -> None:
        self._what, self._terminal, self._tenth = what, sys.stderr.isatty(), -1

    def show(self, done: int, total: int, name: str = "") -> None:
        line = f"{done} of {total} {self._what}"
        if self._terminal:
            click.echo(f"\r\x1b[K{line}", err=True, nl=done == total)
        elif total and 10 * done // total != self._tenth:
            self._tenth = 10 * done // total
            note(line)


def plain(value: Any) -> Any:
    """The value as JSON types: numpy scalars and arrays unpacked, NaN, infinities and NA as None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    return str(value)


def warn_look_alikes(table: pd.DataFrame, columns: dict[Any, str]) -> list[str]:
    """Note names that look like one and count as two; returns what was noted.

    columns: column -> what it names (subject, visit, reader ...).
    """
    from core.cells import labels
    from core.names import look_alike_warnings

    found = []
    for column, what in columns.items():
        names = labels(table[column])[1] if column in table.columns else ()
        found += look_alike_warnings(what, names, are_visits=what == "visit")
    for text in found:
        note(text)
    return found


def keep_where(frame: pd.DataFrame, where: tuple[str, ...]) -> pd.DataFrame:
    """The rows whose COLUMN equals VALUE for every ``COLUMN=VALUE``; values are compared as text."""
    for condition in where:
        column, equals, value = condition.partition("=")
        if not equals:
            raise InputError(
                f"--where {condition}", "COLUMN=VALUE is needed", "write for example --where visit=W52"
            )
        if column not in frame.columns:
            raise InputError(
                f"--where {condition}",
                f"the table has the columns {', '.join(map(str, frame.columns))}",
                "name one of these",
            )
        frame = frame[frame[column].astype("string").fillna("") == value]
    return frame
