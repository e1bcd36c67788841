"""What is fitted for reading a patient's films together: what to expect, how far to trust a film, how to
choose.

What to expect comes from the true grades of corners over visits (of training patients, as numbers: no film is
needed); trust and choice from films of tuning patients. Test patients give nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.domain import Abstained, Scored
from models.msasss.labels import LabelledFilm
from models.msasss.sites import REGION_OF_UNIT, UNIT_OF_SITE
from models.msasss.together import GRADES, Expectation, kinds_of_corner, read_corner
from models.msasss.tune import LEAST_SENSITIVITY

ROUNDS = 400
TRUSTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
FREE = (0.001, 0.003, 0.01, 0.03)  # share of corners of which nothing is expected
EROSION = (1.0, 1.3, 1.7, 2.2, 2.7, 3.5)  # emphasis of grade 1; the others need none
CHANGE = (0.5, 0.7, 1.0, 1.4, 2.0)
LEAST_PAIRS = 100  # corners on two films, below which the choice stays as it is


@dataclass(frozen=True)
class CornerCourse:
    """One corner of one patient on k tuning films. probabilities (k, 4) of each film alone, grade (k,)
    truth.
    """

    patient: str
    site: str
    probabilities: np.ndarray
    grade: np.ndarray
    films: tuple[str, ...]


def courses(films: Sequence[LabelledFilm], results: Sequence[Scored | Abstained]) -> list[CornerCourse]:
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
        CornerCourse(
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


def fit_expectation(grades: Sequence[np.ndarray], frequency: np.ndarray) -> Expectation:
    """The shares of the kinds of corner by expectation-maximisation from true grades, (k,) per corner.

    frequency (4,): of the grades on the films on which the grade probabilities were calibrated.
    """
    counts = np.array([np.bincount(one, minlength=GRADES) for one in grades])
    patterns, often = np.unique(counts, axis=0, return_counts=True)
    kinds = kinds_of_corner()
    likelihood = np.prod(kinds[None] ** patterns[:, None, :], axis=2)  # (patterns, kinds); 0 ** 0 is 1
    reachable = likelihood.sum(axis=1) > 0
    likelihood, often = likelihood[reachable], often[reachable]
    weights = np.full(len(kinds), 1 / len(kinds))
    for _ in range(ROUNDS):
        share = likelihood * weights
        share /= share.sum(axis=1, keepdims=True)
        weights = (often[:, None] * share).sum(axis=0) + 0.01
        weights /= weights.sum()
    return _with_free(kinds, weights, np.asarray(frequency, float), FREE[0])


def _with_free(kinds: np.ndarray, weights: np.ndarray, frequency: np.ndarray, free: float) -> Expectation:
    """The mixture with one more kind, whose films are independent draws from the frequencies."""
    frequency = frequency / frequency.sum()
    rows = [*kinds.tolist(), frequency.tolist()]
    shares = [*((1 - free) * weights).tolist(), free]
    return Expectation(
        tuple(round(float(v), 6) for v in frequency),
        tuple(tuple(round(v, 6) for v in row) for row in rows),
        tuple(round(v, 8) for v in shares),
    )


def tune(expected: Expectation, corners: Sequence[CornerCourse]) -> Expectation:
    """Trust and free share by the log probability of the truth, then emphasis and change for totals and
    changes of totals. With too few corners on two films everything stays as it is.
    """
    pairs = [corner for corner in corners if len(corner.grade) > 1]
    if len(pairs) < LEAST_PAIRS:
        return expected
    kinds, weights = np.array(expected.kinds[:-1]), np.array(expected.weights[:-1])
    options = [
        replace(_with_free(kinds, weights / weights.sum(), np.array(expected.frequency), free), trust=trust)
        for free in FREE
        for trust in TRUSTS
    ]
    best = max(options, key=lambda option: log_score(option, pairs))
    choices = [
        replace(best, emphasis=(1.0, erosion, 1.0, 1.0), change=change)
        for erosion in EROSION
        for change in CHANGE
    ]
    return min(choices, key=lambda option: cost(option, corners))


def log_score(expected: Expectation, corners: Sequence[CornerCourse]) -> float:
    """Mean log probability of the true grade of each film and of whether two films differ."""
    total, count = 0.0, 0
    for corner in corners:
        read = read_corner(corner.probabilities, expected)
        right = read.probabilities[np.arange(len(corner.grade)), corner.grade]
        differs = corner.grade[:, None] != corner.grade[None]
        changed = np.where(differs, read.change, 1 - read.change)[np.triu_indices(len(corner.grade), 1)]
        total += float(np.log(np.clip(right, 1e-6, 1)).sum() + np.log(np.clip(changed, 1e-6, 1)).sum())
        count += len(right) + len(changed)
    return total / max(count, 1)


def cost(expected: Expectation, corners: Sequence[CornerCourse]) -> float:
    """What a choice of grades costs: mean squared error of the sums of grades of a region, and of their
    differences between films of a patient; a unit for each hundredth that a grade's sensitivity lies under
    the least wanted.
    """
    error: dict[tuple[str, str], dict[str, float]] = {}
    hits, cases = np.zeros(GRADES), np.zeros(GRADES)
    for corner in corners:
        grades = read_corner(corner.probabilities, expected).grades
        np.add.at(cases, corner.grade, 1)
        np.add.at(hits, corner.grade, grades == corner.grade)
        of_films = error.setdefault((corner.patient, REGION_OF_UNIT[UNIT_OF_SITE[corner.site]]), {})
        for film, given, true in zip(corner.films, grades, corner.grade, strict=True):
            of_films[film] = of_films.get(film, 0.0) + float(given - true)
    status = np.concatenate([list(films.values()) for films in error.values()])
    change = np.concatenate([_differences(list(films.values())) for films in error.values()])
    sensitivity = np.where(cases > 0, hits / np.maximum(cases, 1), 1.0)
    lacking = np.maximum(LEAST_SENSITIVITY - sensitivity, 0).sum()
    lean = 0.001 * (abs(np.log(expected.emphasis[1])) + abs(np.log(expected.change)))
    return float((status**2).mean() + (change**2).mean() + 100 * lacking + lean)


def _differences(errors: Sequence[float]) -> np.ndarray:
    values = np.asarray(errors, float)
    one, other = np.triu_indices(len(values), 1)
    return np.asarray(values[one] - values[other])
