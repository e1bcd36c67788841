"""What is fitted for paired reading, whatever the score: the prior of a site, and how far one image counts.

The prior comes from the true grades of sites over visits (of training patients, as numbers: no image is
needed); tempering from images of tuning patients. Test patients give nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.paired.posterior import Prior, posterior

ROUNDS = 400
TEMPERINGS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
FREE = (0.001, 0.003, 0.01, 0.03)  # proportion of sites that may have any grades


@dataclass(frozen=True)
class SiteCourse:
    """One site of one patient on k tuning images. probabilities (k, g) of each alone, grade (k,) truth.

    films: names of the images.
    """

    patient: str
    site: str
    probabilities: np.ndarray
    grade: np.ndarray
    films: tuple[str, ...]


def fit_prior(grades: Sequence[np.ndarray], frequency: np.ndarray, components: np.ndarray) -> Prior:
    """The weights of the components (z, g) by expectation-maximisation from true grades, (k,) per site.

    frequency (g,): of the grades on the images on which the grade probabilities were calibrated.
    """
    counts = np.array([np.bincount(one, minlength=components.shape[1]) for one in grades])
    patterns, often = np.unique(counts, axis=0, return_counts=True)
    likelihood = np.prod(components[None] ** patterns[:, None, :], axis=2)  # (patterns, z); 0 ** 0 is 1
    reachable = likelihood.sum(axis=1) > 0
    likelihood, often = likelihood[reachable], often[reachable]
    weights = np.full(len(components), 1 / len(components))
    for _ in range(ROUNDS):
        responsibility = likelihood * weights
        responsibility /= responsibility.sum(axis=1, keepdims=True)
        weights = (often[:, None] * responsibility).sum(axis=0) + 0.01
        weights /= weights.sum()
    return with_free_component(components, weights, np.asarray(frequency, float), FREE[0])


def with_free_component(
    components: np.ndarray, weights: np.ndarray, frequency: np.ndarray, free: float
) -> Prior:
    """The mixture with one more component, whose images are independent draws from the frequencies."""
    frequency = frequency / frequency.sum()
    rows = [*components.tolist(), frequency.tolist()]
    proportions = [*((1 - free) * weights).tolist(), free]
    return Prior(
        tuple(round(float(v), 6) for v in frequency),
        tuple(tuple(round(v, 6) for v in row) for row in rows),
        tuple(round(v, 8) for v in proportions),
    )


def with_tempering(prior: Prior, sites: Sequence[SiteCourse]) -> Prior:
    """Tempering and free component by the log probability of the truth of sites on several images."""
    components, weights = np.array(prior.components[:-1]), np.array(prior.weights[:-1])
    frequency = np.array(prior.frequency)
    options = [
        replace(
            with_free_component(components, weights / weights.sum(), frequency, free), tempering=tempering
        )
        for free in FREE
        for tempering in TEMPERINGS
    ]
    return max(options, key=lambda option: log_score(option, sites))


def slim(prior: Prior, least: float = 1e-5) -> Prior:
    """Without the components that hardly a site belongs to; the last, which is free to be anything, stays."""
    weights = np.array(prior.weights)
    keep = (weights >= least) | (np.arange(len(weights)) == len(weights) - 1)
    weights = weights[keep] / weights[keep].sum()
    components = tuple(one for one, kept in zip(prior.components, keep, strict=True) if kept)
    return replace(prior, components=components, weights=tuple(round(float(v), 8) for v in weights))


def log_score(prior: Prior, sites: Sequence[SiteCourse]) -> float:
    """Mean log probability of the true grade of each image and of whether two images differ."""
    total, count = 0.0, 0
    for site in sites:
        probabilities, change = posterior(site.probabilities, prior)
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
