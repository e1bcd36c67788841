"""One site read on several images: against enumeration, blind to their order, a prior fitted from courses."""

from itertools import product

import numpy as np
import pytest

from core.domain import Abstained, Box, Finding, Scored
from models.paired.fit import fit_prior
from models.paired.posterior import Prior, read_paired, read_site, site_components

FREQUENCY = np.array([0.7, 0.14, 0.1, 0.06])


def sequences(rng, count=4000, films=3):
    """Corners that keep their grade, but for one in ten that steps up once."""
    grades = np.repeat(rng.choice(4, count, p=FREQUENCY)[:, None], films, axis=1)
    for one in np.flatnonzero(rng.random(count) < 0.1):
        grades[one, rng.integers(1, films) :] = min(grades[one, 0] + 1, 3)
    return list(grades)


@pytest.fixture(scope="module")
def prior():
    return fit_prior(sequences(np.random.default_rng(1)), FREQUENCY, site_components(4))


def by_enumeration(probabilities, prior):
    """Marginals, change and the best grades from all 4 ** k joint grades, one by one."""
    films = len(probabilities)
    evidence = (probabilities / np.array(prior.frequency)) ** prior.tempering
    joint = {}
    for grades in product(range(4), repeat=films):
        weight_of = sum(
            weight * np.prod([component[g] for g in grades])
            for component, weight in zip(prior.components, prior.weights, strict=True)
        )
        joint[grades] = weight_of * np.prod([evidence[k, g] for k, g in enumerate(grades)])
    total = sum(joint.values())
    marginal = np.zeros((films, 4))
    change = np.zeros((films, films))
    chosen = {}
    for grades, value in joint.items():
        for k, grade in enumerate(grades):
            marginal[k, grade] += value / total
            for other in range(films):
                change[k, other] += (grade != grades[other]) * value / total
        tilt = np.exp(np.log(np.array(prior.class_weight))[list(grades)].mean())
        chosen[grades] = value * tilt * prior.change ** (len(set(grades)) - 1)
    return marginal, change, np.array(max(chosen, key=chosen.get))


@pytest.mark.parametrize("films", [1, 2, 3, 4])
@pytest.mark.parametrize("tempering", [0.5, 1.0])
def test_reading_agrees_with_enumeration(prior, films, tempering):
    rng = np.random.default_rng(films)
    tilted = Prior(prior.frequency, prior.components, prior.weights, tempering, (1.0, 1.7, 1.0, 1.2), 0.7)
    for _ in range(25):
        probabilities = rng.dirichlet([0.5] * 4, size=films)
        probabilities = np.maximum(probabilities, 1e-5)
        read = read_site(probabilities, tilted)
        marginal, change, grades = by_enumeration(probabilities, tilted)
        np.testing.assert_allclose(read.probabilities, marginal, atol=1e-9)
        np.testing.assert_allclose(read.change, change, atol=1e-9)
        np.testing.assert_array_equal(read.grades, grades)


def test_order_of_films_plays_no_part(prior):
    rng = np.random.default_rng(5)
    for _ in range(20):
        probabilities = rng.dirichlet([0.4] * 4, size=4)
        order = rng.permutation(4)
        plain, mixed = read_site(probabilities, prior), read_site(probabilities[order], prior)
        np.testing.assert_allclose(mixed.probabilities, plain.probabilities[order])
        np.testing.assert_allclose(mixed.change, plain.change[np.ix_(order, order)])
        np.testing.assert_array_equal(mixed.grades, plain.grades[order])


def test_doubtful_follow_up_does_not_invent_a_change(prior):
    read = read_site(np.array([[0.93, 0.07, 0.0, 0.0], [0.4, 0.6, 0.0, 0.0]]), prior)
    assert read.grades.tolist() == [0, 0]
    assert read.change[0, 1] < 0.5


def test_plain_change_is_kept_whichever_film_comes_first(prior):
    probabilities = np.array([[0.0, 0.995, 0.005, 0.0], [0.0, 0.002, 0.998, 0.0]])
    there, back = read_site(probabilities, prior), read_site(probabilities[::-1], prior)
    assert there.grades.tolist() == [1, 2]
    assert back.grades.tolist() == [2, 1]
    assert there.change[0, 1] == pytest.approx(back.change[0, 1])
    assert there.change[0, 1] > 0.5


def test_film_that_says_nothing_changes_nothing_for_the_others(prior):
    two = np.array([[0.9, 0.1, 0.0, 0.0], [0.3, 0.7, 0.0, 0.0]])
    three = np.vstack([two, prior.frequency])
    alone, added = read_site(two, prior), read_site(three, prior)
    np.testing.assert_allclose(added.probabilities[:2], alone.probabilities)
    np.testing.assert_allclose(added.change[:2, :2], alone.change)


def test_card_round_trip(prior):
    assert Prior.from_card(prior.as_card()) == prior


def test_prior_fits_the_courses(prior):
    rng = np.random.default_rng(2)
    grades = np.array(sequences(rng, 6000))
    components, weights = np.array(prior.components), np.array(prior.weights)
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(weights @ components, np.bincount(grades.ravel()) / grades.size, atol=0.02)
    same = weights @ (components**2).sum(axis=1)
    observed = np.mean([grades[:, a] == grades[:, b] for a, b in ((0, 1), (0, 2), (1, 2))])
    assert same == pytest.approx(observed, abs=0.01)
    assert site_components(4).shape == (34, 4)
    np.testing.assert_allclose(site_components(4).sum(axis=1), 1)


def finding(site, probabilities, grade):
    return Finding(site, "corner", grade, tuple(probabilities), 0.8, Box(0, 0, 5, 5))


NORMAL, DOUBTFUL = (0.95, 0.05, 0.0, 0.0), (0.4, 0.6, 0.0, 0.0)


def test_films_keep_boxes_hidden_sites_and_abstentions(prior):
    films = [
        Scored((finding("C2I", NORMAL, 0), finding("C3S", NORMAL, 0)), {"T1S": "hidden"}),
        Abstained("a hand"),
        Scored((finding("C2I", DOUBTFUL, 1), finding("L1S", DOUBTFUL, 1))),
    ]
    read = read_paired(films, lambda finding: prior)
    assert read.results[1] == films[1]
    first, last = read.results[0], read.results[2]
    assert isinstance(first, Scored)
    assert isinstance(last, Scored)
    assert first.unscorable == {"T1S": "hidden"}
    assert [f.site for f in last.findings] == ["C2I", "L1S"]
    assert last.findings[0].grade == 0
    assert last.findings[0].box == Box(0, 0, 5, 5)
    assert last.findings[0].confidence == 0.8
    assert set(read.change_probability["C2I"]) == {(0, 2), (2, 0)}
    assert read.change_probability["L1S"] == {}
    assert sum(last.findings[0].grade_probabilities) == pytest.approx(1)
