"""Sites with other numbers of grades read together: against enumeration, and findings that are no grade."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from core.domain import Abstained, Finding, Scored
from models.paired.fit import SiteCourse, fit_expectation, log_score, with_free, with_trust
from models.paired.posterior import Expectation, kinds_of_site, read_site, read_together


def expectation(grades):
    rng = np.random.default_rng(grades)
    kinds = kinds_of_site(grades, 2)
    weights = rng.dirichlet(np.full(len(kinds), 1.0))
    made = with_free(kinds, weights, rng.dirichlet(np.full(grades, 3.0)), 0.01)
    return replace(made, trust=0.6, emphasis=tuple(np.linspace(1, 1.6, grades)), change=0.7)


@pytest.mark.parametrize(("grades", "films"), [(5, 2), (6, 2), (6, 3), (11, 2)])
def test_reading_agrees_with_enumeration(grades, films):
    expected = expectation(grades)
    rng = np.random.default_rng(films)
    for _ in range(5):
        seen = np.maximum(rng.dirichlet(np.full(grades, 0.4), size=films), 1e-5)
        read = read_site(seen, expected)
        evidence = (seen / np.array(expected.frequency)) ** expected.trust
        marginal, chosen, total = np.zeros((films, grades)), {}, 0.0
        for picked in product(range(grades), repeat=films):
            prior = float(np.array(expected.weights) @ np.prod(np.array(expected.kinds)[:, picked], axis=1))
            value = prior * np.prod([evidence[k, g] for k, g in enumerate(picked)])
            total += value
            marginal[np.arange(films), picked] += value
            tilt = np.exp(np.log(np.array(expected.emphasis))[list(picked)].mean())
            chosen[picked] = value * tilt * expected.change ** (len(set(picked)) - 1)
        np.testing.assert_allclose(read.probabilities, marginal / total, atol=1e-9)
        if films == 2:
            assert tuple(read.grades) == max(chosen, key=chosen.get)


def test_kinds_within_reach():
    assert kinds_of_site(4).shape == (34, 4)
    assert kinds_of_site(11, 3).shape == (11 + 5 * (10 + 9 + 8), 11)
    np.testing.assert_allclose(kinds_of_site(6, 1).sum(axis=1), 1)


def test_emphasis_is_one_for_each_grade_unless_given():
    assert Expectation((0.5, 0.3, 0.2), ((1, 0, 0),), (1.0,)).emphasis == (1.0, 1.0, 1.0)


def test_findings_without_expectation_stay_as_they_are():
    expected = expectation(6)
    bent = tuple(np.full(6, 1 / 6))
    grade = Finding("A", "erosion", 0, bent, 0.9)
    special = Finding("A", "ankylosis", 1, (0.2, 0.8), 0.7)
    films = [Scored((special, grade)), Abstained("no hands"), Scored((grade,), {"B": "hidden"})]
    read = read_together(films, lambda f: expected if f.feature == "erosion" else None)
    assert read.films[0].findings[0] is special
    assert read.films[0].findings[1].grade_probabilities != bent
    assert read.films[1] == films[1]
    assert read.films[2].unscorable == {"B": "hidden"}
    assert set(read.change_probability) == {"A"}
    assert set(read.change_probability["A"]) == {(0, 2), (2, 0)}


def test_fitted_expectation_and_trust_follow_the_courses():
    rng = np.random.default_rng(4)
    first = rng.choice(6, 3000, p=[0.6, 0.2, 0.1, 0.05, 0.03, 0.02])
    grades = np.stack([first, np.minimum(first + (rng.random(3000) < 0.08), 5)], axis=1)
    frequency = np.bincount(grades.ravel(), minlength=6) + 1.0
    expected = fit_expectation(list(grades), frequency, kinds_of_site(6))
    kinds, weights = np.array(expected.kinds), np.array(expected.weights)
    np.testing.assert_allclose(weights @ kinds, frequency / frequency.sum(), atol=0.02)
    assert weights @ (kinds**2).sum(axis=1) == pytest.approx((grades[:, 0] == grades[:, 1]).mean(), abs=0.02)
    alike = [  # both films say the same wrong thing, so a film is worth less than an independent one
        SiteCourse("P", "A", np.repeat(rng.dirichlet(0.5 + 2.0 * np.eye(6)[g[0]])[None], 2, 0), g, ("a", "b"))
        for g in grades[:200]
    ]
    chosen = with_trust(expected, alike)
    assert chosen.trust < 1
    assert log_score(chosen, alike) >= log_score(expected, alike)
