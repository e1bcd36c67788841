"""Two films of a patient side by side in the viewer."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.markdown import md
from core.reader_labels import display_name, short_names
from core.scores.system import Feature
from data.queries import patient
from pages.common import session_keys as keys
from pages.common import url_state
from pages.common.page import Page
from pages.common.patient.case import Case
from pages.common.queries import ask
from pages.common.viewer import ViewedFilm, film_viewer, stored_films


def film_pair(page: Page, case: Case, site: str | None) -> None:
    """Both films side by side at a site, with the grades of every reading."""
    region = _region(case, site)
    stored = ask(page, patient.films, case.subject)
    found = ask(page, patient.findings, case.subject, case.system.name)
    shown = [
        _pane(page, case, visit, region, stored, found) for visit in dict.fromkeys([case.first, case.last])
    ]
    film_viewer(
        shown, key="films", heads=stored_films.heads(case.kinds), order=case.system.codes, focus=site,
        height=470,
        on_pick=lambda picked, _: url_state.go(site=picked),
        on_visit=(lambda by: _to_visit(case, by)) if len(_later(case)) > 1 else None,
        caption=stored_films.caption_of(page, case.subject, case.system),
    )  # fmt: skip
    several = several_films(stored, case, region)
    st.caption(f"{several + '. ' if several else ''}{_legend(case)}")


def _later(case: Case) -> list[str]:
    """The visits that the first one can be compared with."""
    return case.visits[case.visits.index(case.first) + 1 :]


def _to_visit(case: Case, by: int) -> None:
    """Compare the first visit with the next (1) or previous (-1) later one; stay where there is none."""
    later = _later(case)
    place = later.index(case.last) + by
    if 0 <= place < len(later):
        url_state.go(last=later[place])


def _region(case: Case, site: str | None) -> str:
    """The region shown: the one of the site, unless a person chose another one after it."""
    regions = list(dict.fromkeys(one.region for one in case.system.sites))
    of_site = case.system.by_code[site].region if site else regions[0]
    if st.session_state.get("region_for") != (case.subject, site):
        st.session_state["region_for"] = (case.subject, site)
        st.session_state[keys.REGION] = of_site
    region = st.segmented_control(
        "Films", regions, key=keys.REGION, label_visibility="collapsed", required=True
    )
    return region or of_site


def _pane(
    page: Page, case: Case, visit: str, region: str, stored: pd.DataFrame, found: pd.DataFrame
) -> ViewedFilm:
    film = stored_films.of_region(stored, visit, region)
    if film is None:
        return stored_films.no_film(visit, region)
    grades = case.grades[case.grades["visit"] == visit]
    boxes = stored_films.boxes_of(film["image"], found, grades, case.kinds, case.system)
    refused = found.loc[(found["image"] == film["image"]) & found["abstained"].notna(), "abstained"]
    note = (
        f"rejected by the model: {refused.iloc[0]}" if len(refused) else f"{region}, {len(boxes)} sites found"
    )
    missing = stored_films.unplaced_of(boxes, grades, case.kinds, case.system, region)
    return stored_films.viewed_film(page, film, visit, boxes, note, missing)


def _legend(case: Case) -> str:
    """Short names of the readings, and what each grade means: of every feature, or below where drawn."""
    short = short_names(case.kinds)
    who = ", ".join(
        f"**{md(letters)}** {md(display_name(label))}" for label, letters in short.items() if letters != label
    )
    grades = "; ".join(_words(feature, len(case.system.features) > 1) for feature in case.system.features)
    return f"{who + '. ' if who else ''}Marks and dots at a site in the colour of the grade: {grades}."


def _words(feature: Feature, is_named: bool) -> str:
    words = ", ".join(f"**{grade}** {text}" for grade, text in enumerate(feature.grades))
    note = f" ({feature.note})" if feature.note else ""
    return f"{feature.name}{note} {words}" if is_named else words


def several_films(stored: pd.DataFrame, case: Case, region: str) -> str:
    """What to say where a visit has more than one film of a region."""
    part = stored["body_part"].fillna("").str.startswith(region)
    said = []
    for visit in dict.fromkeys([case.first, case.last]):
        count = int((part & (stored["visit"] == visit)).sum())
        if count > 1:
            said.append(f"{md(visit)} has {count} {region} films; the last one is shown")
    return "; ".join(said)
