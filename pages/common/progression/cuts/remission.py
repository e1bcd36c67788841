"""Response to therapy of a score that may fall: published cuts at each visit, falls and rises of the sums."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.domain import CohortFilter
from core.markdown import md
from core.patient.joint_sums import combined_grades, sums
from core.progression.remission import counted, falls_and_rises, met
from core.reader_labels import label_kinds, people, shown_readings
from data.queries import scores
from pages.common.page import Page
from pages.common.progression import results
from pages.common.progression.figures import Found, shown_way
from pages.common.progression.question import READERS, Question
from pages.common.provenance import download
from pages.common.queries import ask, computed
from pages.common.shown_table import show_table


def remission_cuts(page: Page, asked: Question, found: Found) -> str:
    """How many patients meet each cut, by visit and arm, and whose sums fell or rose."""
    grades, joined = computed(page, _grades, asked.chosen, asked.scorer)
    if grades.empty:
        st.info("No joint was graded by this scorer.", icon=":material/inbox:")
        return ""
    grid = results.asked_grid(page, asked, shown_way(found))
    arms = dict(zip(grid.subjects.tolist(), grid.arm.tolist(), strict=True))
    visits = [visit for visit in grid.visits if visit in set(grades["visit"])]
    table = counted(met(sums(grades, asked.system), asked.system), asked.system, visits, arms)
    st.markdown("### Cuts of remission and activity")
    show_table(in_words(table))
    who = f"{joined} readings" if joined > 1 else "the reading"
    st.caption(
        f"Patients who meet a published cut, of those of whom a joint could be judged, by {who} (several "
        "decide by more than half; a tie is not met), with 95% Wilson intervals. A joint that was not graded "
        "is in no sum: fewer joints make remission easier to reach, so their number stands beside it."
    )
    moved = falls_and_rises(_both(grades, asked), asked.system, asked.first, asked.last)
    st.markdown(f"### Falls and rises, {md(asked.first)} to {md(asked.last)}")
    show_table(moved)
    st.caption(
        f"Patients whose sum fell, stayed or rose, over the joints graded at both visits. It measures "
        f"{asked.system.measures}, which may fall: a rise is not damage, and a fall within reading error is "
        "not yet response."
    )
    download(table, "remission", label="Cuts (CSV)")
    said = "Published cuts of remission were counted by visit, with Wilson intervals"
    return f"{said}; a missing joint is in no sum."


def _grades(page: Page, chosen: CohortFilter, scorer: str) -> tuple[pd.DataFrame, int]:
    """Grades of the readings that the question asks about, and how many readings these are."""
    rows = shown_readings(ask(page, scores.site_grades, chosen), chosen.campaign)
    kinds = label_kinds(rows)
    wanted = people(kinds) if scorer == READERS else [scorer]
    own: Any = rows[rows["label"].isin(wanted)]
    return own, own["label"].nunique()


def _both(grades: pd.DataFrame, asked: Question) -> pd.DataFrame:
    """Grades with the combined ones of the table beside their parts."""
    columns = ["subject", "visit", "label", "site", "feature", "grade"]
    combination = asked.system.combination
    parts = grades[grades["feature"] != (combination.feature if combination else "")]
    return pd.concat([parts[columns], combined_grades(grades, asked.system)[columns]], ignore_index=True)


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """``cut, visit, arm, patients, joints``."""
    patients = [
        f"{row.met} of {row.n} ({row.share:.0%}, {row.low:.0%} to {row.high:.0%})"
        for row in table.itertuples()
    ]
    return table.assign(patients=patients)[["cut", "visit", "arm", "patients", "joints"]]
