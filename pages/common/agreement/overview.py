"""The top of the Agreement page: the answer in short, then every ICC with its interval on one axis."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.agreement.comparison import CHANGE, STATUS
from core.agreement.generalisability.pool_error import pool_error
from core.domain import ReaderKind
from core.figures.agreement.forest import forest
from core.markdown import md
from core.reader_labels import display_name
from core.report.formatting import interval, number
from pages.common.agreement import question, statistics
from pages.common.agreement.margin import chosen_margin
from pages.common.agreement.model_as_reader import index_words, rate_words
from pages.common.agreement.question import Comparison, Question, comparison
from pages.common.agreement.widgets import (
    PAIR,
    SECTION,
    figure,
    legend,
    named,
    readable,
    shorts,
    show_numbers,
    with_limits,
)
from pages.common.page import Page
from pages.common.provenance import as_csv
from pages.common.queries import computed
from pages.common.readings import system_of
from pages.common.sticky_widgets import choose

MAX_LINES = 45
NAMES = {ReaderKind.HUMAN: "Reader – reader", ReaderKind.MODEL: "Model – reader"}


def in_short(page: Page, compared: Comparison) -> None:
    """What a committee asks first: change, status, false change, and whether the model is a reader."""
    found = statistics.statistics(page, compared.question)
    found = found[(found["statistic"] == question.ICC) & (found["component"] == compared.question.component)]
    with st.container(horizontal=True):
        for panel in reversed(compared.panels):
            with st.container(border=True, width="stretch"):
                _agreement(page, compared, found[found["panel"] == panel], panel)
                _pool(page, compared, panel)
        if compared.readings.models and len(compared.readings.people) > 1:
            _model(page, compared)


def _agreement(page: Page, compared: Comparison, rows: pd.DataFrame, panel: str) -> None:
    what = md(compared.what(panel))
    st.markdown(f"**{what[:1].upper()}{what[1:]}**, {question.ICC}")
    for kind, name in NAMES.items():
        part = rows[rows["kind"] == kind]
        if len(part):
            st.markdown(f"{md(name)}: {_values(part)}")
    if compared.readings.models and len(compared.readings.people) > 1:
        for model in compared.readings.models:
            bias = statistics.bias_to_mean(page, compared.question, panel, model)
            value = with_limits(bias["estimate"], *bias["ci"], plus=True)
            st.markdown(f"{_named(compared, model)} minus the readers' mean: {value}")
    st.caption(_n(rows[rows["kind"] != ReaderKind.CONSENSUS]))


def _pool(page: Page, compared: Comparison, panel: str) -> None:
    """The ICC of a pool of readers, where every patient is read by some of them and a pair shares few."""
    if len(compared.readings.people) > 2:
        found = computed(page, _pool_icc, compared.question, panel)
        if found is not None:
            value, low, high = found
            st.markdown(f"All readers as a pool: **{number(value)}** {interval(low, high)}")


def _pool_icc(page: Page, asked: Question, panel: str) -> list[float | None] | None:
    compared = comparison(page, asked)
    table = compared.table(panel)[compared.readings.people].to_numpy(dtype=float)
    found = pool_error(table, is_change=panel == CHANGE)
    return None if found is None else found.icc


def _values(rows: pd.DataFrame) -> str:
    """One value with its interval, or the range of several."""
    known = rows.dropna(subset=["estimate"])
    if known.empty:
        return "not computable"
    if len(known) == 1:
        row = known.iloc[0]
        return f"**{number(row['estimate'])}** {interval(max(row['low'], -1.0), row['high'])}"
    low, high = number(known["estimate"].min()), number(known["estimate"].max())
    return f"**{low}**" + (f" to **{high}**" if low != high else "")


def _n(rows: pd.DataFrame) -> str:
    n = sorted({int(value) for value in rows["n"]}) or [0]
    count = f"n = {n[0]:,}" if len(n) == 1 else f"n = {n[0]:,} to {n[-1]:,}"
    return f"{count} patients; 95% intervals in the figure below"


def _named(compared: Comparison, model: str) -> str:
    """``Model``, or its name where there are several."""
    return "Model" if len(compared.readings.models) == 1 else md(display_name(model))


def _model(page: Page, compared: Comparison) -> None:
    """Every model in the place of a reader: change that nobody else sees, and the index."""
    asked, margin = compared.question, chosen_margin(page, compared.question.chosen.system)
    found = {
        _named(compared, model): statistics.model_as_reader(page, asked, model, margin)
        for model in compared.readings.models
    }
    if CHANGE in compared.panels:
        with st.container(border=True, width="stretch"):
            st.markdown(f"**False change**, {md(asked.interval.label)}")
            _false_change({name: one["false_change"] for name, one in found.items()})
    panel = CHANGE if CHANGE in compared.panels else STATUS
    with st.container(border=True, width="stretch"):
        st.markdown("**Is the model a reader?**" if len(found) == 1 else "**Is a model a reader?**")
        for name, one in found.items():
            index, verdict = index_words(one["interchangeability"][panel])
            whose = f"{name}: index" if len(found) > 1 else "Index"
            st.markdown(f"{whose} of {md(panel)}: {index}")
            st.caption(verdict)


def _false_change(rates: dict[str, dict[str, Any]]) -> None:
    """rates: of every model, by its name, those of the same readers beside it."""
    readers = next(iter(rates.values()))["readers"].values()
    st.markdown(f"Readers: {rate_words(readers, 'false_change')}")
    for name, one in rates.items():
        st.markdown(f"{name}: {rate_words([one['model']], 'false_change')}")
    better = [
        f"{name[:1].lower() + name[1:] if len(rates) == 1 else name} "
        f"{rate_words([one['model']], 'false_improvement')}"
        for name, one in rates.items()
    ]
    st.caption(
        "Change seen where no other reader saw any; improvements: readers "
        f"{rate_words(readers, 'false_improvement')}, {', '.join(better)}"
    )


def forest_of_all(page: Page, compared: Comparison) -> None:
    """ICC of parts, visits and pairs, status beside change on one axis; a click chooses the pair."""
    drawn, sentence, content = computed(page, _forest, compared.question)
    clicked = figure(
        drawn, "forest", alt="ICC of every part, interval and pair of readings, status beside change",
        sentence=sentence, data=content, clicks=True,
    )  # fmt: skip
    if clicked:
        _choose_pair(compared, [str(value) for value in clicked])
    with st.expander(
        "All numbers: every statistic of every part, interval and pair", icon=":material/table:"
    ):
        table, content = computed(page, _numbers, compared.question)
        show_numbers(table, content, "agreement")


def _forest(page: Page, asked: Question) -> tuple[Any, str, bytes]:
    """The figure, the sentence under it, and its data as CSV."""
    compared = comparison(page, asked)
    rows = _rows(statistics.everything(page, asked), compared)
    drawn = forest(
        rows, axis=f"{question.ICC}, 95% CI", panels=compared.panels, names=shorts(compared), on=page.look
    )
    return drawn, _sentence(rows, compared), as_csv(rows.drop(columns=["kind"]))


def _numbers(page: Page, asked: Question) -> tuple[pd.DataFrame, bytes]:
    """Every number of the page, as it is shown and as CSV."""
    table = readable(statistics.everything(page, asked))
    shown = table.assign(component=table["component"].map(system_of(asked.chosen).name_of))
    return shown, as_csv(table)


def _rows(found: pd.DataFrame, compared: Comparison) -> pd.DataFrame:
    """Parts of the score over the chosen interval, then the chosen part over the others."""
    asked = compared.question
    icc = found[found["statistic"] == question.ICC]
    here = icc["span"] == asked.interval.label
    part = icc["component"] == asked.component
    first, parts, spans = icc[here & part], icc[here & ~part], icc[~here & part]
    parts = parts.sort_values("component", key=lambda names: names.map(compared.readings.components.index))
    kept = [
        first.assign(label=compared.part),
        parts.assign(label=parts["component"].map(system_of(asked.chosen).name_of)),
        spans.assign(label=spans["span"]),
    ]
    while len(kept) > 1 and sum(len(one) for one in kept) / max(len(compared.panels), 1) > MAX_LINES:
        kept.pop()
    rows = pd.concat(kept, ignore_index=True)
    return rows.assign(low=rows["low"].clip(lower=-1.0))  # the least that an ICC can be


def _choose_pair(compared: Comparison, clicked: list[str]) -> None:
    pair = (clicked[2], clicked[3])
    if pair in compared.pairs:
        choose(PAIR, named(pair))
        choose(SECTION, "Patient by patient")


def _sentence(rows: pd.DataFrame, compared: Comparison) -> str:
    """Model-reader beside reader-reader, for change and for status, in one sentence."""
    rows = rows[rows["label"] == compared.part]
    n = sorted({int(value) for value in rows["n"]}) or [0]
    count = f"n = {n[0]} patients" if len(n) == 1 else f"n = {n[0]} to {n[-1]} patients"
    said = [f"{md(panel)} {_ranges(rows[rows['panel'] == panel])}" for panel in reversed(compared.panels)]
    return (
        f"Agreement, {question.ICC}, about {'; about '.join(said)}; {count}. "
        "Below the first rows: parts of the score, then other intervals (status at the later visit)."
        f"{legend(compared)} Click a row to see its pair."
    )


def _ranges(rows: pd.DataFrame) -> str:
    said = []
    names = {ReaderKind.HUMAN: "readers with each other", ReaderKind.MODEL: "the model with readers"}
    for kind, name in names.items():
        part = rows.loc[rows["kind"] == kind, "estimate"].dropna()
        if len(part):
            low, high = number(part.min()), number(part.max())
            said.append(f"{md(name)} {low}" + (f" to {high}" if high != low else ""))
    return ", ".join(said) or "not computable (too few patients, or no differences)"
