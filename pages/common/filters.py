"""The one filter of all pages: in the sidebar, kept over page changes, written into the address.

Widgets forget their value when the page changes, so each is seeded from the saved filter and reports to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from core import scores as systems
from core.domain import CohortFilter
from core.markdown import md
from core.reader_labels import people_campaigns
from data.queries import cohort, scores
from pages.common import guards, url_state
from pages.common import session_keys as keys
from pages.common.page import Page
from pages.common.queries import ask, asking, fetch

T = TypeVar("T")


def cohort_filter(page: Page) -> CohortFilter:
    """Draw the filter and return what is selected.

    The scoring system is one in which somebody has scored, the campaign a real one where human readers read.
    """
    forget_selection()
    saved: CohortFilter = st.session_state.setdefault(keys.FILTER, CohortFilter())
    with guards.errors_shown():
        levels, held, readers, *_ = fetch(
            page,
            asking(cohort.levels),
            asking(scores.systems),
            asking(scores.readers, saved.system),
            asking(cohort.counts),
            asking(scores.runs, saved.system),
        )
        scored = [name for name in systems.names() if name in set(held["system"])]
        if scored and saved.system not in scored:
            saved = replace(saved, system=scored[0], campaign="")
            readers = ask(page, scores.readers, saved.system)
    asked, saved = saved, _possible(saved, levels)
    st.session_state[keys.FILTER] = saved
    _say_unknown(asked, saved)
    with st.sidebar:
        _draw(page, saved, levels, scored, people_campaigns(readers))
        _count(page, saved)
    url_state.write()
    return with_campaign(saved, readers)


def with_campaign(chosen: CohortFilter, readers: pd.DataFrame) -> CohortFilter:
    """The filter with the campaign that counts: the chosen one, else the one with most patients."""
    known = people_campaigns(readers)
    campaign = chosen.campaign if chosen.campaign in known else next(iter(known), "")
    return replace(chosen, campaign=campaign)


def _draw(
    page: Page, saved: CohortFilter, levels: pd.DataFrame, scored: list[str], campaigns: list[str]
) -> None:
    st.markdown("## Filter")
    if len(scored) > 1:
        st.session_state[keys.SYSTEM] = saved.system
        st.selectbox(
            "Scoring system",
            scored,
            key=keys.SYSTEM,
            on_change=_keep,
            format_func=lambda name: systems.get(name).title,
        )
    if page.sees_arm:
        _many("Treatment arm", keys.ARMS, saved.arms, _counted(levels, "arm"))
    if not page.is_reader:
        _many("Sex", keys.SEXES, saved.sexes, _counted(levels, "sex"))
        _covariates(saved, levels)
    if len(campaigns) > 1:
        st.session_state[keys.CAMPAIGN] = saved.campaign if saved.campaign in campaigns else campaigns[0]
        st.selectbox("Reading campaign", campaigns, key=keys.CAMPAIGN, on_change=_keep)
    if saved != CohortFilter(system=saved.system, campaign=saved.campaign):
        st.button("Clear the filter", key=keys.CLEAR, on_click=_clear, icon=":material/filter_alt_off:")


def _many(title: str, key: str, values: tuple[str, ...], counts: dict[str, int]) -> None:
    if len(counts) < 2 and not values:
        return
    st.session_state[key] = [value for value in values if value in counts]
    st.multiselect(
        title, list(counts), key=key, on_change=_keep, placeholder="all",
        format_func=lambda level: f"{level} ({counts[level]})",
    )  # fmt: skip


def _covariates(saved: CohortFilter, levels: pd.DataFrame) -> None:
    rows = levels[levels["kind"] == "covariate"]
    names = rows["name"] + ": " + rows["level"]
    counts = dict(zip(names, rows["patients"].astype(int).tolist(), strict=True))
    if counts or saved.covariates:
        _many("Covariate", keys.COVARIATES, tuple(f"{n}: {v}" for n, v in saved.covariates), counts)


def _counted(levels: pd.DataFrame, kind: str) -> dict[str, int]:
    rows = levels[levels["kind"] == kind]
    return dict(zip(rows["level"], rows["patients"].astype(int).tolist(), strict=True))


def _possible(saved: CohortFilter, levels: pd.DataFrame) -> CohortFilter:
    """The filter without levels that this cohort, or this viewer, does not have."""
    known = {kind: set(rows["level"]) for kind, rows in levels.groupby("kind")}
    pairs = set(zip(levels["name"], levels["level"], strict=True))
    return replace(
        saved,
        arms=tuple(arm for arm in saved.arms if arm in known.get("arm", ())),
        sexes=tuple(sex for sex in saved.sexes if sex in known.get("sex", ())),
        visits=tuple(visit for visit in saved.visits if visit in known.get("visit", ())),
        covariates=tuple(pair for pair in saved.covariates if pair in pairs),
    )


def _without(asked: tuple[T, ...], possible: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(value for value in asked if value not in possible)


def _say_unknown(asked: CohortFilter, possible: CohortFilter) -> None:
    """What a link asks for and this cohort, or this viewer, does not have."""
    gone = CohortFilter(
        arms=_without(asked.arms, possible.arms),
        sexes=_without(asked.sexes, possible.sexes),
        visits=_without(asked.visits, possible.visits),
        covariates=_without(asked.covariates, possible.covariates),
    )
    words = selection_words(gone)
    if words:
        st.warning(f"Not known here, so not filtered by: {md(words)}.", icon=":material/filter_alt_off:")


def _keep() -> None:
    saved: CohortFilter = st.session_state[keys.FILTER]
    state: Any = st.session_state
    pairs = (text.partition(": ") for text in state.get(keys.COVARIATES, ()))
    system = state.get(keys.SYSTEM, saved.system)
    if system != saved.system:
        url_state.go(site="")  # its sites are others
    st.session_state[keys.FILTER] = replace(
        saved,
        system=system,
        arms=tuple(state.get(keys.ARMS, ())),
        sexes=tuple(state.get(keys.SEXES, ())),
        covariates=tuple((name, level) for name, _, level in pairs),
        campaign=state.get(keys.CAMPAIGN, saved.campaign) if system == saved.system else "",
    )


def _clear() -> None:
    saved: CohortFilter = st.session_state[keys.FILTER]
    st.session_state[keys.FILTER] = CohortFilter(system=saved.system, campaign=saved.campaign)


def selection_line(page: Page, chosen: CohortFilter) -> None:
    """Who the results below are of, where a filter leaves some: a line here, and in what is saved from them.

    Figures have it inside (``pages.common.charts``), CSV files in their names (``pages.common.provenance``).
    """
    words = selection_words(chosen)
    if not words:
        return
    inside, everyone = _counts(page, chosen)
    text = f"{inside:,} of {everyone:,} patients: {words}"
    st.session_state[keys.SELECTION] = (text, f"{inside}_of_{everyone}")
    st.markdown(f":material/filter_alt: **{md(text)}**")


def selection_words(chosen: CohortFilter) -> str:
    """The filter in words, such as "arm Active; sex F; HLA-B27 positive"; empty where it leaves everybody."""
    named = {"arm": chosen.arms, "sex": chosen.sexes, "visit": chosen.visits, "patient": chosen.subjects}
    said = [f"{name} {' or '.join(values)}" for name, values in named.items() if values]
    levels: dict[str, list[str]] = {}
    for name, level in chosen.covariates:
        levels.setdefault(name, []).append(level)
    return "; ".join(said + [f"{name} {' or '.join(values)}" for name, values in levels.items()])


def forget_selection() -> None:
    """What is saved from this page is of no selection."""
    st.session_state.pop(keys.SELECTION, None)


def _counts(page: Page, chosen: CohortFilter) -> tuple[int, int]:
    """Patients inside the filter, and all."""
    with guards.errors_shown():
        inside = len(ask(page, cohort.chosen_subjects, chosen))
        return inside, int(ask(page, cohort.counts)["subjects"].iloc[0])


def _count(page: Page, chosen: CohortFilter) -> None:
    inside, everyone = _counts(page, chosen)
    left = everyone - inside
    st.caption(f"**{inside}** of {everyone} patients" + (f"; {left} left out by the filter" if left else ""))
