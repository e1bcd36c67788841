"""What the commands share: JSON on standard output, notes on standard error, ``--where``."""

from __future__ import annotations

import json
import math
import sys
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_STEERS = {"Cc", "Zl", "Zp"}  # kinds of characters that steer a terminal
_TURNS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # the way of writing
where_option = click.option(
    "--where", "where", multiple=True, metavar="COLUMN=VALUE", help="Keep rows with this value (repeatable)."
)

visit_order_option = click.option(
    "--visit-order",
    metavar="V,V...",
    help="Order of the visits, such as BL,W52,W104; else that of a column of numbers or days, else by name.",
)
reference_option = click.option(
    "--reference",
    metavar="ARM",
    help="Arm that the others are compared with; else the one named as placebo or control, else the first.",
)


def emit(result: dict[str, Any], *, as_json: bool, text: Callable[[], str]) -> None:
    """Print the result: one JSON object in full precision with null for missing, or text for a person."""
    if as_json:
        click.echo(writable(json.dumps(plain(result), ensure_ascii=False, allow_nan=False)))
    else:
        click.echo(printable(text()))


def note(message: str) -> None:
    """A note, warning or progress line: standard error, so that standard output stays clean."""
    click.echo(printable(message), err=True)


def printable(text: str) -> str:
    """The text without what steers a terminal: names of files and people may hold control characters."""
    return "".join(
        "\ufffd" if character not in "\n\t" and _steers(character) else character
        for character in writable(text)
    )


def _steers(character: str) -> bool:
    return unicodedata.category(character) in _STEERS or character in _TURNS


def writable(text: str) -> str:
    """The text with a mark for what no encoding can write: a file name may hold any bytes."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


class CountLine:
    """A count on standard error: rewritten on a terminal, every tenth in a log."""

    def __init__(self, what: str) -> None:
        self._what, self._terminal, self._tenth = what, sys.stderr.isatty(), -1

    def show(self, done: int, total: int, name: str = "") -> None:
        line = printable(f"{done} of {total} {self._what}")
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
