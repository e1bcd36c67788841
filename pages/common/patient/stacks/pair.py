"""Two stacks side by side in the viewer: one sequence at two visits, or two sequences of one visit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import streamlit as st

from core import scores
from core.errors import CohortError
from core.imaging.stacks import corners_on
from core.markdown import md
from core.reader_labels import md_name, short_names
from data.queries import provenance
from data.queries.outlines import outlines
from data.queries.stacks import slices
from pages.common import session_keys as keys
from pages.common import url_state
from pages.common.blanking import blank_until_drawn, drawn
from pages.common.page import Page
from pages.common.patient.case import Case
from pages.common.patient.stacks import choice, marks
from pages.common.patient.stacks.outlines import (
    Middle,
    layers_of,
    middles,
    on_frames,
    polygons,
    shift_of,
)
from pages.common.queries import ask, computed
from pages.common.sticky_widgets import pick_one
from pages.common.viewer import ViewedFilm, ViewedPolygon, film_viewer, stored_films
from pages.common.viewer.stored_stacks import GreyStack, grey_stack, viewed_stack
from pages.common.views.choices import anew

VIEWER = "stacks"
SHOWN = "patient_stacks"
ELSEWHERE = "stacks_ask_the_page"  # something was chosen on the stacks that the whole page shows
FOCUS_MM = 110.0  # of a stack that are shown with a chosen site: the unit and a body above and below it


@dataclass(frozen=True)
class Stacks:
    """What is known of a patient's stacks: slices, findings of models on them, and the region."""

    slices: pd.DataFrame
    found: pd.DataFrame
    region: str


@dataclass(frozen=True)
class Outlined:
    """What models drew on a stack. structures: kinds of it. bodies: where they lie."""

    structures: frozenset[str] = frozenset()
    bodies: Mapping[str, Middle] = field(default_factory=dict)
    shapes: tuple[ViewedPolygon, ...] = ()


Shown = tuple[list[choice.Pane], list[GreyStack | None], list[Outlined]]  # one of each a pane


@st.fragment
def stack_pair(page: Page, case: Case, site: str | None) -> None:
    """The stacks of a region side by side, slices linked by place; no stack, no viewer.

    What is chosen here runs this part again and not the page; a site or visit that is chosen on the stacks
    runs the page.
    """
    if st.session_state.pop(ELSEWHERE, False):
        st.rerun()
    rows = ask(page, slices, case.subject)
    if rows.empty:
        st.caption(f"{md(case.subject)} has no stacks of slices in this cohort.")
        return
    visits = list(dict.fromkeys([case.first, case.last]))
    row = st.container(horizontal=True)
    with row:
        region, stacks = _choose_region(case, site, rows)
    shown = choice.views(stacks[stacks["visit"].isin(visits)], visits)
    if not shown:
        st.caption(f"No stack of the {region} spine at {md(' or '.join(visits))}.")
        return
    with row:
        which = pick_one("Shown", list(shown), SHOWN, next(iter(shown)), label_visibility="collapsed")
    panes = [_pane(case, stacks, visit, sequence) for visit, sequence in shown[which]]
    found = ask(page, provenance.findings, case.subject, case.system.name)
    known = Stacks(rows, found, region)
    opened = [_opened(page, pane) for pane in panes]
    outlined = [_outlined(page, case, known, *one) for one in zip(panes, opened, strict=True)]
    films = _films(page, case, known, (panes, opened, outlined), site)
    later = case.visits[case.visits.index(case.first) + 1 :]
    marked = any(film.boxes or film.site_frames for film in films)
    with blank_until_drawn(VIEWER, _identity(case)):
        film_viewer(
            films, key=VIEWER, heads=stored_films.heads(case.kinds), order=case.system.codes, focus=site,
            height=430, thing="stack", can_subtract=len({pane.sequence for pane in panes}) == 1,
            on_pick=lambda picked, _: _go(site=picked),
            on_visit=(lambda by: _to_visit(case, by)) if len(later) > 1 else None,
            can_visit=(case.last != later[0], case.last != later[-1]) if later else (False, False),
            reveal=st.session_state.get(keys.REVEAL, 0),
            caption=stored_films.caption_of(page, case.subject, case.system),
            structures=layers_of(set().union(*(one.structures for one in outlined)), has_unit=marked),
        )  # fmt: skip
    drawn(VIEWER, _identity(case))
    st.caption(_legend(case, films))


def _go(**place: str) -> None:
    url_state.go(**place)
    st.session_state[ELSEWHERE] = True


def _outlined(page: Page, case: Case, known: Stacks, pane: choice.Pane, stack: GreyStack | None) -> Outlined:
    """What the newest run of each model drew on the slices of a stack; nothing for a blinded reader."""
    frames = {} if stack is None else _frames(known, pane, stack)
    if stack is None or not frames:
        return Outlined()
    places = tuple(stack.places_mm.tolist())
    found: Outlined = computed(page, _read, case.subject, case.system.name, tuple(frames.items()), places)
    return found


def _read(
    page: Page, subject: str, system: str, frames: tuple[tuple[tuple[str, int], int], ...],
    places_mm: tuple[float, ...],
) -> Outlined:  # fmt: skip
    """Outlines read once for all sessions, as there are thousands of them."""
    made = ask(page, outlines, tuple(ask(page, slices, subject)["image"].unique()))
    made = made[made["image"].isin({image for (image, _), _ in frames})]
    found = ask(page, provenance.findings, subject, system)
    event = made["run"].map(found.groupby("run")["event"].max()).fillna(-1)
    newest = event.groupby([made["image"], made["reader"].fillna("")]).transform("max")
    kept = made[event == newest]
    rows = on_frames(kept.assign(polygon=kept["polygon"].map(json.loads).astype(object)), dict(frames))
    shapes = polygons(rows, scores.get(system))
    return Outlined(frozenset(rows["structure"]), middles(rows, np.array(places_mm)), shapes)


# -- which stacks ------------------------------------------------------------------------------------------


def _choose_region(case: Case, site: str | None, rows: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """The region shown, that of the site unless a person chose another after it, and its stacks."""
    regions = list(dict.fromkeys(one.region for one in case.system.sites))
    of_site = case.system.by_code[site].region if site else regions[0]
    anew("region_for", (case.subject, site), keys.REGION)
    region = pick_one("Stacks", regions, keys.REGION, of_site, label_visibility="collapsed")
    return region, choice.of_region(rows, region)


def _pane(case: Case, stacks: pd.DataFrame, visit: str, sequence: str) -> choice.Pane:
    """The stack of a visit; of several the first, unless a person chose another."""
    here = choice.candidates(stacks, visit, sequence)
    if here.empty:
        return choice.Pane(visit, sequence, None)
    names = {row.stack: _name(row, number) for number, row in enumerate(here.itertuples(), 1)}
    first = next(iter(names))
    if len(names) == 1:
        return choice.Pane(visit, sequence, first)
    picked = st.segmented_control(
        f"{md(visit)} has {len(names)} such stacks, {md(sequence)}", list(names),
        key=f"stack_of_{case.subject}_{visit}_{sequence}_{len(names)}_{first[-12:]}",
        format_func=names.get, default=first, required=True,
    )  # fmt: skip
    return choice.Pane(visit, sequence, picked if picked in names else first)


def _name(row: object, number: int) -> str:
    return f"stack {number} · {row.slices} slices"  # type: ignore[attr-defined]


# -- what is drawn -----------------------------------------------------------------------------------------


def _films(page: Page, case: Case, known: Stacks, shown: Shown, site: str | None) -> list[ViewedFilm]:
    """The panes: pixels, marks of the chosen block, outlines, and one measure of place for both."""
    panes, opened, _ = shown
    films = []
    for pane, stack, drawn_on, origin in zip(*shown, _origins(*shown), strict=True):
        film = _bare(page, case, known, pane)
        if stack is None or film.pixels is None:
            films.append(film)
            continue
        film = _marked(case, known, pane, stack, film, site)
        films.append(
            replace(
                film,
                shapes=drawn_on.shapes + film.shapes,
                places_mm=tuple(float(place) for place in stack.places_mm - origin),
                landmarks=tuple((name, middle.centre) for name, middle in drawn_on.bodies.items()),
            )
        )
    return _as_scanned(films, opened) if len({pane.visit for pane in panes}) == 1 else films


def _as_scanned(films: list[ViewedFilm], opened: list[GreyStack | None]) -> list[ViewedFilm]:
    """Two stacks of one visit lie on each other as the scanner placed them, not by what was outlined."""
    if len(films) != 2 or opened[0] is None or opened[1] is None:
        return films
    marks = corners_on(opened[0].image, opened[1].image)
    if marks is None:
        return films
    return [replace(film, landmarks=own) for film, own in zip(films, marks, strict=True)]


def _opened(page: Page, pane: choice.Pane) -> GreyStack | None:
    if pane.name is None:
        return None
    try:
        return grey_stack(page, pane.name)
    except CohortError:
        return None  # the pane itself says why


def _origins(
    panes: list[choice.Pane], opened: list[GreyStack | None], outlined: list[Outlined]
) -> list[float]:
    """What is taken from each stack's places, so that those of both count from one middle.

    Stacks of one visit were taken in one position: their places are one measure as they are. Between visits
    the patient lies otherwise: the middles of bodies that both name are taken as one place, and where there
    are none those of the stacks.
    """
    own = [0.0 if stack is None else stack.middle_mm for stack in opened]
    if len(panes) < 2 or any(stack is None for stack in opened):
        return own
    if panes[0].visit == panes[1].visit:
        return [own[0], own[0]]
    shift = shift_of(*(one.bodies for one in outlined))
    return own if shift is None else [own[0], own[0] - shift]


def _frames(known: Stacks, pane: choice.Pane, stack: GreyStack) -> dict[tuple[str, int], int]:
    """(image, frame within it) -> the frame that is shown."""
    rows = known.slices[known.slices["stack"] == pane.name]
    parts = list(zip(rows["image"], rows["frame"].astype(int), strict=True))
    if len(parts) != len(stack.order):
        return {}
    return {parts[int(place)]: frame for frame, place in enumerate(stack.order)}


def _bare(page: Page, case: Case, known: Stacks, pane: choice.Pane) -> ViewedFilm:
    """The pane before anything is marked on it."""
    title, about = f"{pane.visit} · {pane.sequence}", f"{known.region} spine"
    if pane.name is None:
        none = f"none-{case.subject}-{pane.visit}-{known.region}-{pane.sequence}"
        message = f"No {pane.sequence} of the {known.region} spine at this visit."
        return ViewedFilm(none, title, message=message, patient=case.subject)
    rows = known.slices[known.slices["stack"] == pane.name]
    spacing = rows["spacing_mm"].iloc[0]
    apart = "" if pd.isna(spacing) else f", {spacing:.1f} mm apart"
    said = f"{about}, {len(rows)} slices{apart}{_by_model(known, rows)}"
    return replace(viewed_stack(page, pane.name, title, said, patient=case.subject), focus_mm=FOCUS_MM)


def _by_model(known: Stacks, rows: pd.DataFrame) -> str:
    """What a model made of the stack, where it saw it."""
    here = known.found[known.found["image"].isin(rows["image"])]
    refused = here["abstained"].dropna()
    if len(refused):
        return f" · rejected by the model: {refused.iloc[0]}"
    return f" · {here['site'].nunique()} items by the model" if len(here) else ""


def _marked(
    case: Case, known: Stacks, pane: choice.Pane, stack: GreyStack, film: ViewedFilm, site: str | None
) -> ViewedFilm:
    """The chosen block on its slices, and its sites that nobody placed."""
    sites = marks.block_of(case.system, site)
    grades = case.grades[case.grades["visit"] == pane.visit]
    grades = grades[grades["site"].isin(sites)]
    found = marks.found_on(known.found, _frames(known, pane, stack), sites)
    boxes = marks.boxes(found, grades, case.kinds, case.system)
    unplaced = stored_films.unplaced_of(boxes, grades, case.kinds, case.system, known.region)
    return replace(
        film,
        boxes=boxes,
        unplaced=unplaced,
        shapes=marks.outlines(found),
        site_frames=marks.site_frames(found, case.system),
    )


# -- around the viewer -------------------------------------------------------------------------------------


def _identity(case: Case, last: str = "") -> tuple[str, ...]:
    """What the stacks shown are of; another one blanks the viewer before its pictures are there."""
    chosen = tuple(str(st.session_state.get(key)) for key in (keys.REGION, SHOWN))
    return (case.subject, case.system.name, case.first, last or case.last, *chosen)


def _to_visit(case: Case, by: int) -> None:
    """Compare the first visit with the next (1) or previous (-1) later one; stay where there is none."""
    later = case.visits[case.visits.index(case.first) + 1 :]
    place = later.index(case.last) + by
    if 0 <= place < len(later):
        _go(last=later[place])
        drawn(VIEWER, _identity(case, later[place]))  # the viewer has blanked that stack itself


def _legend(case: Case, films: list[ViewedFilm]) -> str:
    """How slices are linked, short names of the readings, what grades mean."""
    short = short_names(case.kinds)
    who = ", ".join(
        f"**{md(letters)}** {md_name(label)}" for label, letters in short.items() if letters != label
    )
    grades = "; ".join(
        f"{feature.name} {', '.join(f'**{grade}** {text}' for grade, text in enumerate(feature.grades))}"
        for feature in case.system.features
    )
    return f"{_linked(films)}{who + '. ' if who else ''}Marks in the colour of the grade: {grades}."


def _linked(films: list[ViewedFilm]) -> str:
    """By what the slices of the two stacks are matched."""
    if len(films) < 2 or not all(film.places_mm for film in films):
        return ""
    if films[0].title.partition(" · ")[0] == films[1].title.partition(" · ")[0]:
        how = "as the scanner placed them"
    elif {name for name, _ in films[0].landmarks} & {name for name, _ in films[1].landmarks}:
        how = "counted from the middle of the vertebral bodies that both show"
    else:
        how = "counted from the middle of each stack, as no bodies are outlined on both"
    return f"Wheel, arrow keys or slider: slices go together by their place, {how}. "
