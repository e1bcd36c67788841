"""Paired reading with any number of grades: against enumeration, and findings that are no grade."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from core.domain import Abstained, Finding, Scored
from models.paired.fit import SiteCourse, fit_prior, log_score, with_free_component, with_tempering
from models.paired.posterior import Prior, read_paired, read_site, site_components

GRADES = [0, 0, 0]
PROBABILITIES = [
    [
        0.5538590420629248,
        0.3640450237190257,
        0.08204911373880923,
        4.2036024866520195e-05,
        4.784454373663909e-06,
    ],
    [0.4540827680341815, 0.409893309080309, 0.1275595947181859, 0.008462487663750224, 1.8405035733029241e-06],
    [
        0.45535424540118624,
        0.3683718511098646,
        0.14148274937609073,
        0.03371241322038057,
        0.0010787408924778146,
    ],
]
CHANGE = [0.16902573050380199, 0.20083679808752708, 0.1935276595577573]


def made_prior(grades):
    rng = np.random.default_rng(grades)
    components = site_components(grades, 2)
    weights = rng.dirichlet(np.full(len(components), 1.0))
    made = with_free_component(components, weights, rng.dirichlet(np.full(grades, 3.0)), 0.01)
    return replace(made, tempering=0.6, class_weight=tuple(np.linspace(1, 1.6, grades)), change=0.7)


@pytest.mark.parametrize(("grades", "films"), [(5, 2), (6, 2), (6, 3), (11, 2)])
def test_reading_agrees_with_enumeration(grades, films):
    prior = made_prior(grades)
    rng = np.random.default_rng(films)
    for _ in range(5):
        seen = np.maximum(rng.dirichlet(np.full(grades, 0.4), size=films), 1e-5)
        read = read_site(seen, prior)
        evidence = (seen / np.array(prior.frequency)) ** prior.tempering
        marginal, chosen, total = np.zeros((films, grades)), {}, 0.0
        for picked in product(range(grades), repeat=films):
            before = float(np.array(prior.weights) @ np.prod(np.array(prior.components)[:, picked], axis=1))
            value = before * np.prod([evidence[k, g] for k, g in enumerate(picked)])
            total += value
            marginal[np.arange(films), picked] += value
            tilt = np.exp(np.log(np.array(prior.class_weight))[list(picked)].mean())
            chosen[picked] = value * tilt * prior.change ** (len(set(picked)) - 1)
        np.testing.assert_allclose(read.probabilities, marginal / total, atol=1e-9)
        if films == 2:
            assert tuple(read.grades) == max(chosen, key=chosen.get)


def test_components_within_reach():
    assert site_components(4).shape == (34, 4)
    assert site_components(11, 3).shape == (11 + 5 * (10 + 9 + 8), 11)
    np.testing.assert_allclose(site_components(6, 1).sum(axis=1), 1)


def test_class_weight_is_one_for_each_grade_unless_given():
    assert Prior((0.5, 0.3, 0.2), ((1, 0, 0),), (1.0,)).class_weight == (1.0, 1.0, 1.0)


def test_findings_without_a_prior_stay_as_they_are():
    prior = made_prior(6)
    bent = tuple(np.full(6, 1 / 6))
    grade = Finding("A", "erosion", 0, bent, 0.9)
    special = Finding("A", "ankylosis", 1, (0.2, 0.8), 0.7)
    films = [Scored((special, grade)), Abstained("no hands"), Scored((grade,), {"B": "hidden"})]
    read = read_paired(films, lambda f: prior if f.feature == "erosion" else None)
    assert read.results[0].findings[0] is special
    assert read.results[0].findings[1].grade_probabilities != bent
    assert read.results[1] == films[1]
    assert read.results[2].unscorable == {"B": "hidden"}
    assert set(read.change_probability) == {"A"}
    assert set(read.change_probability["A"]) == {(0, 2), (2, 0)}


def test_fitted_prior_and_tempering_follow_the_courses():
    rng = np.random.default_rng(4)
    first = rng.choice(6, 3000, p=[0.6, 0.2, 0.1, 0.05, 0.03, 0.02])
    grades = np.stack([first, np.minimum(first + (rng.random(3000) < 0.08), 5)], axis=1)
    frequency = np.bincount(grades.ravel(), minlength=6) + 1.0
    prior = fit_prior(list(grades), frequency, site_components(6))
    components, weights = np.array(prior.components), np.array(prior.weights)
    np.testing.assert_allclose(weights @ components, frequency / frequency.sum(), atol=0.02)
    assert weights @ (components**2).sum(axis=1) == pytest.approx(
        (grades[:, 0] == grades[:, 1]).mean(), abs=0.02
    )
    alike = [  # both films say the same wrong thing, so a film is worth less than an independent one
        SiteCourse("P", "A", np.repeat(rng.dirichlet(0.5 + 2.0 * np.eye(6)[g[0]])[None], 2, 0), g, ("a", "b"))
        for g in grades[:200]
    ]
    chosen = with_tempering(prior, alike)
    assert chosen.tempering < 1
    assert log_score(chosen, alike) >= log_score(prior, alike)


def test_reading_of_a_given_prior_stays_as_it_was():
    """Values of version 0.1.0."""
    prior = made_prior(5)
    seen = np.array([[0.7, 0.2, 0.1, 1e-9, 0], [0.1, 0.6, 0.25, 0.05, 0], [0.05, 0.15, 0.2, 0.55, 0.05]])
    read = read_site(seen, prior)
    assert read.grades.tolist() == GRADES
    np.testing.assert_allclose(read.probabilities, PROBABILITIES, rtol=1e-12)
    np.testing.assert_allclose(read.change[np.triu_indices(3, 1)], CHANGE, rtol=1e-12)
