"""What maps of the hands are tested on: phantom joints with a special finding that a detector found.

A case is an ankylosed or luxated finger joint that the detector boxed (overlap above 0.45) and called so. The
truth is the finding itself (:mod:`data.phantom.hands.lesion_mask`), not the label box. Patients have
disease of long standing, as these findings are rare in others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.domain import Image
from data.phantom.hands.course import TRIAL, simulate_hands
from data.phantom.hands.films import hand_conditions
from data.phantom.hands.lesion_mask import changed_by
from data.phantom.hands.render import LimbFilm
from data.phantom.seeds import StudyRole, StudySeed
from models.common.boxes import overlap
from models.explain.checks import Case
from models.explain.verdict import of_network
from models.mtss.detectors.detections import MOST, Detections
from models.mtss.detectors.joints import DETECTORS, POSITIVE, UNITS_OF
from models.mtss.detectors.read import build
from models.mtss.detectors.scan import scan
from models.mtss.explain.detectors import DetectorExplainer, SmallFilm
from models.mtss.film_scale import HALF_SIZE_MM, to_half_size
from models.mtss.phantom import POOR, Patients, limb_films
from models.mtss.system import MAPS

SEED = 31  # of the patients whose maps are tested
VISIT = 0
SAME_JOINT = 0.45
MAX_CASES = 3  # of one finding and patient, so that no patient outweighs the others
MISSED = "joints with a finding that the detector missed or called normal"
TRACELESS = "joints whose finding leaves no trace on the film"
MORE = "joints beyond the first three of a patient and finding"


def tools(size: str) -> DetectorExplainer:
    """The explainer whose maps are tested."""
    return DetectorExplainer(build(size=size, threads=1))


def cases_of_patient(
    explainer: DetectorExplainer, number: int, domain: str, tuning: bool, left_out: dict[str, int]
) -> Iterator[Case]:
    """All cases of one patient's film of the hands. left_out: counts of what gives no case, added to."""
    for word in (MISSED, TRACELESS, MORE):
        left_out.setdefault(word, 0)
    role = StudyRole.TUNE if tuning else StudyRole.TEST
    who = Patients(number, 1, (VISIT,), damaged=True, role=role, seed=SEED, domain=domain)
    for subject, visit, rendered in limb_films(who):
        film = Image(subject, rendered.pixels, rendered.spacing_mm)
        small = SmallFilm.of(film)
        for finding in DETECTORS:
            detected = scan(explainer.detectors.networks[finding], small.grey, MOST[finding])
            joints = found_joints(rendered, finding, detected, small, left_out)
            yield from _cases(explainer, who, visit, finding, joints, film, small, left_out)


def found_joints(
    rendered: LimbFilm, finding: str, detected: Detections, small: SmallFilm, left_out: dict[str, int]
) -> list[tuple[str, np.ndarray]]:
    """(unit, box on the half-size film) of joints that have the finding and were called so."""
    rows = rendered.joints
    has = rows["finding"].isin(POSITIVE[finding]) & rows["visible"] & rows["unit"].isin(UNITS_OF[finding])
    found = []
    for row in rows[has].to_dict("records"):
        true = to_half_size(np.array([[row["x0"], row["y0"], row["x1"], row["y1"]]], float), small.factors)[0]
        shared = overlap(true, detected.boxes) if len(detected) else np.zeros(1)
        best = int(np.argmax(shared))
        if shared[best] > SAME_JOINT and detected.affected[best]:
            found.append((str(row["unit"]), detected.boxes[best]))
        else:
            left_out[MISSED] += 1
    left_out[MORE] += max(0, len(found) - MAX_CASES)
    return found[:MAX_CASES]


def _cases(
    explainer: DetectorExplainer,
    who: Patients,
    visit: str,
    finding: str,
    joints: list[tuple[str, np.ndarray]],
    film: Image,
    small: SmallFilm,
    left_out: dict[str, int],
) -> Iterator[Case]:
    if not joints:
        return
    study = StudySeed(who.role, who.seed)
    population = replace(TRIAL, severe=(1.0, TRIAL.severe[1]))
    course = simulate_hands(study, 1, VISIT + 1, population, first=who.first)
    body, conditions = hand_conditions(study.film_seed(), film.image, visit, "hands", who.domain, poor=POOR)
    conditions = replace(conditions, spacing=HALF_SIZE_MM)
    for unit, box in joints:
        mask = changed_by(body, conditions, course.states(0, VISIT), unit, "finding")
        for name in MAPS:
            if of_network(name) != finding:
                continue
            question = explainer.about_joint(small, name, box)
            truth = question.picture.cut(mask)
            if truth.sum() < 1:
                left_out[TRACELESS] += 1
                break
            yield Case(film.image, question, truth, 0, 1, film, small)
