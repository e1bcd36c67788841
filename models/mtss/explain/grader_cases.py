"""What maps of the joint grader are tested on: phantom hand joints that it rightly calls eroded or narrowed.

A case is a site of grade 1 or more that the model found (within 3 mm) and graded 1 or more; the truth is the
finding itself (:mod:`data.phantom.hands.lesion_mask`), as it lies in the tile. Patients have disease of long
standing, as in :mod:`models.mtss.explain.detector_cases`, so that one film has sites of every kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.domain import Abstained, Image
from core.scores.mtss import MTSS
from data.phantom.hands.course import TRIAL, simulate_hands
from data.phantom.hands.films import hand_conditions
from data.phantom.hands.lesion_mask import changed_by
from data.phantom.hands.render import LimbFilm
from data.phantom.hands.state import GRADED
from data.phantom.seeds import StudyRole, StudySeed
from models.explain.checks import Case
from models.mtss.explain.detector_cases import SEED, VISIT
from models.mtss.explain.grader import GraderExplainer
from models.mtss.grader.grade import FEATURES
from models.mtss.phantom import POOR, Patients, limb_films
from models.mtss.scorer import LimbReading, MtssScorer, build

NEAR_MM = 3.0
MAX_SITES = 3  # of one feature and patient
ABSTAINED = "films of hands that the model would not score"
MISSED = "damaged sites that the grader missed or called normal"
TRACELESS = "damaged sites whose finding leaves no trace inside the tile"
MORE = "damaged sites beyond three of a patient and feature"


class ScoringExplainer(GraderExplainer):
    """Maps of the grader, with the scorer that finds the joints."""

    def __init__(self, scorer: MtssScorer) -> None:
        super().__init__(scorer.grader)
        self.scorer = scorer


def tools(size: str) -> ScoringExplainer:
    """The explainer whose maps are tested."""
    return ScoringExplainer(build(size=size, threads=1))


def cases_of_patient(
    explainer: ScoringExplainer, number: int, domain: str, tuning: bool, left_out: dict[str, int]
) -> Iterator[Case]:
    """All cases of one patient's film of the hands. left_out: counts of what gives no case, added to."""
    for word in (ABSTAINED, MISSED, TRACELESS, MORE):
        left_out.setdefault(word, 0)
    role = StudyRole.TUNE if tuning else StudyRole.TEST
    who = Patients(number, 1, (VISIT,), damaged=True, role=role, seed=SEED, spacing=None, domain=domain)
    for subject, visit, rendered in limb_films(who):
        film = Image(subject, rendered.pixels, rendered.spacing_mm)
        reading = explainer.scorer.read(film)
        if isinstance(reading, Abstained):
            left_out[ABSTAINED] += 1
            continue
        for feature in FEATURES:
            found = called_sites(rendered, feature, reading, left_out)
            yield from _cases(explainer, who, visit, found, film, reading, left_out)


def called_sites(
    rendered: LimbFilm, feature: str, reading: LimbReading, left_out: dict[str, int]
) -> list[tuple[str, int]]:
    """(site, true grade) of sites that are damaged and were called so, spread over the hands where there are
    more than ``MAX_SITES``."""
    places, found = reading.places, []
    rows = rendered.joints
    damaged = rows[rows["visible"] & (rows[feature].fillna(0) >= 1)]
    for unit, x, y, grade in damaged[["unit", "x", "y", feature]].itertuples(index=False):
        site = GRADED[unit][feature]
        place = places.units.get(unit)
        away = np.inf if place is None else float(np.hypot(place.x - x, place.y - y)) * places.mm_per_pixel
        if away <= NEAR_MM and site in reading.grades and reading.grades[site].grade >= 1:
            found.append((site, int(grade)))
        else:
            left_out[MISSED] += 1
    if len(found) <= MAX_SITES:
        return found
    left_out[MORE] += len(found) - MAX_SITES
    return [found[int((i + 0.5) * len(found) / MAX_SITES)] for i in range(MAX_SITES)]


def _cases(
    explainer: ScoringExplainer,
    who: Patients,
    visit: str,
    sites: list[tuple[str, int]],
    film: Image,
    reading: LimbReading,
    left_out: dict[str, int],
) -> Iterator[Case]:
    study = StudySeed(who.role, who.seed)
    course = simulate_hands(
        study, 1, VISIT + 1, replace(TRIAL, severe=(1.0, TRIAL.severe[1])), first=who.first
    )
    body, conditions = hand_conditions(study.film_seed(), film.image, visit, "hands", who.domain, poor=POOR)
    for site, true in sites:
        place, given = MTSS.by_code[site], reading.grades[site].grade
        mask = changed_by(body, conditions, course.states(0, VISIT), place.unit, place.feature)
        question = explainer.about_site(film, reading.places, site, given)
        truth = question.picture.cut(mask)
        if truth.sum() < 1:
            left_out[TRACELESS] += 1
            continue
        yield Case(film.image, question, truth, true, given, film, reading.places)
