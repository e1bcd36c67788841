"""From a total to its blocks, a block's slices and their items (Patient page)."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.patient import breakdown as core
from core.patient.blocks import by_slice, item_title, slices_of
from core.scores.system import ScoreSystem
from pages.common import url_state
from pages.common.clickable_table import clickable_table, height_for
from pages.common.page import Page
from pages.common.patient.breakdown import breakdown_of
from pages.common.patient.case import Asked, Case, case_of
from pages.common.queries import computed

MOST = 300  # pixels of the list of blocks


def blocks_and_items(
    page: Page, case: Case, label: str, visit: str, component: str, shown: str | None
) -> None:
    """The blocks of a reading with their sums by slice, then the items of the one in view."""
    blocks = computed(page, _blocks, case.asked, label, visit, component)
    _blocks_table(case, blocks)
    if shown is not None:
        _items(page, case, label, visit, shown)


def _blocks(page: Page, asked: Asked, label: str, visit: str, component: str) -> pd.DataFrame:
    parts = breakdown_of(page, case_of(page, *asked)).parts
    return by_slice(parts, core.reading_of(parts, label, visit), core.blocks_of(parts, component))


def _blocks_table(case: Case, blocks: pd.DataFrame) -> None:
    title = case.system.block_title
    if blocks.empty:
        st.markdown(f"No {title} above 0.")
        return
    slices = [name for name in blocks if name not in ("block", "adds", "counts")]
    table = blocks[["block", "adds", *slices]].astype(object)
    table["adds"] = [
        _sum(row["adds"]) if row["counts"] else "not counted" for row in blocks.to_dict("records")
    ]
    for name in slices:
        table[name] = [_sum(value) for value in blocks[name]]
    clickable_table(
        table.rename(columns={"block": title}), "blocks_of_total",
        lambda row, column: url_state.go(site=_site(case.system, str(blocks["block"].iloc[row]), column)),
        height=height_for(table, MOST),
        column_config={
            title: st.column_config.TextColumn(title, help="Click: its items; a slice: that slice", width=80),
            "adds": st.column_config.TextColumn("adds", help="To the total, under the rule", width=90),
        },
    )  # fmt: skip
    rest = len(case.system.blocks) - len(blocks)
    st.caption(
        f"{len(blocks)} {title}s above 0 or not read in full; {rest} others of {len(case.system.blocks)}."
    )


def _sum(value: Any) -> str:
    return "×" if pd.isna(value) else f"{value:g}"


def _site(system: ScoreSystem, block: str, column: str) -> str:
    """The first item of the slice that was clicked, of the middle slice elsewhere."""
    slices = slices_of(system, block)
    chosen = next((one for one in slices if one.title == column), slices[len(slices) // 2])
    return chosen.sites[0]


def _items(page: Page, case: Case, label: str, visit: str, shown: str) -> None:
    """Six items on three slices, as they were graded; a click goes to the item and its slice."""
    block = case.system.by_code[shown].block
    slices = slices_of(case.system, block)
    found = breakdown_of(page, case)
    columns: dict[str, list[str]] = {block: [item_title(case.system, code) for code in slices[0].sites]}
    for one in slices:
        reads = [found.read(label, visit, code, case.system.by_code[code].feature) for code in one.sites]
        pairs = zip(reads, one.sites, strict=True)
        columns[one.title] = [_grade(read, is_shown=code == shown) for read, code in pairs]
    table = pd.DataFrame(columns)
    clickable_table(
        table, "items_of_block",
        lambda row, column: url_state.go(site=_item(slices, row, column, shown)),
        height=height_for(table),
        column_config={
            block: st.column_config.TextColumn(block, help="Click a grade: its pixels", width=190)
        },
    )  # fmt: skip


def _grade(read: Any, *, is_shown: bool) -> str:
    text = "×" if read is None or pd.isna(read["grade"]) else f"{int(read['grade'])}"
    return f"▸ {text}" if is_shown else text


def _item(slices: tuple[Any, ...], row: int, column: str, shown: str) -> str:
    """The item of the cell; a click on its name stays on the slice in view."""
    here = next((one for one in slices if shown in one.sites), slices[0])
    chosen = next((one for one in slices if one.title == column), here)
    return str(chosen.sites[row])
