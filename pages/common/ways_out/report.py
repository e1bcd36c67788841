"""The report as a button: made by a job beside the app, then downloaded."""

from __future__ import annotations

import streamlit as st

from core.domain import CohortFilter
from core.markdown import md
from pages.common.jobs import Job, board
from pages.common.page import Page
from pages.common.readings import system_of
from pages.common.watch import again_after

FILE = "report.html"
WATCH_SECONDS = 1


def report_button(page: Page, chosen: CohortFilter) -> None:
    """Make the agreement report of this score and campaign, of all patients; or take the one that is made."""
    words, button = st.columns([4, 1], vertical_alignment="center")
    title = system_of(chosen).title
    words.markdown(
        f":material/description: **Report**: the {title} agreement evidence of all patients as one file that "
        "needs no server; its first page stands alone."
    )
    with button:
        job = _job(page, chosen)
        if job is not None and job.is_running:
            _progress(page, chosen)
        else:
            _made(page, chosen, job)


@st.fragment
def _progress(page: Page, chosen: CohortFilter) -> None:
    """How far the job is; looked at again and again only while it runs."""
    again_after(WATCH_SECONDS, "watch_report")
    job = _job(page, chosen)
    if job is None or not job.is_running:
        st.rerun()  # without the watch
        return
    st.markdown(f":material/hourglass_top: Making the report: {md(job.progress[2] or 'starting')}")


def _made(page: Page, chosen: CohortFilter, job: Job | None) -> None:
    if job is None or not job.made.exists():
        if job is not None:
            st.error(f"The report was not made: {md(job.complaint)}", icon=":material/build:")
        if st.button("Make the report", icon=":material/description:", key="make_report"):
            given = ["report", *_options(chosen)]
            board().start(_title(page, chosen), page.path, given, actor=page.person, makes=FILE)
            st.rerun()
        return
    name = f"sharpline_report_{chosen.system}_version_{page.version}.html"
    content = job.made.read_bytes()
    st.download_button(
        "Download the report", content, name, "text/html", icon=":material/download:", type="primary",
        key="download_report", on_click="ignore",
    )  # fmt: skip


def _options(chosen: CohortFilter) -> list[str]:
    campaign = ["--campaign", chosen.campaign] if chosen.campaign else []
    return ["--system", chosen.system, *campaign]


def _title(page: Page, chosen: CohortFilter) -> str:
    return f"Report of {system_of(chosen).title}, cohort version {page.version}"


def _job(page: Page, chosen: CohortFilter) -> Job | None:
    """The newest report of this cohort, version, score and campaign."""
    wanted = ["report", *_options(chosen)]
    for job in board().jobs:
        is_same = job.title == _title(page, chosen) and job.arguments[: len(wanted)] == wanted
        if is_same and job.cohort == page.path:
            return job
    return None
