"""A table as every page shows it: names of columns and models, a dash for what is missing."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.reader_labels import display_name
from core.report.formatting import NOTHING

MANY = 8  # columns, of which more do not fit into a window of 1024 pixels
LABELS = {
    "subject": "patient",
    "body_part": "body part",
    "birth_year": "born",
    "label": "reading",
    "image": "film",
    "happened_at": "time (UTC)",
    "actor": "person",
    "settings": "question",
    "missing_reason": "reason",
    "row_number": "row",
    "planned_day": "planned day",
    "study_date": "film date",
}


def show_table(rows: pd.DataFrame, **options: Any) -> None:
    """The table, without its index unless that is asked for. options: of ``st.dataframe``."""
    options["column_config"] = _pinned(rows, column_labels(rows) | options.get("column_config", {}))
    st.dataframe(_readable(rows), placeholder=NOTHING, **{"hide_index": True} | options)


def _pinned(rows: pd.DataFrame, config: dict[str, Any]) -> dict[str, Any]:
    """The first column of a wide table stays in sight while the others scroll in a narrow window."""
    if rows.shape[1] <= MANY:
        return config
    first = str(rows.columns[0])
    own = config.get(first)
    given = own if isinstance(own, dict) else {} if own is None else {"label": own}
    return config | {first: given | {"pinned": True}}


def column_labels(rows: pd.DataFrame) -> dict[str, str]:
    """Column -> its label, for ``column_config``; a column without an entry keeps its name, _ as a space."""
    labels = {str(name): _label(str(name)) for name in rows.columns}
    return {name: label for name, label in labels.items() if label != name or name in LABELS}


def _label(name: str) -> str:
    shown = display_name(name)
    return LABELS.get(name, shown.replace("_", " ") if shown == name else shown)


def _readable(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with models under their readable names; a frame without models is returned as it is."""
    found = {}
    for name in rows.columns[~rows.columns.duplicated(keep=False)]:
        is_text = rows[name].map(lambda value: isinstance(value, str) and value != display_name(value))
        if is_text.any():
            found[name] = rows[name].where(~is_text, rows.loc[is_text, name].map(display_name))
    return rows.assign(**found) if found else rows
