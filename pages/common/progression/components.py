"""The same change in every part of the score, and who progressed in which of two halves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from core.markdown import md
from core.progression.component_split import ALL, progressor_flags, split_progressors
from core.progression.progressors import cutoff
from core.reader_labels import md_name
from core.report import formatting
from pages.common.page import Page
from pages.common.progression import results
from pages.common.progression.question import Question
from pages.common.provenance import download
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import components, pick
from pages.common.ways_out.change_sections import part_methods

RULE = "progression_definition"


def parts(page: Page, asked: Question, way: str) -> str:
    """Mean change and progressors of every part; a part's own SDC judges it."""
    rule = pick("Definition of progression", asked.system.cutoffs, RULE, format_func=formatting.definition)
    found = results_by_part(page, asked, way)
    table = part_table(asked, found, rule)
    st.markdown("### Change in every part")
    show_table(table)
    st.caption(
        f"From {md(asked.first)} to {md(asked.last)}, scored by {md_name(asked.scorer)}: mean (95% CI) and "
        f"patients {formatting.definition(rule)}, "
        "each part by its own SDC95. A part without two readers has no SDC."
    )
    download(table, "change_by_part")
    for column, halves in zip(beside(len(asked.system.halves)), asked.system.halves, strict=True):
        with column:
            _halves(asked, found, rule, halves)
    return part_methods(rule)


def beside(count: int) -> list[Any]:
    return list(st.columns(count)) if count else []


def results_by_part(page: Page, asked: Question, way: str) -> dict[str, dict[str, Any]]:
    """Component -> result, for those in which any patient has a change."""
    every = {
        name: results.result(page, replace(asked, component=name), way) for name in components(asked.system)
    }
    return {name: one for name, one in every.items() if one is not None}


def part_table(asked: Question, found: dict[str, dict[str, Any]], rule: str) -> pd.DataFrame:
    """A row per part in words: SDC, then of every arm the mean with its interval and who progressed."""
    rows = []
    for name, one in found.items():
        arms = [arm for arm in one["summary"] if arm != ALL] or [ALL]
        sdc = one["sdc95"]["mean_of_readers"] if one["sdc95"] else None
        row = {"part": asked.system.name_of(name), "SDC95": "–" if sdc is None else f"{sdc:.2f}"}
        shares = one["progressor_shares"].get(rule)
        for arm in arms:
            row[arm] = _mean(one["summary"][arm])
            row[f"{arm}: {formatting.definition(rule)}"] = "–" if shares is None else _share(shares[arm])
        rows.append(row)
    return pd.DataFrame(rows)


def _mean(value: dict[str, Any]) -> str:
    low, high = value["ci"]
    if low is not None and low == high:
        return f"{formatting.signed(value['mean'])} (all alike)"
    return formatting.with_interval([value["mean"], low, high], signed=True)


def _share(value: dict[str, Any]) -> str:
    return f"{value['count']} of {value['n']}"


def _halves(asked: Question, found: dict[str, dict[str, Any]], rule: str, halves: tuple[str, str]) -> None:
    """Who progressed in one half of the score alone, in both, in neither."""
    if not all(name in found for name in halves):
        return
    names = tuple(asked.system.name_of(name) for name in halves)
    table = halves_table(found, rule, halves, (names[0], names[1]))
    st.markdown(f"### Progressed ({formatting.definition(rule)}) in {names[0]}, {names[1]}, or both")
    if table.empty or not table["n"].max():
        st.markdown("No patient can be judged in both by this definition.")
        return
    cells = table.assign(cell=table["count"].astype(str) + " of " + table["n"].astype(str))
    order = list(dict.fromkeys(table["group"]))
    wide = cells.pivot(index="progressed in", columns="group", values="cell")
    wide = wide.reindex(index=list(dict.fromkeys(table["progressed in"])), columns=order)
    show_table(wide.rename_axis(columns=None).reset_index())
    n = int(table.loc[table["group"] == ALL, "n"].iloc[0])
    st.caption(f"n = {n} patients with a change in both.")
    download(table, f"progressed_in_{halves[0]}_or_{halves[1]}")


def halves_table(
    found: dict[str, dict[str, Any]], rule: str, halves: tuple[str, str], names: tuple[str, str]
) -> pd.DataFrame:
    """``core.progression.component_split.split_progressors`` of two parts under a definition."""
    flags = []
    for name in halves:
        sdc = found[name]["sdc95"]["mean_of_readers"] if found[name]["sdc95"] else None
        flags.append(progressor_flags(cutoff(rule), pd.DataFrame(found[name]["change"]), sdc))
    rows = pd.DataFrame(found[halves[0]]["change"]).set_index("subject")
    arm = rows["arm"] if "arm" in rows else pd.Series(None, index=rows.index, dtype=object)
    return split_progressors(flags[0], flags[1], arm, names)
