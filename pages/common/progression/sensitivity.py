"""How much does the result move? Every missing-site rule with every missing-film method."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.figures.progression.sensitivity import sensitivity_forest
from core.progression.missing.methods import BY_NAME
from core.progression.missing.sensitivity import MEAN
from core.report import formatting
from core.scores.display.words import of_images
from pages.common.charts import chart
from pages.common.page import Page
from pages.common.progression.missing_data import is_known, panel_of_rule
from pages.common.progression.question import Question
from pages.common.provenance import download
from pages.common.shown_table import show_table
from pages.common.sticky_widgets import pick
from pages.common.ways_out.change_sections import sensitivity_methods


def sensitivity(page: Page, asked: Question, found: dict[str, dict[str, Any]]) -> str:
    """The button, and the panel once it is computed."""
    rules = asked.system.rules
    done = all(is_known(page, asked, rule.name) for rule in rules)
    if st.button(
        f"Compute {len(rules)} rules for missing sites × {len(BY_NAME)} methods for missing {asked.images}",
        type="primary", icon=":material/play_arrow:", disabled=done,
    ):  # fmt: skip
        bar = st.progress(0.0)
        for place, rule in enumerate(rules):
            bar.progress(place / len(rules), text=f"{place + 1} of {len(rules)}: {rule.title}")
            panel_of_rule(page, asked, rule.name)
        bar.empty()
        done = True
    if not done:
        st.caption(
            "Other rules are computed from the site grades: this can take a minute, and more for many "
            "patients or on a busy machine. A bar says how far it is; the result is kept for this version."
        )
        return ""
    table = pd.concat([panel_of_rule(page, asked, rule.name) for rule in rules], ignore_index=True)
    _show(page, asked, table)
    if table.empty:
        return ""
    titles = [one.title for one in BY_NAME.values()]
    return of_images(asked.system, sensitivity_methods([rule.title for rule in rules], titles))


def _range(values: pd.Series) -> str:
    low, high = (formatting.signed(value) for value in (values.min(), values.max()))
    return f"from {low} to {high}"


def _show(page: Page, asked: Question, table: pd.DataFrame) -> None:
    if table.empty:
        st.info("No rule leaves a patient with a change.", icon=":material/inbox:")
        return
    measures = list(dict.fromkeys(table["measure"]))
    groups = list(dict.fromkeys(table.loc[table["kind"] == "difference", "group"]))
    groups += [group for group in dict.fromkeys(table["group"]) if group not in groups]
    one, two = st.columns(2)
    with one:
        measure = pick("What", measures, "progression_measure")
    with two:
        group = pick("Of", groups, "progression_of")
    rows = table[(table["measure"] == measure) & (table["group"] == group)]
    titles = {rule.name: rule.title for rule in asked.system.rules}
    rows = rows.assign(
        rule=rows["rule"].map(titles), title=[BY_NAME[method].title for method in rows["method"]]
    )
    rows["title"] = [of_images(asked.system, title) for title in rows["title"]]
    unit = asked.unit if measure == MEAN else "proportion of patients"
    figure = sensitivity_forest(rows, unit=f"{measure}, {group} ({unit})", on=page.look)
    chart(figure, "sensitivity", alt=f"{measure} of {group} under every rule and method")
    known = pd.to_numeric(rows["estimate"], errors="coerce").dropna()
    moved = _range(known) if len(known) else "nowhere"
    st.caption(
        f"The result moves {moved} over {len(rows)} ways. Beside each way: n, {asked.images} imputed, sites "
        "imputed by the rule. Singly imputed values count as observed, so their intervals are too narrow."
    )
    numbers = st.column_config.NumberColumn
    show_table(
        rows.drop(columns=["kind", "title", "measure", "group"]),
        column_config={name: numbers(name, format="%.3f") for name in ("estimate", "low", "high")},
    )  # fmt: skip
    download(table, "sensitivity", label="Whole panel (CSV)")
