"""The jobs of the Import page: progress, cancelling, results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.markdown import md
from pages.common import session_keys as keys
from pages.common.jobs import Job, board
from pages.common.shown_table import show_table
from pages.common.watch import again_after

WATCH_SECONDS = 1
MAX_SHOWN = 300
TABLES = ("reads", "subjects")  # commands over a table


@st.fragment
def jobs() -> None:
    """What runs now, with progress and a button to cancel it, and what ended.

    When a job ends the whole page runs again: what it brought may have been written, and drawn below, while
    it still ran.
    """
    running = board().running
    if one_has_ended(running):
        st.rerun()
    if running:
        again_after(WATCH_SECONDS, "watch_jobs")
    for number, job in enumerate(board().jobs):
        if job in running:
            _running(number, job)
    ended = [job for job in board().jobs if job not in running]
    for job in ended[:1]:
        _ended(job)
    if len(ended) > 1:
        with st.expander(f"Earlier: {len(ended) - 1}", icon=":material/history:"):
            for job in ended[1:]:
                _ended(job)


def one_has_ended(running: list[Job]) -> bool:
    """Whether a job ran when this was asked last, in this session, and runs no more."""
    before = st.session_state.get(keys.RUNNING_JOBS, frozenset())
    now = frozenset(str(job.folder) for job in running)
    st.session_state[keys.RUNNING_JOBS] = now
    return bool(before - now)


def _running(number: int, job: Job) -> None:
    done, total, line = job.progress
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    text = f"{md(job.title)}: {done} of {total}" if total else f"{md(job.title)}: {md(line or 'starting')}"
    bar.progress(min(done / total, 1.0) if total else 0.0, text="stopping" if job.cancelled else text)
    stop.button("Cancel", key=f"cancel_{number}", on_click=job.cancel, disabled=job.cancelled)


def _ended(job: Job) -> None:
    seconds = f"{job.seconds or 0:.0f} s"
    if job.cancelled:
        st.warning(
            f"{md(job.title)}: cancelled after {seconds}. What was done is kept; start it again to continue."
        )
    elif job.status not in (0, 1):
        st.error(f"{md(job.title)}: {_why(job)}", icon=":material/build:")
    else:
        st.success(
            f"{md(job.title)}: done in {seconds}. {_counts(job.result)}", icon=":material/check_circle:"
        )
    for name in ("refused", "abstained", "unassigned", "flagged"):
        rows = job.result.get(name)
        if isinstance(rows, list) and rows:
            with st.expander(f"{name.capitalize()}: {len(rows)}"):
                shown = pd.DataFrame([_with_file(job, row) for row in rows[:MAX_SHOWN]])
                show_table(shown)


def _why(job: Job) -> str:
    """Why nothing was done: the first refusal with its file, else the last line of the command."""
    refused = job.result.get("refused")
    if isinstance(refused, list) and refused:
        first = _with_file(job, refused[0])
        row = f", row {first['row']}" if first.get("row") else ""
        others = f"; and {len(refused) - 1} more, listed below" if len(refused) > 1 else ""
        return f"nothing was imported. {md(first['file'])}{row} was refused: {md(first['reason'])}{others}"
    return md(job.complaint or "the command failed without a message")


def _with_file(job: Job, row: dict[str, Any]) -> dict[str, Any]:
    """A refused row with its file in front: a table's rows say none, as there is one table."""
    if row.get("file") or job.arguments[0] not in TABLES:
        return row
    return {"file": Path(job.arguments[1]).name, **row}


def _counts(result: dict[str, Any]) -> str:
    return ", ".join(
        f"{len(value) if isinstance(value, list) else value} {name.replace('_', ' ')}"
        for name, value in result.items()
        if isinstance(value, int | list) and not isinstance(value, bool)
    )
