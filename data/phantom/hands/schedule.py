"""Which films of hands and feet a study has: the same patients, visits and dates as those of the spine."""

from __future__ import annotations

import datetime as dt

import numpy as np

from data.phantom.hands.conditions import VIEWS, WRONG_KINDS
from data.phantom.hands.course import UNITS, HandsCourse
from data.phantom.hands.films import hand_joints
from data.phantom.hands.state import units_of
from data.phantom.schedule import MISSES_FILM, POOR, WRONG_EXTRA, Conduct, PlannedFilm
from data.phantom.seeds import StudySeed


def conduct_hands(
    study: StudySeed, course: HandsCourse, came: Conduct, *, first: int = 1
) -> list[PlannedFilm]:
    """Films of both hands and both feet of each visit that took place: a few are missing, a few wrong.

    A foot sent as a hand comes under the name of the hands. A patient does not depend on the others.
    """
    days = came.visits["day"].to_numpy(dtype=float, na_value=np.nan).reshape(came.came.shape)
    films: list[PlannedFilm] = []
    for number, subject in enumerate(course.subjects):
        rng = study.rng(first + number, "hands conduct")
        for order, visit in enumerate(course.visits):
            wrong, no_film = rng.random(), rng.random(len(VIEWS)) < MISSES_FILM
            wrong_view, wrong_kind = rng.integers(len(VIEWS)), rng.integers(len(WRONG_KINDS))
            if not came.came[number, order]:
                continue
            day = came.start[number] + dt.timedelta(days=int(days[number, order]))
            date = day.strftime("%Y%m%d")
            taken = [view for view, gone in zip(VIEWS, no_film, strict=True) if not gone]
            films += [PlannedFilm(subject, visit, view, number, order, date) for view in taken]
            if wrong < WRONG_EXTRA:
                kind = WRONG_KINDS[wrong_kind]
                view = "hands" if kind == "foot_as_hand" else VIEWS[wrong_view]
                films.append(PlannedFilm(subject, visit, view, number, order, date, kind))
    return films


def hands_visibility(
    study: StudySeed, course: HandsCourse, films: list[PlannedFilm], *, domain: str = "first"
) -> np.ndarray:
    """How well every joint can be seen on the film that was asked for, shape (patients, visits, 56 units).

    NaN where there is no film, 0 for a joint that is not on it. Nothing is rendered.
    """
    seen = np.full(course.finding.shape, np.nan)
    place = {unit: index for index, unit in enumerate(UNITS)}
    for film in films:
        if film.kind is not None:
            continue
        at = film.number, film.order
        joints = hand_joints(
            study.film_seed(), film.subject, film.seed_visit, film.view, course.states(*at), domain, poor=POOR
        )
        shown = dict(zip(joints["unit"], joints["visibility"], strict=True))
        for unit in units_of(film.view):
            seen[(*at, place[unit])] = shown.get(unit, 0.0)
    return seen
