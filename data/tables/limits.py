"""Which range the values of a table have: from the system that is named, or the table's own columns."""

from __future__ import annotations

import pandas as pd

from core import scores
from core.scores.ranges import Range, change_range, grade_range, system_in, total_range
from core.scores.system import ScoreSystem
from data.tables.adam import column_of, parameter
from data.tables.files import text_column

TOTALS = ("total", "aval", "score", "base", "baseline", "change", "chg")
GRADES = ("grade",)


def limits_of(table: pd.DataFrame, column: str, system: str | None, *, is_change: bool) -> Range | None:
    """The range of the values of the column, None where nothing says what they are.

    system: that a person named; else the one of the column system, or of the parameter (PARAMCD, PARAM).
    A column called total has, without a system, the range of the largest total of any.
    Raises InputError for an unknown system.
    """
    known = scores.get(system) if system else known_system(table)
    plain = column.strip().casefold()
    if plain in GRADES and known is not None:
        of = grade_range(known)
    elif known is not None and (system or plain in TOTALS or plain in _components(known)):
        of = total_range(known, _component(table, plain), _only(table, "rule"))
    elif plain == "total":
        of = total_range(None)
    else:
        return None
    return change_range(of) if is_change else of


def known_system(table: pd.DataFrame) -> ScoreSystem | None:
    """The system that the table itself names."""
    return system_in(_only(table, "system")) or system_in(parameter(table))


def _components(system: ScoreSystem) -> list[str]:
    return [component.name for component in system.components]


def _component(table: pd.DataFrame, column: str) -> str:
    return column if column not in (*TOTALS, *GRADES) else _only(table, "component") or "total"


def _only(table: pd.DataFrame, name: str) -> str:
    """The one value of a column, empty where there is no such column or more than one value."""
    column = column_of(table.columns, name)
    values = list(text_column(table, column).dropna().unique()) if column else []
    return str(values[0]) if len(values) == 1 else ""
