"""The head of the Progression page: the question, its answer in words, the two main figures, the tables."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.markdown import md
from core.progression.pairing import WINDOW_DAYS
from pages.common.page import Page
from pages.common.progression.commands import Chosen, commands
from pages.common.progression.figures import WAYS, Found
from pages.common.progression.grids import chosen_grid
from pages.common.progression.question import READERS, Question
from pages.common.progression.tables import patient_table
from pages.common.provenance import how_made
from pages.common.ways_out.report import report_button


def left_out(page: Page, asked: Question, found: Found) -> None:
    """Who is not counted, and why; a click opens the films."""
    parts = [pd.DataFrame(result["left_out"], columns=["subject", "reason"]).assign(sites=WAYS[way])
             for way, result in found.items()]  # fmt: skip
    gone = pd.concat(parts, ignore_index=True)
    counts = ", ".join(
        f"{len(part)} {part_way}" for part, part_way in zip(parts, (WAYS[w] for w in found), strict=True)
    )
    with st.expander(f"Left out: {counts}", icon=":material/block:"):
        patient_table(gone, "left_out", asked)
        for way, result in found.items():
            for reason, rows in _refused(result).items():
                st.markdown(f"{WAYS[way]}: {rows} readings refused, {md(reason)}: neither is used.")
            for warning in result["warnings"]:
                st.markdown(f"{WAYS[way]}: {md(warning)}")


def _refused(result: dict[str, Any]) -> dict[str, int]:
    """Reason -> readings, such as two totals of one reader on one day."""
    reasons = [str(row["reason"]) for row in result["refused"]]
    return {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}


def _reference(page: Page) -> str:
    """The arm that others are compared with, where it is named and in sight."""
    return str(page.state.get("reference_arm") or "") if page.sees_arm else ""


def footer(page: Page, asked: Question, found: Found) -> None:
    """The commands and settings that made the numbers."""
    readers = next(iter(found.values()))["readers"]
    report_button(page, asked.chosen)
    with st.expander("The same on the command line", icon=":material/terminal:"):
        st.code(commands(page, asked, readers, Chosen.of(st.session_state)), language="bash", wrap_lines=True)
    settings = asked.as_settings() | {"scorer": readers if asked.scorer == READERS else asked.scorer}
    settings |= {"window": WINDOW_DAYS, "reference_arm": _reference(page)}
    grid = chosen_grid(page, asked.chosen, asked.component, asked.rule_used.name)
    frame = pd.DataFrame()
    frame.attrs["sql"] = grid.sql
    how_made(page, asked.chosen, [frame], settings)
