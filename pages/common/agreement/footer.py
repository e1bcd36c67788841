"""The end of the Agreement page: who is left out, and how it was made."""

from __future__ import annotations

import streamlit as st

from core.markdown import md
from core.scores.display.partly_read import in_words, partly_read
from data.queries import scores
from pages.common.agreement import statistics
from pages.common.agreement.question import ICC, Comparison
from pages.common.agreement.widgets import MAX_LISTED, opening_table
from pages.common.page import Page
from pages.common.provenance import download, how_made
from pages.common.queries import ask
from pages.common.readings import rejected_films, system_of
from pages.common.ways_out.report import report_button


def left_out(page: Page, compared: Comparison) -> None:
    """Who is not in the figures, and why; a click on a row opens the films."""
    asked = compared.question
    gone = statistics.left_out(page, asked)
    system, totals = system_of(asked.chosen), compared.readings.totals
    shown = totals[totals["visit"].isin([asked.first, asked.last]) & totals["label"].isin(compared.kinds)]
    if part := in_words(partly_read(shown, system), system):
        st.warning(part, icon=":material/rule:")
    refused = ask(page, scores.abstentions, asked.chosen)
    visits = " or ".join(dict.fromkeys([asked.first, asked.last]))
    title = (
        f"Left out: {gone['subject'].nunique()} patients who lack a total at {md(visits)}; "
        f"{refused['image'].nunique()} {compared.images} rejected by the model (all visits)"
    )
    with st.expander(title, icon=":material/block:"):
        st.caption(
            f"Click a row to open the patient and the {compared.images}. "
            f"At most {MAX_LISTED} rows; the CSV has all."
        )
        opening_table(compared, gone, "agreement_gone")
        named = refused[refused["subject"].notna()]
        opening_table(
            compared, rejected_films(named), "agreement_refused",
        )  # fmt: skip
        download(gone, "left_out")


def footer(page: Page, compared: Comparison) -> None:
    asked = compared.question
    report_button(page, asked.chosen)
    settings = {"from": asked.first, "to": asked.last, "component": asked.component, "icc": ICC}
    settings |= {"truth": "shown" if asked.truth else ""}
    settings |= {"limits": "1.96 SD, exact intervals", "rule": system_of(asked.chosen).default_rule.name}
    how_made(page, asked.chosen, [ask(page, scores.totals, asked.chosen)], settings)
