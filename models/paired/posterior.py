"""One site on several images of a patient, read together without knowing which image came first.

The prior is an exchangeable mixture (de Finetti): a site belongs to a component, and given its component the
grades on the images are independent draws. Most components keep one grade on every image; some go between
two grades and show the second on a tenth to nine tenths of the images; a small proportion is free to be
anything. Nothing in it knows time, so it favours neither progression nor improvement, and an image that is
added changes nothing about the prior of the others: it serves two images as well as ten.

Each image contributes its grade probabilities as evidence, p(grade | image) / frequency(grade), to the power
``tempering``: the same site looks alike on every image, so its images err together and are worth less than
independent ones. How many grades there are is up to the prior.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from core.domain import Abstained, Finding, Scored, ScoredPaired

MIN_PROBABILITY = 1e-6  # below it counts as this: no image alone excludes a grade
PROPORTIONS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of images with the second grade, where a site goes between two


@dataclass(frozen=True)
class Prior:
    """The prior of one site's grades on several images, for g grades; kept in the weights card.

    frequency (g,): of the grades on a single image, as the grade probabilities were calibrated. components
    (z, g): proportion of images on which a site of this component shows each grade. weights (z,): proportion
    of sites in each component, sums to 1. tempering: power of an image's evidence, 0 to 1. class_weight (g,):
    of the grades where one must be chosen, all 1 unless given. change: factor on a choice for each grade that
    it has beyond one.
    """

    frequency: tuple[float, ...]
    components: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    tempering: float = 1.0
    class_weight: tuple[float, ...] = ()
    change: float = 1.0

    def __post_init__(self) -> None:
        if not self.class_weight:
            object.__setattr__(self, "class_weight", (1.0,) * len(self.frequency))

    def as_card(self) -> dict[str, Any]:
        """As a weights card keeps it, field by field."""
        return asdict(self)

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> Prior:
        """The prior that :meth:`as_card` wrote."""
        return cls(
            tuple(card["frequency"]),
            tuple(tuple(row) for row in card["components"]),
            tuple(card["weights"]),
            card["tempering"],
            tuple(card["class_weight"]),
            card["change"],
        )


@dataclass(frozen=True)
class SiteRead:
    """One site on k images. probabilities (k, g) of the grades; change (k, k): probability that two images
    differ; grades (k,).
    """

    probabilities: np.ndarray
    change: np.ndarray
    grades: np.ndarray


def read_site(probabilities: np.ndarray, prior: Prior) -> SiteRead:
    """The grades of one site on k images from what each image says alone, (k, g) with rows that sum to 1."""
    log_weights, components = np.log(np.asarray(prior.weights)), np.asarray(prior.components)
    log_evidence = evidence(probabilities, prior)
    read, change = _posterior(log_evidence, components, log_weights)
    return SiteRead(read, change, _choose(log_evidence, components, log_weights, prior))


def posterior(probabilities: np.ndarray, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
    """(k, g) and (k, k) of :func:`read_site`, without a choice of grades."""
    log_weights, components = np.log(np.asarray(prior.weights)), np.asarray(prior.components)
    return _posterior(evidence(probabilities, prior), components, log_weights)


def _posterior(
    log_evidence: np.ndarray, components: np.ndarray, log_weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    joint = components[:, None, :] * np.exp(log_evidence)[None]  # (components, images, grades)
    of_image = joint.sum(axis=2)
    responsibility = log_weights + np.log(of_image).sum(axis=1)
    responsibility = np.exp(responsibility - responsibility.max())
    responsibility /= responsibility.sum()
    joint /= of_image[..., None]
    same = np.einsum("z,zkg,zlg->kl", responsibility, joint, joint)
    change = np.clip(1 - same, 0, 1)
    np.fill_diagonal(change, 0)
    return np.einsum("z,zkg->kg", responsibility, joint), change


def evidence(probabilities: np.ndarray, prior: Prior) -> np.ndarray:
    """(k, g) log evidence of each image for each grade, largest 0."""
    ratio = np.log(np.maximum(probabilities, MIN_PROBABILITY)) - np.log(np.asarray(prior.frequency))
    ratio = prior.tempering * ratio
    return np.asarray(ratio - ratio.max(axis=1, keepdims=True))


def _choose(
    log_evidence: np.ndarray, components: np.ndarray, log_weights: np.ndarray, prior: Prior
) -> np.ndarray:
    """(k,) the grades that are jointly most probable, with class weights.

    The prior depends on how often a grade occurs and not on which image has it, so among choices with two
    grades the best is found by ordering the images; a third grade is reached by changing one image at a time.
    """
    with np.errstate(divide="ignore"):
        log_rate = np.log(components)
    log_class_weight = np.log(np.asarray(prior.class_weight))

    def log_posterior(grades: np.ndarray) -> float:
        of_component = log_weights + log_rate[:, grades].sum(axis=1)
        top = max(of_component.max(), -1e9)
        log_prior = top + np.log(np.exp(of_component - top).sum())
        more_grades = len(np.unique(grades)) - 1
        log_likelihood = log_evidence[np.arange(len(grades)), grades].sum()
        weighting = log_class_weight[grades].mean()
        return float(log_prior + log_likelihood + weighting + more_grades * np.log(prior.change))

    best = max(_with_two_grades(log_evidence), key=log_posterior)
    while True:
        near = [best, *_with_one_changed(best, log_evidence.shape[1])]
        better = near[int(np.argmax([log_posterior(grades) for grades in near]))]
        if (better == best).all():
            return best
        best = better


def _with_two_grades(log_evidence: np.ndarray) -> list[np.ndarray]:
    images, grade_count = log_evidence.shape
    choices = [np.full(images, grade) for grade in range(grade_count)]
    for low, high in combinations(range(grade_count), 2):
        order = np.argsort(log_evidence[:, low] - log_evidence[:, high], kind="stable")
        for count in range(1, images):
            grades = np.full(images, low)
            grades[order[:count]] = high
            choices.append(grades)
    return choices


def _with_one_changed(grades: np.ndarray, grade_count: int) -> list[np.ndarray]:
    choices = []
    for image in range(len(grades)):
        for grade in range(grade_count):
            other = grades.copy()
            other[image] = grade
            choices.append(other)
    return choices


def read_paired(
    results: Sequence[Scored | Abstained], prior_of: Callable[[Finding], Prior | None]
) -> ScoredPaired:
    """A patient's images read together, from what each says alone; their order plays no part.

    prior_of: the prior of a finding's site; where it is None the finding stays as it is. An image on which
    the model abstained stays so; a site that only one image shows is read from that image.
    """
    sites: dict[tuple[str, str], list[tuple[int, Finding]]] = {}
    for place, result in enumerate(results):
        for finding in result.findings if isinstance(result, Scored) else ():
            sites.setdefault((finding.site, finding.feature), []).append((place, finding))
    read: list[dict[tuple[str, str], Finding]] = [{} for _ in results]
    change: dict[str, dict[tuple[int, int], float]] = {}
    for (site, feature), findings in sites.items():
        prior = prior_of(findings[0][1])
        if prior is not None:
            findings, change[site] = _read_findings(findings, prior)
        for place, finding in findings:
            read[place][site, feature] = finding
    paired = (_with_findings(result, read[place]) for place, result in enumerate(results))
    return ScoredPaired(tuple(paired), change)


def _read_findings(
    findings: Sequence[tuple[int, Finding]], prior: Prior
) -> tuple[list[tuple[int, Finding]], dict[tuple[int, int], float]]:
    """The findings of one site with their image's place, read together; (place, other place) -> change."""
    read = read_site(np.array([finding.grade_probabilities for _, finding in findings]), prior)
    graded = [
        (place, replace(finding, grade=int(grade), grade_probabilities=tuple(float(p) for p in row)))
        for (place, finding), row, grade in zip(findings, read.probabilities, read.grades, strict=True)
    ]
    change = {
        (place, other): float(read.change[i, j])
        for i, (place, _) in enumerate(findings)
        for j, (other, _) in enumerate(findings)
        if i != j
    }
    return graded, change


def _with_findings(
    result: Scored | Abstained, findings: Mapping[tuple[str, str], Finding]
) -> Scored | Abstained:
    if isinstance(result, Abstained):
        return result
    graded = tuple(findings[finding.site, finding.feature] for finding in result.findings)
    return Scored(graded, dict(result.unscorable))


def site_components(grades: int, reach: int | None = None) -> np.ndarray:
    """(z, grades) the components: one grade on all images, then two, the second on 10, 30, 50, 70, 90% of
    images.

    reach: how far the two may lie apart; any distance if None.
    """
    rows = [np.eye(grades)[grade] for grade in range(grades)]
    for low, high in combinations(range(grades), 2):
        if reach is not None and high - low > reach:
            continue
        for proportion in PROPORTIONS:
            rows.append((1 - proportion) * np.eye(grades)[low] + proportion * np.eye(grades)[high])
    return np.array(rows)
