"""What is fitted for the paired reading of spine films.

The prior comes from the true grades of corners over visits (of training patients, as numbers: no film is
needed); tempering and choice from films of tuning patients. Test patients give nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from core.domain import Abstained, Scored
from models.msasss.labels import LabelledFilm
from models.msasss.sites import REGION_OF_UNIT, UNIT_OF_SITE
from models.msasss.system import PAIRED_READING
from models.msasss.tune import MIN_SENSITIVITY
from models.paired.fit import SiteCourse, fit_prior
from models.paired.posterior import Prior, read_site, site_components
from models.paired.tune import sum_errors, tie_break
from models.paired.tune import tune as tune_choice

((SCALE, GRADES),) = PAIRED_READING.grades.items()
CLASS_WEIGHTS = [(1.0, erosion, 1.0, 1.0) for erosion in (1.0, 1.3, 1.7, 2.2, 2.7, 3.5)]  # grade 1 alone
CHANGES = (0.5, 0.7, 1.0, 1.4, 2.0)


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
    found = []
    for (patient, site), seen in rows.items():
        probabilities, grades, names = zip(*seen, strict=True)
        found.append(SiteCourse(patient, site, np.array(probabilities), np.array(grades), names))
    return found


def labelled_courses(films: Iterable[LabelledFilm]) -> list[np.ndarray]:
    """(k,) true grades of each corner of each patient over all its labelled films."""
    rows: dict[tuple[str, str], list[int]] = {}
    for film in films:
        for corner in film.corners:
            rows.setdefault((film.patient, corner.site), []).append(corner.grade)
    return [np.array(grades) for grades in rows.values()]


def fit(
    films: Sequence[LabelledFilm],
    results: Sequence[Scored | Abstained],
    calibrated_on: np.ndarray,
    grades: Sequence[np.ndarray],
) -> dict[str, Any]:
    """The card's entry ``paired``; empty where no corner is known at two visits.

    films, results: of tuning patients. calibrated_on: (n,) true grades of the corners on which the grade
    probabilities were calibrated. grades: (k,) true grades of each corner over visits.
    """
    if not any(len(one) > 1 for one in grades):
        return {}
    frequency = np.bincount(calibrated_on, minlength=GRADES) + 1.0
    prior = fit_prior(grades, frequency, site_components(GRADES))
    return {SCALE: tune(prior, courses(films, results)).as_card()}


def tune(prior: Prior, corners: Sequence[SiteCourse]) -> Prior:
    """The prior tuned for totals and changes of totals."""
    return tune_choice(prior, corners, cost, class_weights=CLASS_WEIGHTS, changes=CHANGES)


def cost(prior: Prior, corners: Sequence[SiteCourse]) -> float:
    """What a choice of grades costs: mean squared error of the sums of grades of a region, and of their
    differences between films of a patient; a unit for each hundredth that a grade's sensitivity lies under
    the least wanted.
    """
    grades = [read_site(corner.probabilities, prior).grades for corner in corners]
    errors = sum_errors(corners, grades, lambda one: (one.patient, REGION_OF_UNIT[UNIT_OF_SITE[one.site]]))
    given, true = np.concatenate(grades), np.concatenate([corner.grade for corner in corners])
    cases = np.bincount(true, minlength=GRADES)
    hits = np.bincount(true[given == true], minlength=GRADES)
    sensitivity = np.where(cases > 0, hits / np.maximum(cases, 1), 1.0)
    lacking = np.maximum(MIN_SENSITIVITY - sensitivity, 0).sum()
    squares = (errors.status**2).mean() + (errors.change**2).mean()
    return float(squares + 100 * lacking + tie_break(prior, 0.001))
