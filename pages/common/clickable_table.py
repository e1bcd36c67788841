"""A table whose click opens something: a site on this page, or a patient's films on the Patient page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from pages.common.shown_table import show_table
from pages.common.views.rows import opened, opened_last

ROW_HEIGHT, HEAD_HEIGHT = 35, 38  # of Streamlit's table, in pixels
FEW = 12  # rows of a list that are always shown
Click = Callable[[int, str], None]


def clickable_table(rows: pd.DataFrame, key: str, on_click: Click, **options: Any) -> None:
    """A table of which one cell can be clicked.

    on_click: is given the row's place and the column's name, before the page is drawn again; it may set
    what the page shows next, but not leave the page. options: of ``st.dataframe``.
    """
    show_table(
        rows, key=key, selection_mode="single-cell",
        on_select=lambda: _clicked(key, on_click), **options,
    )  # fmt: skip


def clicked_row(rows: pd.DataFrame, key: str, **options: Any) -> dict[str, Any] | None:
    """A table; the row that was clicked just now as column -> value, once, else None: may leave the page."""
    kept = f"{key}_row"

    def keep(row: int, _: str) -> None:
        st.session_state[kept] = row
        opened(key, rows.iloc[row])

    opened_last(key, rows)
    clickable_table(rows, key, keep, **options)
    place = st.session_state.pop(kept, None)
    if place is None or place >= len(rows):
        return None
    return record(rows, place)


def record(rows: pd.DataFrame, place: int) -> dict[str, Any]:
    """One row as column -> value."""
    return {str(name): value for name, value in rows.iloc[place].items()}


def height_for(rows: pd.DataFrame, most: int = 0) -> int:
    """Pixels that show all rows, at most ``most`` where given; one empty row where there is none."""
    whole = HEAD_HEIGHT + ROW_HEIGHT * max(len(rows), 1)
    return min(whole, most) if most else whole


def first_rows(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """All rows of a short table; of a long one the first, until ``all_rows`` is switched on."""
    return rows if len(rows) <= FEW or st.session_state.get(key) else rows.head(FEW)


def all_rows(rows: pd.DataFrame, key: str, what: str) -> None:
    """Under a table of ``first_rows``: how many there are, with a switch to see every one."""
    if len(rows) <= FEW:
        return
    st.toggle(f"Show all {len(rows):,} {what}", key=key)


def _clicked(key: str, on_click: Click) -> None:
    cells = st.session_state[key]["selection"]["cells"]
    if cells:
        row, column = cells[0]
        on_click(int(row), str(column))
