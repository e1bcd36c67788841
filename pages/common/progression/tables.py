"""The tables of the Progression page: by definition and by patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.reader_labels import md_name
from core.report import formatting
from core.scores.display.words import definition_words, is_damage
from core.scores.system import ScoreSystem
from pages.common.clickable_table import clicked_row
from pages.common.page import Page
from pages.common.progression import results
from pages.common.progression.definitions import definitions
from pages.common.progression.figures import WAYS, Found, open_films, shown_way
from pages.common.progression.question import TOTAL, Question
from pages.common.provenance import as_csv, download
from pages.common.queries import computed
from pages.common.shown_table import show_table


def tables(page: Page, asked: Question, found: Found) -> None:
    """Who progressed by every definition, and the numbers of the change."""
    way = shown_way(found)
    who = "Who progressed" if is_damage(asked.system) else "Who worsened or improved"
    st.markdown(f"## {who}, {WAYS[way]}")
    shown: Shown = computed(page, _shown, asked, way)
    show_table(shown.definitions, height="content")
    st.caption(
        f"Patients and proportion with Wilson's 95% interval, differences with Newcombe's; n = "
        f"{found[way]['subjects']}, {_left_out(found[way])}. {_net(asked)}: those above 0 "
        f"minus those below, over all (Tango).{_of_whom(asked)} Scored by: {md_name(asked.scorer)}."
    )
    with st.expander("Numbers of the change, and downloads", icon=":material/table:"):
        number = st.column_config.NumberColumn
        names = ("mean", "sd", "median", "q1", "q3", "low", "high")
        show_table(
            shown.summary,
            column_config={name: number(name, format="%.2f") for name in names},
        )
        st.caption(f"Change in {asked.unit}; low and high: 95% interval of the mean.")
        one, two, three = st.columns(3)
        with one:
            download(shown.summary_csv, "progression", label="Change (CSV)")
        with two:
            download(shown.definitions_csv, "progressors", label="Definitions (CSV)")
        with three:
            download(shown.patients_csv, "change_by_patient", label="Patients (CSV)")


def _net(asked: Question) -> str:
    return definition_words(asked.system, "net progression").capitalize()


def _left_out(result: dict[str, Any]) -> str:
    """How many have no change; why is said under the figure above and in the list below."""
    return f"left out {len(result['left_out'])}, as above" if result["left_out"] else "none left out"


@dataclass(frozen=True)
class Shown:
    """The tables as they are shown and as CSV."""

    definitions: pd.DataFrame
    summary: pd.DataFrame
    definitions_csv: bytes
    summary_csv: bytes
    patients_csv: bytes


def _shown(page: Page, asked: Question, way: str) -> Shown:
    found = results.results(page, asked)
    rows, summary = definitions(page, asked, way), results.summary_table(found)
    patients = pd.DataFrame(found[way]["change"])
    return Shown(
        definition_table(rows, asked.system), summary, as_csv(rows), as_csv(summary), as_csv(patients)
    )


def _of_whom(asked: Question) -> str:
    """Whose new lesions are counted."""
    lesions = [one for one in asked.system.lesions if asked.component in (TOTAL, one.component)]
    if not lesions:
        return ""
    free = [f"{one.patient}: of those in whom no reader saw one before" for one in lesions if one.patient]
    return " " + "; ".join(["New lesions: of the same patients, at sites graded at both visits", *free]) + "."


def definition_table(rows: pd.DataFrame, system: ScoreSystem) -> pd.DataFrame:
    """Definitions by group in words: "5 of 12, 42% (19 to 68)"; differences in points of percent."""
    if rows.empty:
        return rows
    groups = [group for group in dict.fromkeys(rows["group"]) if group != "all"] or ["all"]
    table = []
    for name, own in rows.groupby("definition", sort=False):
        by_group = {row["group"]: row for row in own.to_dict("records")}
        cells = {group: _cell(by_group[group]) if group in by_group else "–" for group in groups}
        words = definition_words(system, formatting.definition(str(name)))
        table.append({"definition": words, **cells})
    return pd.DataFrame(table)


def _cell(row: dict[Any, Any]) -> str:
    if pd.isna(row["estimate"]):
        return "–"
    low, high = row["low"], row["high"]
    if row["kind"] == "difference":
        interval = "" if pd.isna(low) else f" ({100 * low:+.0f} to {100 * high:+.0f})"
        return f"{100 * row['estimate']:+.0f}%{interval}".replace("-", "−")
    interval = "" if pd.isna(low) else f" ({100 * low:.0f} to {100 * high:.0f})"
    return f"{int(row['count'])} of {int(row['n'])}, {100 * row['estimate']:.0f}%{interval}".replace("-", "−")


def patient_table(rows: pd.DataFrame, name: str, asked: Question, site: str = "") -> None:
    """A table with a column ``subject``; a click on a row opens that patient's films."""
    patient = st.column_config.TextColumn("Patient", help="Click to open the films")
    row = clicked_row(rows, name, column_config={"subject": patient})
    if row:
        open_films(str(row["subject"]), asked, site)
