"""Sums over the joints of both visits, of how many joints they are, and the published cuts of remission."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.markdown import md
from core.patient.joint_sums import Cut, cuts, sums
from core.reader_labels import display_name
from core.scores.system import ScoreSystem
from pages.common.patient.case import Case
from pages.common.shown_table import show_table

MET = {True: "yes", False: "no", None: "not known: no joint graded"}


def joint_sums(case: Case) -> None:
    """A row for each reading and visit: sums with their denominators, queries, and the cuts."""
    visits = list(dict.fromkeys([case.first, case.last]))
    grades = case.grades[case.grades["visit"].isin(visits)]
    if grades.empty:
        return
    st.markdown("### Sums over joints")
    show_table(table_of(sums(grades, case.system), case.system, visits))
    at = md(" or ".join(visits))
    st.caption(
        f"A sum is over the joints that the reading graded at {at}, whose number is in brackets; nothing is "
        "filled up, so sums of other joints do not compare. Combined grades are looked up from both "
        "parts; a query is a "
        "joint whose parts contradict each other, and has none. The cuts are published ones of remission and "
        "activity; missing joints are not known to be in remission."
    )


def table_of(rows: pd.DataFrame, system: ScoreSystem, visits: list[str]) -> pd.DataFrame:
    """``visit, reading``, a column for each sum (``sum of joints``), ``queries``, and one for each cut."""
    found = []
    places = rows["visit"].map({visit: place for place, visit in enumerate(visits)})
    for _, row in rows.assign(place=places).sort_values(["label", "place"]).iterrows():
        shown = {"reading": display_name(row["label"]), "visit": row["visit"]}
        for component in system.components:
            shown[component.title] = _of_joints(row[component.name], row[f"{component.name}_joints"])
        shown["queries"] = str(row["queries"]) if row["queries"] else ""
        shown |= {cut.name: _met(cut) for cut in cuts(row, system)}
        found.append(shown)
    return pd.DataFrame(found)


def _of_joints(total: float, joints: int) -> str:
    return f"{total:.0f} ({joints} joint{'' if joints == 1 else 's'})" if joints else "no joint"


def _met(cut: Cut) -> str:
    return MET[cut.is_met]
