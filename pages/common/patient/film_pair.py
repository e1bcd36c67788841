"""Two films of a patient side by side in the viewer."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.markdown import md
from core.reader_labels import md_name, short_names
from core.scores.system import Feature
from data.queries import patient
from pages.common import session_keys as keys
from pages.common import url_state
from pages.common.blanking import blank_until_drawn, drawn
from pages.common.page import Page
from pages.common.patient.case import Case
from pages.common.patient.scans.pair import scan_pair
from pages.common.patient.stacks.pair import stack_pair
from pages.common.queries import ask
from pages.common.sticky_widgets import pick_one
from pages.common.viewer import ViewedFilm, film_viewer, stored_films
from pages.common.viewer.stored_films import SIDE_WORDS
from pages.common.views.choices import anew

VIEWER = "films"


@dataclass(frozen=True)
class Films:
    """The films of a patient and what models found on them, and which part is looked at."""

    stored: pd.DataFrame
    found: pd.DataFrame
    region: str
    side: str = ""


def film_pair(page: Page, case: Case, site: str | None) -> None:
    """Both films or stacks side by side at a site, with the grades of every reading; none, no viewer."""
    if case.system.of_stacks:
        stack_pair(page, case, site)
        return
    if case.system.of_scans:
        scan_pair(page, case, site)
        return
    stored = ask(page, patient.films, case.subject)
    stored = stored[~stored["is_slice"].astype(bool)]
    if stored.empty:
        st.caption(f"{md(case.subject)} has no films in this cohort.")
        return
    films = _choose(page, case, site, stored)
    visits = list(dict.fromkeys([case.first, case.last]))
    chosen = {visit: _film_at(case, films, visit) for visit in visits}
    if all(film is None for film in chosen.values()):
        of_side = f"{SIDE_WORDS[films.side]} {films.region}" if films.side else films.region
        st.caption(f"No {of_side} film at {md(' or '.join(visits))}.")
        return
    later = _later(case)
    with blank_until_drawn(VIEWER, _identity(case)):
        film_viewer(
            [_pane(page, case, visit, films, film) for visit, film in chosen.items()],
            key=VIEWER, heads=stored_films.heads(case.kinds), order=case.system.codes, focus=site,
            height=450,
            on_pick=lambda picked, _: url_state.go(site=picked),
            on_visit=(lambda by: _to_visit(case, by)) if len(later) > 1 else None,
            can_visit=(case.last != later[0], case.last != later[-1]) if later else (False, False),
            reveal=st.session_state.get(keys.REVEAL, 0),
            caption=stored_films.caption_of(page, case.subject, case.system),
        )  # fmt: skip
    drawn(VIEWER, _identity(case))
    st.caption(_legend(case))


def show_in_films(site: str) -> None:
    """Look at a site, and bring the films into sight."""
    url_state.go(site=site)
    st.session_state[keys.REVEAL] = st.session_state.get(keys.REVEAL, 0) + 1


def _identity(case: Case, last: str = "") -> tuple[str, ...]:
    """What the films shown are of; another one blanks the viewer before its films are there."""
    chosen = tuple(str(st.session_state.get(key)) for key in (keys.REGION, keys.SIDE))
    return (case.subject, case.system.name, case.first, last or case.last, *chosen)


def _later(case: Case) -> list[str]:
    """The visits that the first one can be compared with."""
    return case.visits[case.visits.index(case.first) + 1 :]


def _to_visit(case: Case, by: int) -> None:
    """Compare the first visit with the next (1) or previous (-1) later one; stay where there is none."""
    later = _later(case)
    place = later.index(case.last) + by
    if 0 <= place < len(later):
        url_state.go(last=later[place])
        drawn(VIEWER, _identity(case, later[place]))  # the viewer has blanked that film itself


# -- which films -------------------------------------------------------------------------------------------


def _choose(page: Page, case: Case, site: str | None, stored: pd.DataFrame) -> Films:
    """The region and side shown: those of the site, unless a person chose others after it."""
    found = ask(page, patient.findings, case.subject, case.system.name)
    regions = list(dict.fromkeys(one.region for one in case.system.sites))
    of_site = case.system.by_code[site].region if site else regions[0]
    anew("region_for", (case.subject, site), keys.REGION, keys.SIDE)
    where, which = st.columns(2)
    with where:
        region = pick_one("Films", regions, keys.REGION, of_site, label_visibility="collapsed")
    films = Films(stored, found, region)
    sides = _sides(case, films)
    if not sides:
        return films
    of_side = case.system.by_code[site].side if site else sides[0]
    with which:
        side = pick_one(
            "Side", sides, keys.SIDE, of_side, label_visibility="collapsed",
            format_func=lambda one: f"{SIDE_WORDS[one]} {films.region}",
        )  # fmt: skip
    return Films(stored, found, films.region, side)


def _sides(case: Case, films: Films) -> list[str]:
    """The sides to choose from; none where every film of the region shows both, or may do so."""
    known = {
        side
        for visit in (case.first, case.last)
        for side in stored_films.films_showing(films.stored, films.found, case.system, visit, films.region)[
            "side"
        ]
    }
    return list(SIDE_WORDS) if known & set(SIDE_WORDS) else []


def _film_at(case: Case, films: Films, visit: str) -> pd.Series | None:
    """The film of a visit; of several the first, as its scores have it, unless a person chose another."""
    here = stored_films.films_showing(films.stored, films.found, case.system, visit, films.region, films.side)
    if here.empty:
        return None
    if len(here) == 1:
        return here.iloc[0]
    found = films.found
    rejected = set(found["image"]) - set(found.loc[found["abstained"].isna(), "image"])
    names = {
        film["image"]: " · ".join(
            part for part in (
                f"film {number}", stored_films.side_text(film["side"]),
                "rejected by the model" if film["image"] in rejected else f"{film['graded']} sites graded",
            ) if part
        )
        for number, (_, film) in enumerate(here.iterrows(), 1)
    }  # fmt: skip
    key = f"film_of_{case.subject}_{visit}_{films.region}_{films.side}"
    picked = st.segmented_control(
        f"{md(visit)} has {len(here)} such films", list(names), key=key, format_func=names.get,
        default=here["image"].iloc[0], required=True,
    )  # fmt: skip
    return here[here["image"] == picked].iloc[0] if picked in names else here.iloc[0]


def _pane(page: Page, case: Case, visit: str, films: Films, film: pd.Series | None) -> ViewedFilm:
    if film is None:
        return stored_films.no_film(visit, films.region, patient=case.subject, side=films.side)
    grades = case.grades[case.grades["visit"] == visit]
    found = films.found
    boxes = stored_films.boxes_of(film["image"], found, grades, case.kinds, case.system)
    refused = found.loc[(found["image"] == film["image"]) & found["abstained"].notna(), "abstained"]
    note = (
        f"rejected by the model: {refused.iloc[0]}"
        if len(refused)
        else f"{films.region}, {len(boxes)} sites found"
    )
    missing = [
        (site, cells)
        for site, cells in stored_films.unplaced_of(boxes, grades, case.kinds, case.system, films.region)
        if film["side"] not in SIDE_WORDS or case.system.by_code[site].side == film["side"]
    ]
    return stored_films.viewed_film(
        page, film, visit, boxes, note, tuple(missing), patient=case.subject, side=film["side"]
    )


def _legend(case: Case) -> str:
    """Short names of the readings, and what each grade means: of every feature, or below where drawn."""
    short = short_names(case.kinds)
    who = ", ".join(
        f"**{md(letters)}** {md_name(label)}" for label, letters in short.items() if letters != label
    )
    grades = "; ".join(_words(feature, len(case.system.features) > 1) for feature in case.system.features)
    return f"{who + '. ' if who else ''}Marks and dots at a site in the colour of the grade: {grades}."


def _words(feature: Feature, is_named: bool) -> str:
    words = ", ".join(f"**{grade}** {text}" for grade, text in enumerate(feature.grades))
    note = f" ({feature.note})" if feature.note else ""
    return f"{feature.name}{note} {words}" if is_named else words
