"""What the sections of the Agreement page share: sticky choices, figures with their data, cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.domain import ReaderKind
from core.markdown import md
from core.reader_labels import display_name, md_name, short_names, truths
from core.report import formatting
from pages.common import url_state
from pages.common.agreement.question import Comparison
from pages.common.charts import chart, clickable
from pages.common.clickable_table import clicked_row, height_for, record
from pages.common.provenance import as_csv, download
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick

PAIR = "agreement_pair"
SECTION = "agreement_section"
CASES = "agreement_cases"  # what a square that was clicked holds: key -> title and frame
MAX_LISTED = 200
NO_WIDTH = (
    "Where low and high are equal there is no spread to make an interval from: it does not mean certainty."
)
STATISTICS = {
    "bland_altman.bias": "mean difference (bias)",
    "bland_altman.sd": "SD of the differences",
    "bland_altman.loa.lower": "lower limit of agreement",
    "bland_altman.loa.upper": "upper limit of agreement",
    "mdc95": "MDC95, one reader",
    "ccc": "CCC",
    "kappa.quadratic": "quadratic kappa",
    "exact_agreement": "same grade",
    "within_one": "at most one grade apart",
}


def named(pair: tuple[str, str]) -> str:
    return f"{pair[0]} – {pair[1]}"


def readable_pair(first: str, second: str, between: str = " – ") -> str:
    """Two readings by the names that a page shows."""
    return f"{display_name(first)}{between}{display_name(second)}"


def pick_pair(compared: Comparison, pairs: Sequence[tuple[str, str]] | None = None) -> tuple[str, str]:
    """The pair of readings that is looked at; a pair with the model where there is one."""
    known = compared.pairs if pairs is None else pairs
    options = {named(pair): pair for pair in known}
    with_model = [name for name, pair in options.items() if compared.pair(*pair).kind == ReaderKind.MODEL]

    def shown(name: str) -> str:
        return readable_pair(*options[name])

    return options[pick("Pair", list(options), PAIR, with_model[0] if with_model else "", format_func=shown)]


def shorts(compared: Comparison) -> dict[str, str]:
    """Label -> a few letters: R1, M for the model."""
    return short_names(compared.kinds)


def legend(compared: Comparison) -> str:
    """What the short names stand for, where they differ from the names."""
    hidden = [] if compared.question.truth else truths(compared.kinds)
    named_ = [
        f"{md(short)}: {md_name(label)}"
        for label, short in shorts(compared).items()
        if short != label and label not in hidden
    ]
    return f" {'; '.join(named_)}." if named_ else ""


def figure(
    drawn: Any, name: str, *, alt: str, sentence: str, data: pd.DataFrame | bytes, clicks: bool = False
) -> list[Any] | None:
    """A figure, one plain sentence under it, and its data as CSV; what was clicked, where it can be."""
    clicked = None
    if clicks:
        clicked = clickable(drawn, name, alt=alt)
    else:
        chart(drawn, name, alt=alt)
    sentence_with_data(sentence, data, name)
    return clicked


def sentence_with_data(sentence: str, data: pd.DataFrame | bytes, name: str) -> None:
    """The sentence under a figure, with its data beside it."""
    with st.container(horizontal=True, wrap=False):
        st.caption(sentence, width="stretch")
        download(data, name)


def open_case(compared: Comparison, subject: str, site: str = "", visit: str = "") -> None:
    """Leave for the films of a patient, at a site and visit where they are named."""
    asked, visits = compared.question, compared.readings.visits
    first, last = asked.first, asked.last
    if visit and visit not in (first, last):
        first, last = (first, visit) if visits.index(visit) > visits.index(first) else (visit, last)
    url_state.open_patient(subject, site=site, first=first, last=last)


def open_row(compared: Comparison, row: Mapping[str, Any], sites: Sequence[str]) -> None:
    """Open a case of ``subject`` and, where they are named, ``visit`` and ``site``."""
    site = str(row.get("site", ""))
    visit = str(row.get("visit", ""))
    open_case(compared, str(row["subject"]), site if site in sites else "", visit)


def opening_table(
    compared: Comparison, rows: pd.DataFrame, key: str, sites: Sequence[str] = (), height: int = 250
) -> None:
    """A table of cases; a click on a row opens its patient and films.

    rows: ``subject``, maybe ``visit`` and ``site``; what else it holds is shown as numbers to one decimal.
    """
    shown = rows.head(MAX_LISTED)
    numbers = {
        name: st.column_config.NumberColumn(
            display_name(str(name)), format="%+.1f" if name == "difference" else "%.1f", width="small"
        )
        for name in shown.columns
        if pd.api.types.is_numeric_dtype(shown[name])
    }
    row = clicked_row(shown, key, column_config=numbers, height=height_for(shown, height))
    if row:
        open_row(compared, row, sites)


def open_first(compared: Comparison, cases: pd.DataFrame, title: str, key: str, sites: Sequence[str]) -> None:
    """Open the first case of a square that was clicked; the others are listed for who comes back."""
    if cases.empty:
        st.toast(f"{md(title)}: no case to open.")
        return
    st.session_state[CASES] = {"key": (key, compared.question), "title": title, "rows": cases}
    open_row(compared, record(cases, 0), sites)


def listed_cases(compared: Comparison, key: str, sites: Sequence[str]) -> None:
    """The cases of the square that was clicked last, if it belongs here."""
    held = st.session_state.get(CASES)
    if not held or held["key"] != (key, compared.question):
        return
    rows = held["rows"]
    cases = f"{len(rows):,} {'case' if len(rows) == 1 else 'cases'}"
    st.markdown(
        f"**{md(held['title'])}**: {cases}. Click a row to open the patient and the {compared.images}."
    )
    opening_table(compared, rows, f"{key}_cases", sites)
    download(rows, f"{key}_cases")


def readable(found: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``compare`` for a table on the page: statistics by name, without what is technical."""
    names = found["statistic"].map(lambda name: STATISTICS.get(name, name))
    technical = ["kind", "interval", "draws_without_value"]
    return found.drop(columns=technical, errors="ignore").assign(statistic=names)


def numbers_table(found: pd.DataFrame, name: str) -> None:
    """Every number of a section: a table with estimates to three decimals, and its CSV in full."""
    table = readable(found)
    show_numbers(table, as_csv(table), name)


def show_numbers(table: pd.DataFrame, content: bytes, name: str) -> None:
    """A table of ``readable`` with its CSV."""
    shown = {key: st.column_config.NumberColumn(format="%.3f") for key in ("estimate", "low", "high")}
    show_table(table, column_config=shown)
    if {"low", "high"} <= set(table) and (table["low"] == table["high"]).any():
        st.caption(NO_WIDTH)
    download(content, name)


def with_limits(value: float | None, low: float | None, high: float | None, *, plus: bool = False) -> str:
    """A number with its interval as text, a dash where it is missing; an interval without width is said to be
    none, as all patients agree then and nothing is known of its certainty."""
    if value is not None and low is not None and low == high:
        return f"{formatting.number(value, signed=plus)} (no spread, no interval)"
    return formatting.with_interval([value, low, high], signed=plus)


def beside(count: int) -> list[Any]:
    """Columns for status and change; one where there is no change."""
    return list(st.columns(count))


def titled(compared: Comparison, panel: str) -> None:
    what = md(compared.what(panel))
    st.markdown(f"## {what[:1].upper()}{what[1:]}")
