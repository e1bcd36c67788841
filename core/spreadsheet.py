"""Text that a spreadsheet would take for a formula, made text for good.

A cell of a CSV file has no type: text that begins with ``= + - @``, a tab or a line end is run as a formula
when the file is opened. Such text gets an apostrophe in front, as spreadsheets themselves mark text; numbers
are left alone. ``read_table`` takes the apostrophe away again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

MARK = "'"
FORMULA = r"'*[=+\-@\t\r\n＝＋－＠]"  # with the marks that such text has already
NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"


def safe_text(text: str) -> str:
    """The text as a cell of a CSV file."""
    import re

    is_formula = re.match(FORMULA, text) and not re.fullmatch(NUMBER, text)
    return MARK + text if is_formula else text


def safe_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with texts, and names of columns, that no spreadsheet runs; numbers stay numbers."""
    safe = frame.rename(columns=lambda name: safe_text(name) if isinstance(name, str) else name)
    for at, dtype in enumerate(frame.dtypes):
        if not hasattr(dtype, "kind") or dtype.kind in "OUST" or str(dtype) in ("str", "string", "category"):
            column = safe.iloc[:, at].astype(object).tolist()
            made = [safe_text(value) if isinstance(value, str) else value for value in column]
            safe.isetitem(at, made)
    return safe


def safe_sql(column: str) -> str:
    """SQL: a column of text as cells of a CSV file."""
    pattern = FORMULA.replace("'", "''")
    is_formula = f"regexp_matches({column}, '^({pattern})') AND NOT regexp_full_match({column}, '{NUMBER}')"
    return f"CASE WHEN {is_formula} THEN '''' || {column} ELSE {column} END"
