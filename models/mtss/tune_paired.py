"""What is fitted for reading a patient's films of hands and feet together.

What to expect of a site over visits comes from true grades of training patients, as numbers; trust, emphasis
and the factor on change from films of tuning patients, for the sums of each scale and their changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.mtss.grader.rule import BLOCK_OF, CODE_OF, BlockRule
from models.mtss.grader.tune import SeenFilm
from models.mtss.paired import GRADES, SCALE_OF, SCALES
from models.paired.fit import SiteCourse, differences, fit_expectation, with_trust
from models.paired.posterior import Expectation, evidence, kinds_of_site, read_site

REACH = {"hand erosion": None, "foot erosion": 3, "jsn": None}  # grades between which a site may go
EMPHASIS = (0.8, 1.0, 1.2, 1.45, 1.75, 2.1)  # of a grade against the one below it
CHANGE = (1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0)  # few sites change, but those of a patient do together
FALSE_CHANGE = 1.5  # units of error that a changed sum of everybody without a true change costs
LEAST_PAIRS = 100  # sites on two films, below which the choice stays as it is
PATIENTS = 1500  # training patients whose course, as numbers, says what to expect

Courses = Mapping[str, Sequence[np.ndarray]]


def phantom_courses(patients: int = PATIENTS, visits: int = 3) -> dict[str, list[np.ndarray]]:
    """Scale -> (visits,) true grades of each site of phantom training patients of the plain population."""
    from data.phantom.hands.course import grades, simulate_hands
    from data.phantom.seeds import StudyRole, StudySeed
    from models.mtss.phantom import SEED

    course = simulate_hands(StudySeed(StudyRole.TRAIN, SEED), patients, visits)
    scale_of = {site: scale for (site, _), scale in SCALE_OF.items()}
    found: dict[str, list[np.ndarray]] = {scale: [] for scale in SCALES}
    for site, values in grades(course).items():
        found[scale_of[site]] += list(values)
    return found


def site_courses(films: Sequence[SeenFilm], rules: Mapping[str, BlockRule]) -> dict[str, list[SiteCourse]]:
    """Scale -> the visible sites of tuning films, by patient and site."""
    rows: dict[tuple[str, str, str], list[tuple[np.ndarray, int, str]]] = {}
    for one in films:
        damage = np.array([one.seen.damage])
        sites = zip(one.seen.units, one.seen.features, one.seen.log_seen, one.truth(), strict=True)
        for unit, feature, log_seen, grade in sites:
            if grade < 0:
                continue
            code = CODE_OF[unit, feature]
            rule = rules[BLOCK_OF[unit, feature]]
            chance = rule.probabilities(log_seen[None], damage, [unit[1:]])[0]
            key = (SCALE_OF[code, feature], one.film.patient, code)
            rows.setdefault(key, []).append((chance, grade, one.film.visit))
    found: dict[str, list[SiteCourse]] = {scale: [] for scale in SCALES}
    for (scale, patient, code), seen in rows.items():
        chances, grades, visits = zip(*seen, strict=True)
        found[scale].append(SiteCourse(patient, code, np.stack(chances), np.array(grades), visits))
    return found


def fit(films: Sequence[SeenFilm], rules: Mapping[str, BlockRule], courses: Courses | None) -> dict[str, Any]:
    """The card's entry ``together``; empty where no site is known at two visits."""
    seen = site_courses(films, rules)
    known = courses if courses is not None else {s: [one.grade for one in seen[s]] for s in SCALES}
    if not all(any(len(one) > 1 for one in known[scale]) for scale in SCALES):
        return {}
    found = {}
    for scale in SCALES:
        labels = np.concatenate([one.grade for one in seen[scale]]) if seen[scale] else np.zeros(0, int)
        frequency = np.bincount(labels, minlength=GRADES[scale]) + 1.0
        expected = fit_expectation(known[scale], frequency, kinds_of_site(GRADES[scale], REACH[scale]))
        found[scale] = slim(tune(expected, seen[scale])).as_card()
    return found


def tune(expected: Expectation, sites: Sequence[SiteCourse]) -> Expectation:
    """Trust and free share by the log probability of the truth, then emphasis and change for sums and
    changes of sums. With too few sites on two films everything stays as it is.
    """
    pairs = [site for site in sites if len(site.grade) > 1]
    if len(pairs) < LEAST_PAIRS:
        return expected
    best = with_trust(slim(expected), pairs)
    steps = np.arange(len(expected.frequency))
    choices = [
        replace(best, emphasis=tuple(round(float(v), 4) for v in emphasis**steps), change=change)
        for emphasis in EMPHASIS
        for change in CHANGE
    ]
    return min(choices, key=lambda choice: cost(choice, sites))


def slim(expected: Expectation, least: float = 1e-5) -> Expectation:
    """Without the kinds that hardly a site is of; the last kind, of which nothing is expected, stays."""
    weights = np.array(expected.weights)
    keep = (weights >= least) | (np.arange(len(weights)) == len(weights) - 1)
    weights = weights[keep] / weights[keep].sum()
    kinds = tuple(kind for kind, kept in zip(expected.kinds, keep, strict=True) if kept)
    return replace(expected, kinds=kinds, weights=tuple(round(float(v), 8) for v in weights))


def cost(expected: Expectation, sites: Sequence[SiteCourse]) -> float:
    """What a choice of grades costs: mean absolute error and bias of the sums of a patient's sites, root mean
    square error of their differences between visits, and the share of false changes.
    """
    error: dict[str, dict[str, float]] = {}
    truth: dict[str, dict[str, float]] = {}
    beforehand = pair_prior(expected)
    for site in sites:
        grades = chosen(site.probabilities, expected, beforehand)
        of_visits, known = error.setdefault(site.patient, {}), truth.setdefault(site.patient, {})
        for visit, given, true in zip(site.films, grades, site.grade, strict=True):
            of_visits[visit] = of_visits.get(visit, 0.0) + float(given - true)
            known[visit] = known.get(visit, 0.0) + float(true)
    status = np.concatenate([list(visits.values()) for visits in error.values()])
    change, moved = (
        np.concatenate([differences(list(visits.values())) for visits in of.values()])
        for of in (error, truth)
    )
    still = change[moved == 0]
    false = float((still != 0).mean()) if len(still) else 0.0
    off = np.abs(status).mean() + abs(status.mean()) + np.sqrt((change**2).mean())
    lean = 0.01 * (abs(np.log(expected.emphasis[1])) + abs(np.log(expected.change)))
    return float(off + FALSE_CHANGE * false + lean)


def pair_prior(expected: Expectation) -> np.ndarray:
    """(g, g) log probability beforehand of the grades on two films."""
    kinds = np.asarray(expected.kinds)
    return np.log(np.maximum(kinds.T @ (np.asarray(expected.weights)[:, None] * kinds), 1e-300))


def chosen(probabilities: np.ndarray, expected: Expectation, beforehand: np.ndarray) -> np.ndarray:
    """The grades that :func:`models.paired.posterior.read_site` chooses; for two films from all pairs at
    once.
    """
    if len(probabilities) != 2:
        return read_site(probabilities, expected).grades
    seen, weight = evidence(probabilities, expected), np.log(np.asarray(expected.emphasis)) / 2
    worth = beforehand + (seen[0] + weight)[:, None] + (seen[1] + weight)[None]
    worth = worth + np.log(expected.change) * (1 - np.eye(len(weight)))
    return np.array(np.unravel_index(int(worth.argmax()), worth.shape))
