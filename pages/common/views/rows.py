"""The row of a table that was opened last: kept as part of the question, and said over the table."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.markdown import md
from pages.common import session_keys as keys
from pages.common.views import choices

NAMES = ("subject", "visit", "site")  # columns that say which row it is


def opened(table: str, row: pd.Series) -> None:
    """Keep which row of a table was opened."""
    choices.keep(_key(), f"{table}:{_name(row)}")


def opened_last(table: str, rows: pd.DataFrame) -> None:
    """Say which row of a table was opened last, where it is this table's and still there."""
    kept = choices.choices().kept.get(_key(), ("",))[0]
    of_table, _, name = kept.partition(":")
    if of_table != table or not name or "subject" not in rows:
        return
    named = rows[[one for one in NAMES if one in rows]].fillna("").astype(str).agg(" ".join, axis=1)
    places = (named.str.strip() == name).to_numpy().nonzero()[0]
    if len(places):
        st.caption(f"Opened last: **{md(name)}**, row {places[0] + 1:,} of {len(rows):,}.")


def _key() -> str:
    return f"{st.session_state.get(keys.HERE, '')}_row"


def _name(row: pd.Series) -> str:
    return " ".join(str(row[one]) for one in NAMES if one in row and pd.notna(row[one]))
