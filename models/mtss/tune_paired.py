"""What is fitted for reading a patient's films of hands and feet together.

The prior of a site over visits comes from true grades of training patients, as numbers; tempering, class
weights and the factor on change from films of tuning patients, for the sums of each scale and their changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.mtss.grader.rule import BLOCK_OF, CODE_OF, BlockRule
from models.mtss.grader.tune import SeenFilm
from models.mtss.system import PAIRED_READING
from models.paired.fit import SiteCourse, differences, fit_prior, with_tempering
from models.paired.posterior import Prior, evidence, read_site, site_components

REACH = {"hand erosion": None, "foot erosion": 3, "jsn": None}  # grades between which a site may go
CLASS_WEIGHT = (0.8, 1.0, 1.2, 1.45, 1.75, 2.1)  # of a grade against the one below it
CHANGE = (1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0)  # few sites change, but those of a patient do together
FALSE_CHANGE = 1.5  # units of error that a changed sum of everybody without a true change costs
LEAST_PAIRS = 100  # sites on two films, below which the choice stays as it is
PATIENTS = 1500  # training patients whose course, as numbers, gives the prior

SCALE_OF, GRADES = PAIRED_READING.scale_of, PAIRED_READING.grades
Courses = Mapping[str, Sequence[np.ndarray]]


def phantom_courses(patients: int = PATIENTS, visits: int = 3) -> dict[str, list[np.ndarray]]:
    """Scale -> (visits,) true grades of each site of phantom training patients of the plain population."""
    from data.phantom.hands.course import grades, simulate_hands
    from data.phantom.seeds import StudyRole, StudySeed
    from models.mtss.phantom import SEED

    course = simulate_hands(StudySeed(StudyRole.TRAIN, SEED), patients, visits)
    scale_of = {site: scale for (site, _), scale in SCALE_OF.items()}
    found: dict[str, list[np.ndarray]] = {scale: [] for scale in GRADES}
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
    found: dict[str, list[SiteCourse]] = {scale: [] for scale in GRADES}
    for (scale, patient, code), seen in rows.items():
        chances, grades, visits = zip(*seen, strict=True)
        found[scale].append(SiteCourse(patient, code, np.stack(chances), np.array(grades), visits))
    return found


def fit(films: Sequence[SeenFilm], rules: Mapping[str, BlockRule], courses: Courses | None) -> dict[str, Any]:
    """The card's entry ``together``; empty where no site is known at two visits."""
    seen = site_courses(films, rules)
    known = courses if courses is not None else {s: [one.grade for one in seen[s]] for s in GRADES}
    if not all(any(len(one) > 1 for one in known[scale]) for scale in GRADES):
        return {}
    found = {}
    for scale in GRADES:
        labels = np.concatenate([one.grade for one in seen[scale]]) if seen[scale] else np.zeros(0, int)
        frequency = np.bincount(labels, minlength=GRADES[scale]) + 1.0
        prior = fit_prior(known[scale], frequency, site_components(GRADES[scale], REACH[scale]))
        found[scale] = slim(tune(prior, seen[scale])).as_card()
    return found


def tune(prior: Prior, sites: Sequence[SiteCourse]) -> Prior:
    """Tempering and free component by the log probability of the truth, then class weights and
    change for sums and changes of sums. With too few sites on two films everything stays as it is.
    """
    pairs = [site for site in sites if len(site.grade) > 1]
    if len(pairs) < LEAST_PAIRS:
        return prior
    best = with_tempering(slim(prior), pairs)
    steps = np.arange(len(prior.frequency))
    choices = [
        replace(best, class_weight=tuple(round(float(v), 4) for v in weight**steps), change=change)
        for weight in CLASS_WEIGHT
        for change in CHANGE
    ]
    return min(choices, key=lambda choice: cost(choice, sites))


def slim(prior: Prior, least: float = 1e-5) -> Prior:
    """Without the components that hardly a site belongs to; the last, which is free to be anything, stays."""
    weights = np.array(prior.weights)
    keep = (weights >= least) | (np.arange(len(weights)) == len(weights) - 1)
    weights = weights[keep] / weights[keep].sum()
    components = tuple(one for one, kept in zip(prior.components, keep, strict=True) if kept)
    return replace(prior, components=components, weights=tuple(round(float(v), 8) for v in weights))


def cost(prior: Prior, sites: Sequence[SiteCourse]) -> float:
    """What a choice of grades costs: mean absolute error and bias of the sums of a patient's sites, root mean
    square error of their differences between visits, and the share of false changes.
    """
    error: dict[str, dict[str, float]] = {}
    truth: dict[str, dict[str, float]] = {}
    log_prior = pair_prior(prior)
    for site in sites:
        grades = chosen(site.probabilities, prior, log_prior)
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
    tie_break = 0.01 * (abs(np.log(prior.class_weight[1])) + abs(np.log(prior.change)))
    return float(off + FALSE_CHANGE * false + tie_break)


def pair_prior(prior: Prior) -> np.ndarray:
    """(g, g) log prior of the grades on two films."""
    components = np.asarray(prior.components)
    return np.log(np.maximum(components.T @ (np.asarray(prior.weights)[:, None] * components), 1e-300))


def chosen(probabilities: np.ndarray, prior: Prior, log_prior: np.ndarray) -> np.ndarray:
    """The grades that :func:`models.paired.posterior.read_site` chooses; for two films from all pairs at
    once.
    """
    if len(probabilities) != 2:
        return read_site(probabilities, prior).grades
    seen, weight = evidence(probabilities, prior), np.log(np.asarray(prior.class_weight)) / 2
    log_posterior = log_prior + (seen[0] + weight)[:, None] + (seen[1] + weight)[None]
    log_posterior = log_posterior + np.log(prior.change) * (1 - np.eye(len(weight)))
    return np.array(np.unravel_index(int(log_posterior.argmax()), log_posterior.shape))
