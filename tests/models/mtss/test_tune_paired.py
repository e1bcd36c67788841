"""What is fitted for reading hands and feet together: from courses, and the same choice as in reading."""

import numpy as np
import pytest

from models.mtss import tune_paired
from models.mtss.tune_paired import GRADES
from models.paired.fit import SiteCourse, fit_prior, slim
from models.paired.posterior import read_site, site_components
from models.paired.tune import chosen_grades, pair_prior


@pytest.fixture(scope="module")
def courses():
    return tune_paired.phantom_courses(60)


@pytest.fixture(scope="module")
def prior(courses):
    frequency = np.bincount(np.concatenate(courses["jsn"]), minlength=5) + 1.0
    return fit_prior(courses["jsn"], frequency, site_components(5))


def test_courses_of_phantom_patients_cover_each_scale(courses):
    counts = {scale: len(courses[scale]) for scale in GRADES}
    assert counts == {"hand erosion": 60 * 32, "foot erosion": 60 * 12, "jsn": 60 * 42}
    for scale in GRADES:
        together = np.array(courses[scale])
        assert together.shape[1] == 3
        assert together.max() < GRADES[scale]
        assert (np.diff(together, axis=1) >= 0).all()


def test_choice_in_tuning_is_that_of_reading(prior):
    rng = np.random.default_rng(0)
    tilted = slim(prior)
    log_prior = pair_prior(tilted)
    for films in (1, 2, 3):
        for _ in range(40):
            seen = np.maximum(rng.dirichlet([0.4] * 5, size=films), 1e-5)
            chosen = chosen_grades(seen, tilted, log_prior)
            np.testing.assert_array_equal(chosen, read_site(seen, tilted).grades)


def test_slim_prior_keeps_what_matters(prior):
    slimmer = slim(prior, 1e-3)
    assert len(slimmer.components) < len(prior.components)
    assert slimmer.components[-1] == prior.components[-1]
    assert sum(slimmer.weights) == pytest.approx(1, abs=1e-6)


def sites(rng, courses, count):
    found = []
    for patient in range(count):
        for number in rng.integers(0, len(courses), 20):
            grade = np.array(courses[number])[[0, 2]]
            seen = np.array([rng.dirichlet(0.2 + 5.0 * np.eye(5)[g]) for g in grade])
            found.append(SiteCourse(f"P{patient}", str(number), seen, grade, ("BL", "W104")))
    return found


def test_tuning_lowers_the_cost_and_needs_enough_pairs(prior, courses):
    found = sites(np.random.default_rng(3), courses["jsn"], 15)
    tuned = tune_paired.tune(prior, found)
    assert tune_paired.cost(tuned, found) <= tune_paired.cost(slim(prior), found) + 0.05
    assert tune_paired.tune(prior, found[:50]) == prior
