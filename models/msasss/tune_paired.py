"""What is fitted for reading a patient's films together: the prior, how far one film counts, how to
choose.

The prior comes from the true grades of corners over visits (of training patients, as numbers: no film is
needed); tempering and choice from films of tuning patients. Test patients give nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from core.domain import Abstained, Scored
from models.msasss.labels import LabelledFilm
from models.msasss.sites import REGION_OF_UNIT, UNIT_OF_SITE
from models.msasss.system import PAIRED_READING
from models.msasss.tune import LEAST_SENSITIVITY
from models.paired.fit import SiteCourse, differences, with_tempering
from models.paired.posterior import Prior, read_site

EROSION = (1.0, 1.3, 1.7, 2.2, 2.7, 3.5)  # class weight of grade 1; the others need none
CHANGE = (0.5, 0.7, 1.0, 1.4, 2.0)
GRADES = PAIRED_READING.grades["corner"]
LEAST_PAIRS = 100  # corners on two films, below which the choice stays as it is


def courses(films: Sequence[LabelledFilm], results: Sequence[Scored | Abstained]) -> list[SiteCourse]:
    """The visible corners that the model graded, by patient and site."""
    rows: dict[tuple[str, str], list[tuple[tuple[float, ...], int, str]]] = {}
    for film, result in zip(films, results, strict=True):
        if isinstance(result, Abstained):
            continue
        true = {corner.site: corner.grade for corner in film.corners if corner.visible}
        for finding in result.findings:
            if finding.site in true:
                row = (finding.grade_probabilities, true[finding.site], film.name)
                rows.setdefault((film.patient, finding.site), []).append(row)
    return [
        SiteCourse(
            patient,
            site,
            np.array([row[0] for row in found]),
            np.array([row[1] for row in found]),
            tuple(row[2] for row in found),
        )
        for (patient, site), found in rows.items()
    ]


def labelled_courses(films: Iterable[LabelledFilm]) -> list[np.ndarray]:
    """(k,) true grades of each corner of each patient over all its labelled films."""
    rows: dict[tuple[str, str], list[int]] = {}
    for film in films:
        for corner in film.corners:
            rows.setdefault((film.patient, corner.site), []).append(corner.grade)
    return [np.array(grades) for grades in rows.values()]


def tune(prior: Prior, corners: Sequence[SiteCourse]) -> Prior:
    """Tempering and free component by the log probability of the truth, then class weights and
    change for totals and changes of totals. With too few corners on two films everything stays as it is.
    """
    pairs = [corner for corner in corners if len(corner.grade) > 1]
    if len(pairs) < LEAST_PAIRS:
        return prior
    best = with_tempering(prior, pairs)
    choices = [
        replace(best, class_weight=(1.0, erosion, 1.0, 1.0), change=change)
        for erosion in EROSION
        for change in CHANGE
    ]
    return min(choices, key=lambda option: cost(option, corners))


def cost(prior: Prior, corners: Sequence[SiteCourse]) -> float:
    """What a choice of grades costs: mean squared error of the sums of grades of a region, and of their
    differences between films of a patient; a unit for each hundredth that a grade's sensitivity lies under
    the least wanted.
    """
    error: dict[tuple[str, str], dict[str, float]] = {}
    hits, cases = np.zeros(GRADES), np.zeros(GRADES)
    for corner in corners:
        grades = read_site(corner.probabilities, prior).grades
        np.add.at(cases, corner.grade, 1)
        np.add.at(hits, corner.grade, grades == corner.grade)
        of_films = error.setdefault((corner.patient, REGION_OF_UNIT[UNIT_OF_SITE[corner.site]]), {})
        for film, given, true in zip(corner.films, grades, corner.grade, strict=True):
            of_films[film] = of_films.get(film, 0.0) + float(given - true)
    status = np.concatenate([list(films.values()) for films in error.values()])
    change = np.concatenate([differences(list(films.values())) for films in error.values()])
    sensitivity = np.where(cases > 0, hits / np.maximum(cases, 1), 1.0)
    lacking = np.maximum(LEAST_SENSITIVITY - sensitivity, 0).sum()
    tie_break = 0.001 * (abs(np.log(prior.class_weight[1])) + abs(np.log(prior.change)))
    return float((status**2).mean() + (change**2).mean() + 100 * lacking + tie_break)
