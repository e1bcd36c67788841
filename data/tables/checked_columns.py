"""The columns of a table as checked values: what cannot be used is refused with its row and the reason."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from core.names import tidy
from data.tables.columns import Columns
from data.tables.date_columns import read_dates
from data.tables.files import number_column, text_column
from data.tables.merge import Refused

MAX_ROWS_NAMED = 5


class CheckedColumns:
    """The recognised columns of one table, by field; every series has the table's index (row numbers).

    refused: rows that were refused so far, with the reason. notes: what a person should know of the others.
    """

    def __init__(self, table: pd.DataFrame, columns: Columns) -> None:
        self.table, self.columns = table, columns
        self.refused: Refused = []
        self.notes: list[str] = []

    def refuse(self, mask: pd.Series, reason: Callable[[int], str]) -> None:
        """Refuse the rows where the mask holds; reason: row number -> why."""
        for row in mask.index[mask.to_numpy(bool)].tolist():
            self.refused.append({"row": row, "reason": reason(row)})

    def text(self, field: str) -> pd.Series:
        """Text without outer blanks, missing where empty or without such a column."""
        if field not in self.columns.used:
            return pd.Series(None, index=self.table.index, dtype="str")
        return text_column(self.table, self.columns.used[field])

    def note(self, mask: pd.Series, text: pd.Series, what: str) -> None:
        """Note the rows where the mask holds, with what stands there; they are used all the same."""
        rows = mask.index[mask.to_numpy(bool)].tolist()
        if rows:
            some = ", ".join(f"'{text[row]}' in row {row}" for row in rows[:MAX_ROWS_NAMED])
            more = f" and {len(rows) - MAX_ROWS_NAMED} more rows" if len(rows) > MAX_ROWS_NAMED else ""
            self.notes.append(f"{what}: {some}{more}")

    def names(self, field: str) -> pd.Series:
        """Names of subjects or visits without characters that cannot be seen."""
        names = self.text(field).map(tidy, na_action="ignore")
        return names.mask(names == "").astype("str")

    def numbers(self, field: str) -> tuple[pd.Series, pd.Series]:
        """Numbers, NaN where there is none, and which rows hold something else; nothing is refused."""
        if field not in self.columns.used:
            index = self.table.index
            return pd.Series(float("nan"), index=index), pd.Series(False, index=index)
        numbers, is_text = number_column(self.table, self.columns.used[field])
        return numbers, pd.Series(is_text, index=self.table.index)

    def dates(self, field: str, title: str) -> pd.Series:
        """Whole dates, None where there is none; partial ones and words for missing are noted.

        What a cell leaves open, the column decides where it can (``date_columns``), with a note; text that
        is no date is refused.
        """
        text = self.text(field)
        found = read_dates(text.dropna().unique(), title)
        self.refuse(
            text.isin(list(found.wrong)), lambda row: f"{title} '{text[row]}' {found.wrong[text[row]]}"
        )
        self.note(text.isin(list(found.partial)), text, f"a {title} that is partial is left empty")
        self.note(text.isin(list(found.missing)), text, f"a {title} counts as missing")
        self.notes += found.notes
        days = text.map(dict(found.days), na_action="ignore").astype(object)
        return days.where(days.notna(), None)
