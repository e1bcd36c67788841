"""What is fitted for reading a patient's films of hands and feet together.

The prior of a site over visits comes from true grades of training patients, as numbers; tempering, class
weights and the factor on change from films of tuning patients, for the sums of each scale and their changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.mtss.grader.rule import BLOCK_OF, CODE_OF, BlockRule
from models.mtss.grader.tune import SeenFilm
from models.mtss.system import PAIRED_READING
from models.paired.fit import SiteCourse, fit_prior, slim
from models.paired.posterior import Prior, site_components
from models.paired.tune import chosen_grades, pair_prior, sum_errors, tie_break
from models.paired.tune import tune as tune_choice

REACH = {"hand erosion": None, "foot erosion": 3, "jsn": None}  # grades between which a site may go
CLASS_WEIGHT = (0.8, 1.0, 1.2, 1.45, 1.75, 2.1)  # of a grade against the one below it
CHANGE = (1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0)  # few sites change, but those of a patient do together
FALSE_CHANGE = 1.5  # units of error that a changed sum of everybody without a true change costs
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
    """The card's entry ``paired``; empty where no site is known at two visits."""
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
    """The prior tuned for sums and changes of sums, without components that hardly a site belongs to."""
    steps = np.arange(len(prior.frequency))
    weights = [tuple(round(float(v), 4) for v in weight**steps) for weight in CLASS_WEIGHT]
    return tune_choice(prior, sites, cost, class_weights=weights, changes=CHANGE, prepare=slim)


def cost(prior: Prior, sites: Sequence[SiteCourse]) -> float:
    """What a choice of grades costs: mean absolute error and bias of the sums of a patient's sites, root mean
    square error of their differences between visits, and the proportion of false changes.
    """
    log_prior = pair_prior(prior)
    grades = [chosen_grades(site.probabilities, prior, log_prior) for site in sites]
    errors = sum_errors(sites, grades, lambda site: site.patient)
    status, change = errors.status, errors.change
    unchanged = change[errors.true_change == 0]
    false = float((unchanged != 0).mean()) if len(unchanged) else 0.0
    off = np.abs(status).mean() + abs(status.mean()) + np.sqrt((change**2).mean())
    return float(off + FALSE_CHANGE * false + tie_break(prior, 0.01))
