"""How a phantom study is carried out: who comes, which films are taken, when, and what is sent by mistake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from data.phantom.seeds import StudySeed
from data.phantom.spine.conditions import WRONG_KINDS
from data.phantom.spine.course import START_YEAR, Course, visit_codes
from data.phantom.spine.films import film_conditions
from data.phantom.spine.placement import visibility as film_visibility
from data.phantom.spine.population import REGIONS, SITES

DROPS_OUT, MISSES_VISIT, MISSES_FILM, WRONG_EXTRA, POOR = 0.04, 0.02, 0.015, 0.03, 0.05
EXTRA = "extra"  # added to the visit in the seed of a film that was sent beside the right one


@dataclass(frozen=True)
class PlannedFilm:
    """One film of the study.

    number, order: positions of patient and visit in the course, from 0. kind: None for a film that was asked
    for (good, or poor by chance), else the wrong film that came beside it. date: YYYYMMDD.
    """

    subject: str
    visit: str
    view: str
    number: int
    order: int
    date: str
    kind: str | None = None

    @property
    def name(self) -> str:
        """File name without its ending."""
        return f"{self.visit}_{self.view}" + ("" if self.kind is None else f"_{EXTRA}")

    @property
    def seed_visit(self) -> str:
        """The visit as it enters the film's seed."""
        return self.visit if self.kind is None else f"{self.visit} {EXTRA}"


@dataclass(frozen=True)
class Conduct:
    """Who came, and what was filmed.

    came: shape (patients, visits). start: date of the baseline visit of each patient. visits: those of
    ``Course.visits``, the day empty where the patient did not come. films: by patient and visit.
    """

    came: np.ndarray
    start: list[dt.date]
    visits: pd.DataFrame
    films: list[PlannedFilm]

    @cached_property
    def days(self) -> np.ndarray:
        """Day of every visit, shape (patients, visits), NaN where the patient did not come."""
        days = self.visits["day"].to_numpy(dtype=float, na_value=np.nan)
        return days.reshape(self.came.shape)


@dataclass(frozen=True)
class Patients:
    """The patients of a study, who are the same for every scoring system.

    course: who they are, with the damage of their spines. conduct: who came when. domain: of their films.
    readers: system -> who reads its films, of systems that have others than the shipped readers.
    """

    study: StudySeed
    course: Course
    conduct: Conduct
    domain: str
    readers: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def subjects(self) -> list[str]:
        return list(self.course.subjects["subject"])

    @property
    def visits(self) -> list[str]:
        """Codes of the visits in order."""
        return visit_codes(self.course.severity.shape[1])


def conduct(study: StudySeed, course: Course, *, first: int = 1) -> Conduct:
    """Who came and what was filmed. A patient does not depend on the others, nor a visit on later ones."""
    visits = list(course.visits["visit"].unique())
    days = course.visits["day"].to_numpy().reshape(-1, len(visits))
    films: list[PlannedFilm] = []
    starts: list[dt.date] = []
    came = np.zeros(days.shape, bool)
    for number, subject in enumerate(course.subjects["subject"]):
        rng = study.rng(first + number, "conduct")
        start = dt.date(START_YEAR, 1, 7) + dt.timedelta(days=int(rng.integers(0, 540)))
        starts.append(start)
        left = False
        for order, visit in enumerate(visits):
            drops, misses, wrong = rng.random(3)
            no_film = rng.random(len(REGIONS)) < MISSES_FILM
            wrong_view, wrong_kind = rng.integers(len(REGIONS)), rng.integers(len(WRONG_KINDS))
            left = left or (order > 0 and bool(drops < DROPS_OUT))
            came[number, order] = order == 0 or not (left or misses < MISSES_VISIT)
            if not came[number, order]:
                continue
            date = (start + dt.timedelta(days=int(days[number, order]))).strftime("%Y%m%d")
            taken = [view for view, gone in zip(REGIONS, no_film, strict=True) if not gone]
            films += [PlannedFilm(subject, visit, view, number, order, date) for view in taken]
            if wrong < WRONG_EXTRA:
                view, kind = REGIONS[wrong_view], WRONG_KINDS[wrong_kind]
                films.append(PlannedFilm(subject, visit, view, number, order, date, kind))
    planned = course.visits.astype({"day": "Int64"})
    planned["day"] = planned["day"].where(came.ravel())
    return Conduct(came, starts, planned, films)


def visibility(
    study: StudySeed, films: list[PlannedFilm], shape: tuple[int, int, int], *, domain: str = "first"
) -> np.ndarray:
    """How well every corner can be seen on the film that was asked for, shape (patients, visits, 24).

    NaN where there is no film. Nothing is rendered.
    """
    seen = np.full(shape, np.nan)
    place = {site: index for index, site in enumerate(SITES)}
    for film in films:
        if film.kind is not None:
            continue
        body, conditions = film_conditions(
            study.film_seed(), film.subject, film.seed_visit, film.view, domain, poor=POOR
        )
        for site, value in film_visibility(conditions, body).items():
            if site in place:
                seen[film.number, film.order, place[site]] = value
    return seen
