"""How large the readers' error is, by part, interval and read mode, and readers against themselves."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.agreement.comparison import CHANGE, STATUS
from core.agreement.rereads import KEYS
from core.domain import ReaderKind
from core.figures.agreement.forest import forest
from core.markdown import md
from core.report.status_change import pool_caption
from core.scores.display.words import of_images
from pages.common.agreement import error_statistics, question
from pages.common.agreement.error_statistics import modes, read_twice
from pages.common.agreement.question import Comparison
from pages.common.agreement.widgets import (
    figure,
    legend,
    numbers_table,
    sentence_with_data,
    shorts,
    with_limits,
)
from pages.common.page import Page
from pages.common.readings import system_of
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick_one

SAME_MODEL = "A model run twice on one film gives the same score; only a repeated film can test it."


MEANING = "SDC95 comes from changes, MDC95 from status: a change below it may be reading error."
OF_ALL = (
    "The bias between the readers (first minus second) is in neither and stands beside them. Intervals are "
    "by bootstrap-t; where error grows with change they hold less often than 95%."
)


def reading_error(page: Page, compared: Comparison) -> str:
    """SDC and MDC, agreement by read mode, and readers against themselves."""
    _limits(page, compared)
    st.markdown("## Agreement by read mode and interval")
    _modes(page, compared)
    st.markdown("## Readers against themselves")
    _twice(page, compared)
    return (
        "Reading error is given as SDC95 of change and MDC95 of status, with intervals by bootstrap-t, and "
        f"as {question.ICC} by read mode; changes are formed within a reading campaign."
    )


def _limits(page: Page, compared: Comparison) -> None:
    title, which = st.columns([2.2, 1], vertical_alignment="bottom")
    title.markdown("## Smallest detectable change, by part and interval")
    with which:
        panel = pick_one(
            "Smallest detectable change of", compared.panels[::-1], ERROR_OF, label_visibility="collapsed",
            format_func=lambda one: f"{one} ({NAMES[one]})",
        )  # fmt: skip
    found = error_statistics.reading_error(page, compared.question)
    if len(compared.readings.people) < 2 or not found:
        st.markdown("The readers' error needs two readers.")
        return
    name_of = system_of(compared.question.chosen).name_of
    rows = [_limit_words(row, panel) | {"part": name_of(row["component"])} for row in found]
    show_table(pd.DataFrame(rows), column_config={"part": st.column_config.TextColumn(width=150)})
    pool = next((row["pool"] for row in found[::-1] if row["pool"]), None)
    who = f"{compared.unit}, {len(found[0]['readers'])} readers, read mode {', '.join(found[0]['modes'])}."
    sentence_with_data(
        f"{who} {MEANING} {pool_caption(found[0]['averaged'], pool) if pool else OF_ALL}",
        pd.DataFrame([_limit_numbers(row) for row in found]), "reading_error",
    )  # fmt: skip


BLOCKS = ((CHANGE, "SDC95"), (STATUS, "MDC95"))
NAMES = dict(BLOCKS)
ERROR_OF = "agreement_error_of"
NOTHING: dict[str, Any] = {"n": 0, "one": None, "mean": None, "bias": None}


def _limit_words(row: dict[str, Any], panel: str) -> dict[str, str]:
    """One line of the table of a panel; that of the other one is a click away, so that the table fits."""
    shown = {"part": row["component"], "interval": row["interval"]}
    block, name = row[panel] or NOTHING, NAMES[panel]
    for key, words in (("mean", f"mean of {row['averaged']}"), ("one", "one reader")):
        shown[f"{name}, {words}"] = with_limits(*(block[key] or (None, None, None)))
    shown[f"bias of {panel}"] = with_limits(*(block["bias"] or (None, None, None)), plus=True)
    return shown | {"n": str(block["n"])}


def _limit_numbers(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"part": row["component"], "interval": row["interval"]}
    for panel, name in BLOCKS:
        block = row[panel] or NOTHING
        found[f"{panel}_n"] = block["n"]
        for key in ("mean", "one", "bias"):
            what = f"{panel}_bias" if key == "bias" else f"{name}_{key}"
            values = block[key] or (None, None, None)
            found |= dict(zip((what, f"{what}_low", f"{what}_high"), values, strict=True))
    return found


def _modes(page: Page, compared: Comparison) -> None:
    found = modes(page, compared.question)
    if found.empty:
        st.markdown("No campaign has two readers.")
        return
    icc = found[found["statistic"] == question.ICC]
    rows = icc.assign(label=icc["mode"] + " (" + icc["campaign"] + "), " + icc["span"])
    n = rows.loc[rows["kind"] == ReaderKind.HUMAN, "n"]
    figure(
        forest(rows, axis=f"{question.ICC}, 95% CI", panels=compared.panels, names=shorts(compared),
               on=page.look),
        "modes", alt=f"{question.ICC} by read mode, campaign and interval",
        sentence=f"{md(compared.part)}, read mode (campaign), n = {n.min()} to {n.max()} "
        "patients. A change is formed within a campaign, never across two: readers who see "
        f"{compared.images} in their order see more change.{legend(compared)}",
        data=rows.drop(columns=["kind"]),
    )  # fmt: skip
    with st.expander("All numbers by read mode", icon=":material/table:"):
        numbers_table(found, "agreement_by_mode")


def _twice(page: Page, compared: Comparison) -> None:
    found = read_twice(page, compared.question)
    rows = found[found["component"] == compared.question.component]
    same = of_images(system_of(compared.question.chosen), SAME_MODEL)
    if rows.empty:
        st.markdown(f"No reader has read the same {compared.images} twice. {same}")
        return
    show_table(again_words(rows))
    sentence_with_data(
        f"First reading minus the repeat reading of the same {compared.images}. Status pools all visits and "
        f"resamples patients; with few of them the intervals are wide. {same}",
        rows.drop(columns=["interval", "draws_without_value"]), "readers_against_themselves",
    )  # fmt: skip


def again_words(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per reader, further read and panel: n, ICC, bias, SD of the differences and MDC95 as text."""
    names = {
        question.ICC: question.ICC,
        "bland_altman.bias": "bias",
        "bland_altman.sd": "SD of the differences",
        "mdc95": "MDC95",
    }
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for row in rows.to_dict("records"):
        key = (str(row["reader"]), str(row["occasion"]), str(row["panel"]), str(row["span"]))
        line = found.setdefault(key, {"n": f"{row['n']} ({row['patients']} patients)"})
        is_bias = row["statistic"] == "bland_altman.bias"
        line[names[row["statistic"]]] = with_limits(row["estimate"], row["low"], row["high"], plus=is_bias)
    columns = (KEYS[0], "repeat reading", "panel", "visits")
    return pd.DataFrame([dict(zip(columns, key, strict=True)) | line for key, line in found.items()])
