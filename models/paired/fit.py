"""What is fitted for reading a patient's films together, whatever the score: what to expect of a site, and
how far to trust a film.

What to expect comes from the true grades of sites over visits (of training patients, as numbers: no film is
needed); trust from films of tuning patients. Test patients give nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.paired.posterior import Expectation, known_after_all

ROUNDS = 400
TRUSTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
FREE = (0.001, 0.003, 0.01, 0.03)  # share of sites of which nothing is expected


@dataclass(frozen=True)
class SiteCourse:
    """One site of one patient on k tuning films. probabilities (k, g) of each alone, grade (k,) truth."""

    patient: str
    site: str
    probabilities: np.ndarray
    grade: np.ndarray
    films: tuple[str, ...]


def fit_expectation(grades: Sequence[np.ndarray], frequency: np.ndarray, kinds: np.ndarray) -> Expectation:
    """The shares of the kinds (z, g) of site by expectation-maximisation from true grades, (k,) per site.

    frequency (g,): of the grades on the films on which the grade probabilities were calibrated.
    """
    counts = np.array([np.bincount(one, minlength=kinds.shape[1]) for one in grades])
    patterns, often = np.unique(counts, axis=0, return_counts=True)
    likelihood = np.prod(kinds[None] ** patterns[:, None, :], axis=2)  # (patterns, kinds); 0 ** 0 is 1
    reachable = likelihood.sum(axis=1) > 0
    likelihood, often = likelihood[reachable], often[reachable]
    weights = np.full(len(kinds), 1 / len(kinds))
    for _ in range(ROUNDS):
        share = likelihood * weights
        share /= share.sum(axis=1, keepdims=True)
        weights = (often[:, None] * share).sum(axis=0) + 0.01
        weights /= weights.sum()
    return with_free(kinds, weights, np.asarray(frequency, float), FREE[0])


def with_free(kinds: np.ndarray, weights: np.ndarray, frequency: np.ndarray, free: float) -> Expectation:
    """The mixture with one more kind, whose films are independent draws from the frequencies."""
    frequency = frequency / frequency.sum()
    rows = [*kinds.tolist(), frequency.tolist()]
    shares = [*((1 - free) * weights).tolist(), free]
    return Expectation(
        tuple(round(float(v), 6) for v in frequency),
        tuple(tuple(round(v, 6) for v in row) for row in rows),
        tuple(round(v, 8) for v in shares),
    )


def with_trust(expected: Expectation, sites: Sequence[SiteCourse]) -> Expectation:
    """Trust and free share by the log probability of the truth of sites on several films."""
    kinds, weights = np.array(expected.kinds[:-1]), np.array(expected.weights[:-1])
    options = [
        replace(with_free(kinds, weights / weights.sum(), np.array(expected.frequency), free), trust=trust)
        for free in FREE
        for trust in TRUSTS
    ]
    return max(options, key=lambda option: log_score(option, sites))


def log_score(expected: Expectation, sites: Sequence[SiteCourse]) -> float:
    """Mean log probability of the true grade of each film and of whether two films differ."""
    total, count = 0.0, 0
    for site in sites:
        probabilities, change = known_after_all(site.probabilities, expected)
        right = probabilities[np.arange(len(site.grade)), site.grade]
        differs = site.grade[:, None] != site.grade[None]
        changed = np.where(differs, change, 1 - change)[np.triu_indices(len(site.grade), 1)]
        total += float(np.log(np.clip(right, 1e-6, 1)).sum() + np.log(np.clip(changed, 1e-6, 1)).sum())
        count += len(right) + len(changed)
    return total / max(count, 1)


def differences(errors: Sequence[float]) -> np.ndarray:
    """Differences of all pairs of values."""
    values = np.asarray(errors, float)
    one, other = np.triu_indices(len(values), 1)
    return np.asarray(values[one] - values[other])
