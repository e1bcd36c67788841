"""How was this made: filter, query, cohort version, model and weights, software version."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from core.domain import CohortFilter
from core.learned_from import in_words, notices, of_settings
from core.markdown import md
from core.reader_labels import md_name
from core.spreadsheet import safe_frame, safe_text
from data.queries import scores
from data.store.transaction import software_version
from pages.common import session_keys as keys
from pages.common.page import Page
from pages.common.queries import ask
from pages.common.ways_out.chosen import chosen as chosen_below
from pages.common.ways_out.described import for_the_paper
from pages.common.ways_out.question_words import as_list, listed


def how_made(
    page: Page, chosen: CohortFilter, frames: Iterable[pd.DataFrame], settings: dict[str, Any] | None = None
) -> None:
    """What ends a page: sentences for the paper, and how to get the same numbers again."""
    _for_the_paper()
    with st.expander("How was this made?", icon=":material/receipt_long:"):
        runs = ask(page, scores.runs, chosen.system)
        st.markdown(f"Cohort version **{page.version}** · Sharpline **{software_version()}**{_models(runs)}")
        if page.state["phantom"]:
            st.markdown("Patients and images are **phantoms**.")
        for sentence in _learned(runs):
            st.markdown(sentence)
        if page.state.get("data_set"):
            st.markdown(md(page.state["data_set"]["notice"]))
        given = {name: value for name, value in asdict(chosen).items() if value} | (settings or {})
        st.markdown(as_list(given))
        _of_the_section()
        for sql in dict.fromkeys(frame.attrs.get("sql", "") for frame in frames):
            if sql:
                st.code(sql, language="sql", wrap_lines=True)


def _of_the_section() -> None:
    """What was chosen below the question: beside the figures, and in the section that is open."""
    found = chosen_below()
    if found.above:
        st.markdown(listed(found.above.values()))
    if found.section:
        st.markdown(f"Section **{md(found.section)}**" + ("" if found.inside else ": nothing to choose"))
        st.markdown(listed(found.inside.values()))


def _for_the_paper() -> None:
    """The methods of this page and its open section in sentences, with a button that copies them."""
    methods = for_the_paper()
    if methods:
        with st.expander("Methods, in sentences for the paper", icon=":material/article:"):
            st.code(methods, language=None, wrap_lines=True)


def _models(runs: pd.DataFrame) -> str:
    newest = runs.drop_duplicates("reader")
    return "".join(
        f" · {md_name(reader)}, weights `{str(weights)[:12]}`"
        for reader, weights in zip(newest["reader"], newest["weights_hash"], strict=True)
    )


def _learned(runs: pd.DataFrame) -> list[str]:
    """What each model learned from, and what the owners of the films ask to be said."""
    newest = runs.drop_duplicates("reader")
    said, owners = [], []
    for reader, settings in zip(newest["reader"], newest["settings"], strict=True):
        steps = of_settings(settings)
        said.append(f"{md_name(reader)} learned {md(in_words(steps))}.")
        owners += [md(notice) for notice in notices(steps)]
    return [*said, *dict.fromkeys(owners)]


def as_csv(frame: pd.DataFrame) -> bytes:
    """A table as CSV, numbers in full precision."""
    return safe_frame(frame).to_csv(index=False).encode()


def selected(content: bytes, words: str) -> bytes:
    """A CSV with the filter in its last column, as every row is of these patients; as it is without one."""
    if not words:
        return content
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([*row, safe_text(words) if place else "selection"] for place, row in enumerate(rows))
    return out.getvalue().encode()


def download(table: pd.DataFrame | bytes, name: str, *, label: str = "CSV") -> None:
    """A button that gives a table, or what ``as_csv`` made of it, as CSV; the name says of how many."""
    words, short = st.session_state.get(keys.SELECTION, ("", ""))
    content = selected(table if isinstance(table, bytes) else as_csv(table), words)
    file = f"{name}_{short}.csv" if short else f"{name}.csv"
    st.download_button(
        label, content, file, "text/csv", icon=":material/download:", key=f"download_{name}",
    )  # fmt: skip
