"""How the choice of grades in paired reading is tuned, whatever the score: what is tried, and the errors that
a system makes its cost of.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.paired.fit import SiteCourse, differences, with_tempering
from models.paired.posterior import Prior, evidence, read_site

MIN_PAIRS = 100  # sites on two images, below which the choice stays as it is


def tune(
    prior: Prior,
    sites: Sequence[SiteCourse],
    cost: Callable[[Prior, Sequence[SiteCourse]], float],
    *,
    class_weights: Sequence[tuple[float, ...]],
    changes: Sequence[float],
    prepare: Callable[[Prior], Prior] = lambda prior: prior,
) -> Prior:
    """Tempering and free component by the log probability of the truth, class weights and change by cost.

    With too few sites on two images the prior stays as it is. prepare: what is done to it first otherwise.
    """
    pairs = [site for site in sites if len(site.grade) > 1]
    if len(pairs) < MIN_PAIRS:
        return prior
    best = with_tempering(prepare(prior), pairs)
    choices = [
        replace(best, class_weight=weight, change=change) for weight in class_weights for change in changes
    ]
    return min(choices, key=lambda choice: cost(choice, sites))


@dataclass(frozen=True)
class SumErrors:
    """Errors of sums of grades. status: of each sum; change: of its difference between two images of the same
    sites; true_change: that difference in truth.
    """

    status: np.ndarray
    change: np.ndarray
    true_change: np.ndarray


def sum_errors(
    sites: Sequence[SiteCourse],
    grades: Sequence[np.ndarray],
    group_of: Callable[[SiteCourse], Hashable],
) -> SumErrors:
    """Of the chosen grades, (k,) per site, summed over the sites of a group on each image or visit."""
    error: dict[Hashable, dict[str, float]] = {}
    truth: dict[Hashable, dict[str, float]] = {}
    for site, chosen in zip(sites, grades, strict=True):
        group = group_of(site)
        off, true_sum = error.setdefault(group, {}), truth.setdefault(group, {})
        for image, given, true in zip(site.films, chosen, site.grade, strict=True):
            off[image] = off.get(image, 0.0) + float(given - true)
            true_sum[image] = true_sum.get(image, 0.0) + float(true)
    change, true_change = (
        np.concatenate([differences(list(sums.values())) for sums in of.values()]) for of in (error, truth)
    )
    return SumErrors(np.concatenate([list(sums.values()) for sums in error.values()]), change, true_change)


def tie_break(prior: Prior, unit: float) -> float:
    """A small cost of class weight and change, so that of equal choices the plainest wins."""
    return float(unit * (abs(np.log(prior.class_weight[1])) + abs(np.log(prior.change))))


def pair_prior(prior: Prior) -> np.ndarray:
    """(g, g) log prior of the grades on two images."""
    components = np.asarray(prior.components)
    joint = components.T @ (np.asarray(prior.weights)[:, None] * components)
    return np.log(np.maximum(joint, 1e-300))


def chosen_grades(probabilities: np.ndarray, prior: Prior, log_prior: np.ndarray) -> np.ndarray:
    """The grades that :func:`models.paired.posterior.read_site` chooses; for two images from all pairs at
    once.

    log_prior: of :func:`pair_prior`.
    """
    if len(probabilities) != 2:
        return read_site(probabilities, prior).grades
    seen, weight = evidence(probabilities, prior), np.log(np.asarray(prior.class_weight)) / 2
    log_posterior = log_prior + (seen[0] + weight)[:, None] + (seen[1] + weight)[None]
    log_posterior = log_posterior + np.log(prior.change) * (1 - np.eye(len(weight)))
    return np.array(np.unravel_index(int(log_posterior.argmax()), log_posterior.shape))
