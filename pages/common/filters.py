"""The one filter of all pages: in the sidebar, kept over page changes, written into the address.

Widgets forget their value when the page changes, so each is seeded from the saved filter and reports to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from core import scores as systems
from core.domain import BIRTH_YEAR, CohortFilter
from core.facets import ARM, CENTRE, COVARIATE, SEX, Facets, by_name, range_words
from core.markdown import md
from core.reader_labels import people_campaigns
from data.queries import cohort, scores
from pages.common import guards, url_state
from pages.common import session_keys as keys
from pages.common.page import Page
from pages.common.queries import ask, asking, computed, fetch
from pages.common.views.notices import notice

T = TypeVar("T")
MAX_VALUES = 60  # of a covariate that is offered: more of them are free text


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
            asking(cohort.properties),
            asking(cohort.chosen_subjects, CohortFilter()),
        )
        scored = [name for name in systems.names() if name in set(held["system"])]
        if scored and saved.system not in scored:
            _say_system(saved.system, scored[0])
            saved = replace(saved, system=scored[0], campaign="")
            readers = ask(page, scores.readers, saved.system)
        offered: Offered = computed(page, _offered, saved)
    asked, saved = saved, _possible(saved, levels, offered)
    if saved.campaign == next(iter(people_campaigns(readers)), ""):
        saved = replace(saved, campaign="")  # the default stays out of addresses
    st.session_state[keys.FILTER] = saved
    _say_unknown(asked, saved, people_campaigns(readers))
    with st.sidebar:
        _draw(page, saved, offered, scored, people_campaigns(readers))
        _count(page, saved)
    url_state.write()
    shown = with_campaign(saved, readers)
    st.session_state[keys.SHOWN_FILTER] = shown
    return shown


def _say_system(asked: str, shown: str) -> None:
    """A score that a link asks for and nobody has given here; the usual one without a word."""
    if asked != CohortFilter().system:
        notice(f"Scoring system: nobody has scored {asked} here, {systems.get(shown).title} is shown.")


def with_campaign(chosen: CohortFilter, readers: pd.DataFrame) -> CohortFilter:
    """The filter with the campaign that counts: the chosen one, else the one with most patients."""
    known = people_campaigns(readers)
    campaign = chosen.campaign if chosen.campaign in known else next(iter(known), "")
    return replace(chosen, campaign=campaign)


def _draw(page: Page, saved: CohortFilter, offered: Offered, scored: list[str], campaigns: list[str]) -> None:
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
        _many("Treatment arm", keys.ARMS, saved.arms, offered.counts[ARM])
    if not page.is_reader:
        _many("Sex", keys.SEXES, saved.sexes, offered.counts[SEX])
        _many("Centre", keys.CENTRES, saved.centres, offered.counts[CENTRE])
        pairs = tuple(f"{name}: {level}" for name, level in saved.covariates)
        _many("Covariate", keys.COVARIATES, pairs, offered.covariates)
        _ranges(saved, offered.limits)
    if len(campaigns) > 1:
        st.session_state[keys.CAMPAIGN] = saved.campaign if saved.campaign in campaigns else campaigns[0]
        st.selectbox("Reading campaign", campaigns, key=keys.CAMPAIGN, on_change=_keep)
    if saved != CohortFilter(system=saved.system, campaign=saved.campaign):
        st.button("Clear the filter", key=keys.CLEAR, on_click=_clear, icon=":material/filter_alt_off:")


@dataclass(frozen=True)
class Offered:
    """What one can filter by. counts: kind -> value -> (left by the rest of the filter, all); covariates: the
    same by "name: value"; limits: number -> (least, largest).
    """

    counts: dict[str, dict[str, tuple[int, int]]]
    covariates: dict[str, tuple[int, int]]
    limits: dict[str, tuple[float, float]]
    pairs: frozenset[tuple[str, str]]


def _offered(page: Page, chosen: CohortFilter) -> Offered:
    """What this viewer can filter by, with how many patients each value would leave."""
    properties = ask(page, cohort.properties)
    everybody = ask(page, cohort.chosen_subjects, CohortFilter())
    facets = Facets(pd.Index(everybody["subject"]), properties)
    by_covariate = {name: facets.counts(COVARIATE, chosen, name) for name in facets.names()}
    by_covariate = {name: found for name, found in by_covariate.items() if len(found) <= MAX_VALUES}
    return Offered(
        {kind: facets.counts(kind, chosen) for kind in (ARM, SEX, CENTRE)},
        {f"{name}: {value}": n for name, found in by_covariate.items() for value, n in found.items()},
        facets.limits(),
        frozenset((name, value) for name, found in by_covariate.items() for value in found),
    )


def _many(title: str, key: str, values: tuple[str, ...], counts: dict[str, tuple[int, int]]) -> None:
    if len(counts) < 2 and not values:
        return
    st.session_state[key] = [value for value in values if value in counts]
    st.multiselect(
        title, list(counts), key=key, on_change=_keep, placeholder="all",
        format_func=lambda level: f"{level} ({_of(*counts[level])})",
    )  # fmt: skip


def _of(left: int, everyone: int) -> str:
    """ "12 of 30" where the rest of the filter leaves some out."""
    return f"{everyone:,}" if left == everyone else f"{left:,} of {everyone:,}"


def _ranges(saved: CohortFilter, limits: dict[str, tuple[float, float]]) -> None:
    """Properties that are numbers, each chosen one with a slider over all of its values."""
    if not limits:
        return
    chosen = {name: (low, high) for name, low, high in saved.ranges}
    shown = [*chosen, *(name for name in st.session_state.get(keys.RANGES, ()) if name not in chosen)]
    st.session_state[keys.RANGES] = [name for name in shown if name in limits]
    names = st.multiselect(
        "Range of", list(limits), key=keys.RANGES, on_change=_keep, placeholder="any number",
        format_func=lambda name: "year of birth" if name == BIRTH_YEAR else name,
    )  # fmt: skip
    for name in names:
        least, largest, step = _steps(*limits[name])
        low, high = chosen.get(name, (None, None))
        st.session_state[f"{keys.RANGES}_{name}"] = (
            least if low is None else min(max(low, least), largest),
            largest if high is None else min(max(high, least), largest),
        )
        st.slider(
            "year of birth" if name == BIRTH_YEAR else md(name), least, largest, step=step,
            key=f"{keys.RANGES}_{name}", on_change=_keep, args=((name, least, largest),),
            format="%d" if step >= 1 else None,
        )  # fmt: skip


def _steps(low: float, high: float) -> tuple[float, float, float]:
    """(least, largest, step) of a slider that holds both limits, in about a hundred round steps."""
    step = 10.0 ** math.floor(math.log10((high - low) / 50))
    if float(low).is_integer() and float(high).is_integer():
        step = max(step, 1.0)
    digits = max(-math.floor(math.log10(step)), 0)
    least, largest = math.floor(low / step) * step, math.ceil(high / step) * step
    return round(least, digits), round(largest, digits), step


def _possible(saved: CohortFilter, levels: pd.DataFrame, offered: Offered) -> CohortFilter:
    """The filter without levels that this cohort, or this viewer, does not have."""
    visits = set(levels.loc[levels["kind"] == "visit", "level"])
    counts = offered.counts
    return replace(
        saved,
        arms=tuple(arm for arm in saved.arms if arm in counts[ARM]),
        sexes=tuple(sex for sex in saved.sexes if sex in counts[SEX]),
        centres=tuple(centre for centre in saved.centres if centre in counts[CENTRE]),
        visits=tuple(visit for visit in saved.visits if visit in visits),
        covariates=tuple(pair for pair in saved.covariates if pair in offered.pairs),
        ranges=tuple(one for one in saved.ranges if one[0] in offered.limits),
    )


def _without(asked: tuple[T, ...], possible: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(value for value in asked if value not in possible)


def _say_unknown(asked: CohortFilter, possible: CohortFilter, campaigns: list[str]) -> None:
    """What a link asks for and this cohort, or this viewer, does not have."""
    if asked.campaign and asked.campaign not in campaigns:
        notice(f"Reading campaign: {asked.campaign} is not known here.")
    gone = CohortFilter(
        arms=_without(asked.arms, possible.arms),
        sexes=_without(asked.sexes, possible.sexes),
        visits=_without(asked.visits, possible.visits),
        covariates=_without(asked.covariates, possible.covariates),
        centres=_without(asked.centres, possible.centres),
        ranges=_without(asked.ranges, possible.ranges),
    )
    words = selection_words(gone)
    if words:
        st.warning(f"Not known here, so not filtered by: {md(words)}.", icon=":material/filter_alt_off:")


def _keep(moved: tuple[str, float, float] | None = None) -> None:
    """Take the filter from its widgets. moved: the range whose slider was moved, with both its ends."""
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
        centres=tuple(state.get(keys.CENTRES, ())),
        ranges=_kept_ranges(saved, moved),
        campaign=state.get(keys.CAMPAIGN, saved.campaign) if system == saved.system else "",
    )


def _kept_ranges(
    saved: CohortFilter, moved: tuple[str, float, float] | None
) -> tuple[tuple[str, float | None, float | None], ...]:
    """The ranges that are still asked for; a slider at its end leaves that end open."""
    kept = [one for one in saved.ranges if one[0] in st.session_state.get(keys.RANGES, ())]
    if moved is not None:
        name, least, largest = moved
        low, high = (round(limit, 9) for limit in st.session_state[f"{keys.RANGES}_{name}"])
        kept = [one for one in kept if one[0] != name]
        if low > least or high < largest:
            kept.append((name, low if low > least else None, high if high < largest else None))
    return tuple(kept)


def _clear() -> None:
    st.session_state[keys.RANGES] = []
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
    named = {
        "arm": chosen.arms, "sex": chosen.sexes, "centre": chosen.centres, "visit": chosen.visits,
        "patient": chosen.subjects,
    }  # fmt: skip
    said = [f"{name} {' or '.join(values)}" for name, values in named.items() if values]
    said += [f"{name} {' or '.join(values)}" for name, values in by_name(chosen).items()]
    return "; ".join(said + [range_words(*one) for one in chosen.ranges])


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
