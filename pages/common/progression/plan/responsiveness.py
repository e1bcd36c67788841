"""Which scorer, and which part of the score, shows change best?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.markdown import md
from core.progression.change import changes
from core.progression.pairing import WINDOW_DAYS, Interval
from core.progression.responsiveness.srm import responses
from core.reader_labels import display_name, people
from pages.common.page import Page
from pages.common.progression.figures import Found
from pages.common.progression.grids import chosen_grid
from pages.common.progression.question import READERS, TOTAL, Question
from pages.common.provenance import download
from pages.common.queries import computed
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick_one
from pages.common.ways_out.change_sections import response_methods

SCORERS, PARTS = "Scorers", "Parts of the score"


def responsiveness(page: Page, asked: Question, _: Found) -> str:
    """Standardised response means with intervals, and their differences over the same patients."""
    by = pick_one("Compare", [SCORERS, PARTS], "progression_srm_by")
    result: dict[str, Any] = computed(page, _responses, asked, by)
    if not any(row["estimate"] is not None for row in result["srm"]):
        st.info("Three patients whose changes differ are needed.", icon=":material/inbox:")
        return ""
    table = _table(result["srm"], {"name": "of"})
    show_table(table, column_config=_numbers())
    pairs = _table(result["differences"], {"estimate": "difference"})
    if len(pairs):
        st.markdown("**Paired: the same patients, first minus second**")
        show_table(pairs, column_config=_numbers())
    st.caption(
        "Standardised response mean (SRM): mean change over the SD of change, all arms together; larger "
        f"shows change better, and needs fewer patients. Change {md(asked.first)} to {md(asked.last)}. "
        f"Intervals: {result['method']}, {result['draws']:,} draws, from 10 patients on; {result['note']}."
    )
    download(table, "srm", label="SRM (CSV)")
    return response_methods(by, result)


def _responses(page: Page, asked: Question, by: str) -> dict[str, Any]:
    table = _by_scorer(page, asked) if by == SCORERS else _by_part(page, asked)
    return responses(table.to_numpy(float), [str(name) for name in table.columns])


def _per_reader(page: Page, asked: Question, component: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Change by patient and scorer, and the kinds of scorers."""
    found = chosen_grid(page, asked.chosen, component, asked.rule_used.name)
    readings = found.grid.readings(near=(*asked.days, WINDOW_DAYS))
    change = changes(readings, Interval(*asked.days, WINDOW_DAYS))
    table = pd.DataFrame(change.per_reader, columns=change.readers, index=change.table["subject"])
    return table, found.kinds


def _mean(table: pd.DataFrame, kinds: dict[str, str]) -> pd.Series:
    readers = [name for name in people(kinds) if name in table]
    return table[readers].mean(axis=1) if readers else pd.Series(np.nan, index=table.index)


def _by_scorer(page: Page, asked: Question) -> pd.DataFrame:
    table, kinds = _per_reader(page, asked, asked.component)
    shown = table.rename(columns={name: display_name(str(name)) for name in table})
    return pd.DataFrame({READERS: _mean(table, kinds)}).join(shown)


def _by_part(page: Page, asked: Question) -> pd.DataFrame:
    parts = [TOTAL, *(item.name for item in asked.system.components)]
    columns = {}
    for part in parts:
        table, kinds = _per_reader(page, asked, part)
        column = _mean(table, kinds) if asked.scorer == READERS else table.get(asked.scorer)
        if column is not None:
            columns[asked.system.title_of(part)] = column
    return pd.DataFrame(columns)


def _table(rows: list[dict[str, Any]], names: dict[str, str]) -> pd.DataFrame:
    """Rows with the limits in columns of their own."""
    flat = [
        {key: value for key, value in row.items() if key != "ci"}
        | {"low": row["ci"][0], "high": row["ci"][1]}
        for row in rows
    ]
    return pd.DataFrame(flat).rename(columns={"estimate": "SRM"} | names)


def _numbers() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    names = ("mean", "sd", "SRM", "low", "high", "srm_a", "srm_b", "difference")
    titles = {"low": "95% low", "high": "95% high", "srm_a": "SRM first", "srm_b": "SRM second", "sd": "SD"}
    return {name: number(titles.get(name, name), format="%.2f") for name in names} | {
        "a": "first", "b": "second"
    }  # fmt: skip
