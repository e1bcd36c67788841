"""What maps of the spine are tested on: phantom films on which the true finding is known to the pixel.

A case of the grader is a damaged corner that the model found (within 3 mm) and called damaged; the truth is
the finding itself (:mod:`data.phantom.spine.lesion_mask`), not its label box. A case of the finder is a
named unit; the truth is its two vertebral bodies and the disc between them.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from core.domain import Abstained, Image
from data.phantom.schedule import POOR
from data.phantom.seeds import StudyRole
from data.phantom.spine.course import visit_codes
from data.phantom.spine.films import film_conditions
from data.phantom.spine.lesion_mask import changed_by
from data.phantom.spine.render import RenderedFilm
from models.explain.checks import Case
from models.msasss.explain import MsasssExplainer
from models.msasss.labels import LabelledFilm
from models.msasss.phantom import PLAIN, Patients, patient_films
from models.msasss.scorer import Reading, build
from models.msasss.sites import LEVELS, UNITS

VISIT = 2  # two years after baseline, where there is more to see
NEAR_MM = 3.0
FINDER_UNITS = (0, 3)  # of the six of a film
SEED = 31  # the patients of ``sharpline evaluate``


ABSTAINED = "films that the model would not score"
MISSED = "damaged corners that it missed or called normal"
TRACELESS = "corners whose finding leaves no trace inside the tile"


def tools(size: str) -> MsasssExplainer:
    """The explainer whose maps are tested."""
    return MsasssExplainer(build(size=size, threads=1))


def cases_of_patient(
    explainer: MsasssExplainer, number: int, domain: str, tuning: bool, left_out: dict[str, int]
) -> Iterator[Case]:
    """All cases of one patient. left_out: counts of what gives no case, added to."""
    for word in (ABSTAINED, MISSED, TRACELESS):
        left_out.setdefault(word, 0)
    yield from cases(explainer, test_patients(1, domain, first=number, tuning=tuning), number, left_out)


def test_patients(patients: int, domain: str = "first", *, first: int = 1, tuning: bool = False) -> Patients:
    """Patients that no model was trained on; with ``tuning``, those that choices are made on."""
    role = StudyRole.TUNE if tuning else StudyRole.TEST
    return Patients(role, first, patients, SEED, PLAIN, visits=(VISIT,), wrong=0.0, poor=POOR, domain=domain)


test_patients.__test__ = False  # type: ignore[attr-defined]


def cases(explainer: MsasssExplainer, who: Patients, number: int, left_out: dict[str, int]) -> Iterator[Case]:
    """All cases of one patient's films."""
    for labelled, rendered in patient_films(who, number):
        film = labelled.as_film()
        reading = explainer.scorer.read(film)
        if isinstance(reading, Abstained) or isinstance(explainer.scorer.judge(reading), Abstained):
            left_out[ABSTAINED] += 1
            continue
        yield from _corners(explainer, who, number, labelled, film, reading, left_out)
        yield from _units(explainer, labelled, rendered, film, reading)


def _corners(
    explainer: MsasssExplainer,
    who: Patients,
    number: int,
    labelled: LabelledFilm,
    film: Image,
    reading: Reading,
    left_out: dict[str, int],
) -> Iterator[Case]:
    subject, visit = who.study.subject(number), visit_codes(VISIT + 1)[VISIT]
    rows = who.course(number).truth.query("visit == @visit")
    states = {str(row["site"]): (int(row["grade"]), float(row["extent"])) for row in rows.to_dict("records")}
    body, conditions = film_conditions(
        who.study.film_seed(), subject, visit, labelled.region, who.domain, poor=who.poor
    )
    given = _given(explainer, reading)
    for corner in labelled.corners:
        if not corner.visible or corner.grade == 0:
            continue
        seen = reading.sites.get(corner.site)
        true_mm = np.array([corner.x * labelled.spacing_mm[1], corner.y * labelled.spacing_mm[0]])
        if reading.mirrored:
            true_mm[0] = reading.width_mm - true_mm[0]
        if not given.get(corner.site) or np.linalg.norm(seen.centre - true_mm) > NEAR_MM:  # type: ignore[union-attr]
            left_out[MISSED] += 1
            continue
        grade = given[corner.site]
        question = explainer.about_site(film, reading, corner.site, grade)
        truth = question.picture.cut(changed_by(body, conditions, states, corner.site))
        if truth.sum() < 1:
            left_out[TRACELESS] += 1
            continue
        yield Case(subject, question, truth, corner.grade, grade, film, reading)


def _given(explainer: MsasssExplainer, reading: Reading) -> dict[str, int]:
    """Grade of each site that the scorer would report."""
    judged = explainer.scorer.judge(reading)
    return {} if isinstance(judged, Abstained) else {found.site: found.grade for found in judged.findings}


def _units(
    explainer: MsasssExplainer, labelled: LabelledFilm, rendered: RenderedFilm, film: Image, reading: Reading
) -> Iterator[Case]:
    outlines = dict(zip(rendered.vertebrae["level"], rendered.vertebrae["polygon"], strict=True))
    region = labelled.region
    if reading.chain.region != region:
        return
    for place in FINDER_UNITS:
        pair = LEVELS[region][place : place + 2]
        if not all(level in outlines for level in pair) or not reading.chain.seen[place]:
            continue
        mask = np.zeros(film.pixels.shape, np.uint8)
        points = np.concatenate([outlines[level] for level in pair]).round().astype(np.int32)
        cv2.fillConvexPoly(mask, cv2.convexHull(points), 1)
        question = explainer.about_unit(film, reading, UNITS[region][place])
        yield Case(labelled.patient, question, question.picture.cut(mask), 0, 0, film, reading)
