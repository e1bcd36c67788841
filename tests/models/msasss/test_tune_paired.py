"""What is fitted for the paired reading of spine films: from courses, for sums and their changes."""

import numpy as np
import pytest

from core.domain import Abstained, Box, Finding, Scored
from models.msasss.tune_paired import cost, courses, tune
from models.paired.fit import SiteCourse, fit_prior, log_score
from models.paired.posterior import site_components
from tests.models.paired.test_read_site import FREQUENCY, sequences


@pytest.fixture(scope="module")
def prior():
    return fit_prior(sequences(np.random.default_rng(1)), FREQUENCY, site_components(4))


def tuning_corners(rng, patients=12):
    """Corners of which each film is read with independent errors, and how a perfect calibration sees them."""
    found = []
    for patient in range(patients):
        for site, grades in zip(("C2I", "C3S", "L1S", "L2I"), sequences(rng, 4, films=2), strict=True):
            seen = np.array([rng.dirichlet(0.3 + 4.0 * np.eye(4)[grade]) for grade in grades])
            found.append(SiteCourse(f"P{patient}", site, seen, grades, ("a", "b")))
    return found


def test_tuning_lowers_the_cost_and_needs_enough_pairs(prior):
    corners = tuning_corners(np.random.default_rng(3), patients=30)
    tuned = tune(prior, corners)
    assert log_score(tuned, corners) >= log_score(prior, corners)
    assert cost(tuned, corners) <= cost(prior, corners) + 0.01
    assert tune(prior, corners[:50]) == prior


def finding(site, probabilities, grade):
    return Finding(site, "corner", grade, tuple(probabilities), 0.8, Box(0, 0, 5, 5))


NORMAL = (0.95, 0.05, 0.0, 0.0)


def test_courses_are_of_visible_corners_that_were_graded(make_toy):
    films = [make_toy("lumbar", "A", seed, grades=dict.fromkeys(SITES_LUMBAR, 0)) for seed in (1, 2)]
    results = [Scored((finding("L1S", NORMAL, 0),)), Abstained("too dark")]
    (course,) = courses(films, results)
    assert (course.patient, course.site, course.grade.tolist()) == ("A", "L1S", [0])


SITES_LUMBAR = ("T12I", "L1S", "L1I", "L2S", "L2I", "L3S", "L3I", "L4S", "L4I", "L5S", "L5I", "S1S")
