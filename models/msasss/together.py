"""One corner on several films of a patient, read together without knowing which film came first.

What is expected beforehand is an exchangeable mixture (de Finetti): a corner is of a kind, and given its kind
the grades on the films are independent draws. Most kinds keep one grade on every film; some go between two
grades and show the second on a tenth to nine tenths of the films; a small share is free to be anything.
Nothing in it knows time, so it leans neither to progression nor to improvement, and a film that is added
changes nothing about what was expected of the others: it serves two films as well as ten.

Each film contributes its grade probabilities as evidence, p(grade | film) / frequency(grade), to the power
``trust``: the same corner looks alike on every film, so its films err together and are worth less than
independent ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from core.domain import Abstained, Finding, Scored, ScoredTogether

GRADES = 4
LEAST = 1e-6  # probabilities below this count as this: no film alone excludes a grade


@dataclass(frozen=True)
class Expectation:
    """What is expected of one corner's grades on several films; fitted by
    :mod:`models.msasss.tune_together`, kept in the weights card.

    frequency (4,): of the grades on a single film, as the grade probabilities were calibrated. kinds (z, 4):
    share of films on which a corner of this kind shows each grade. weights (z,): share of corners of each
    kind, sums to 1. trust: power of a film's evidence, 0 to 1. emphasis (4,): of the grades where one must be
    chosen. change: factor on a choice for each grade that it has beyond one.
    """

    frequency: tuple[float, ...]
    kinds: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    trust: float = 1.0
    emphasis: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    change: float = 1.0

    def as_card(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_card(cls, card: dict[str, Any]) -> Expectation:
        return cls(
            tuple(card["frequency"]),
            tuple(tuple(row) for row in card["kinds"]),
            tuple(card["weights"]),
            card["trust"],
            tuple(card["emphasis"]),
            card["change"],
        )


@dataclass(frozen=True)
class CornerRead:
    """One corner on k films. probabilities (k, 4) of the grades; change (k, k): probability that two films
    differ; grades (k,).
    """

    probabilities: np.ndarray
    change: np.ndarray
    grades: np.ndarray


def read_corner(probabilities: np.ndarray, expected: Expectation) -> CornerRead:
    """The grades of one corner on k films from what each film says alone, (k, 4) with rows that sum to 1."""
    log_kinds, kinds = np.log(np.asarray(expected.weights)), np.asarray(expected.kinds)
    log_evidence = evidence(probabilities, expected)
    joint = kinds[:, None, :] * np.exp(log_evidence)[None]  # (kinds, films, grades)
    of_film = joint.sum(axis=2)
    share = log_kinds + np.log(of_film).sum(axis=1)
    share = np.exp(share - share.max())
    share /= share.sum()
    joint /= of_film[..., None]
    same = np.einsum("z,zkg,zlg->kl", share, joint, joint)
    change = np.clip(1 - same, 0, 1)
    np.fill_diagonal(change, 0)
    grades = _choose(log_evidence, kinds, log_kinds, expected)
    return CornerRead(np.einsum("z,zkg->kg", share, joint), change, grades)


def evidence(probabilities: np.ndarray, expected: Expectation) -> np.ndarray:
    """(k, 4) log evidence of each film for each grade, largest 0."""
    ratio = np.log(np.maximum(probabilities, LEAST)) - np.log(np.asarray(expected.frequency))
    ratio = expected.trust * ratio
    return np.asarray(ratio - ratio.max(axis=1, keepdims=True))


def _choose(
    log_evidence: np.ndarray, kinds: np.ndarray, log_kinds: np.ndarray, expected: Expectation
) -> np.ndarray:
    """(k,) the grades that are most probable together, with emphasis.

    What is expected depends on how often a grade occurs and not on which film has it, so among choices with
    two grades the best is found by ordering the films; a third grade is reached by changing one film at a
    time.
    """
    with np.errstate(divide="ignore"):
        log_rate = np.log(kinds)
    weight = np.log(np.asarray(expected.emphasis))

    def worth(grades: np.ndarray) -> float:
        known = log_kinds + log_rate[:, grades].sum(axis=1)
        top = max(known.max(), -1e9)
        beforehand = top + np.log(np.exp(known - top).sum())
        several = len(np.unique(grades)) - 1
        seen = log_evidence[np.arange(len(grades)), grades].sum()
        return float(beforehand + seen + weight[grades].mean() + several * np.log(expected.change))

    best = max(_with_two_grades(log_evidence), key=worth)
    while True:
        near = [best, *_with_one_changed(best)]
        better = near[int(np.argmax([worth(grades) for grades in near]))]
        if (better == best).all():
            return best
        best = better


def _with_two_grades(log_evidence: np.ndarray) -> list[np.ndarray]:
    films = len(log_evidence)
    found = [np.full(films, grade) for grade in range(GRADES)]
    for low, high in combinations(range(GRADES), 2):
        order = np.argsort(log_evidence[:, low] - log_evidence[:, high], kind="stable")
        for count in range(1, films):
            grades = np.full(films, low)
            grades[order[:count]] = high
            found.append(grades)
    return found


def _with_one_changed(grades: np.ndarray) -> list[np.ndarray]:
    found = []
    for film in range(len(grades)):
        for grade in range(GRADES):
            other = grades.copy()
            other[film] = grade
            found.append(other)
    return found


def read_together(films: Sequence[Scored | Abstained], expected: Expectation) -> ScoredTogether:
    """What a patient's films say together, from what each says alone; the order of the films plays no part.

    A film on which the model abstained stays so; a corner that only one film shows is read from that film.
    """
    seen: dict[str, list[tuple[int, Finding]]] = {}
    for place, film in enumerate(films):
        for finding in film.findings if isinstance(film, Scored) else ():
            seen.setdefault(finding.site, []).append((place, finding))
    new: dict[int, dict[str, Finding]] = {place: {} for place in range(len(films))}
    change: dict[str, dict[tuple[int, int], float]] = {}
    for site, findings in seen.items():
        places = [place for place, _ in findings]
        read = read_corner(np.array([finding.grade_probabilities for _, finding in findings]), expected)
        for row, (place, finding) in enumerate(findings):
            new[place][site] = _graded(finding, read.probabilities[row], int(read.grades[row]))
        change[site] = {
            (places[one], places[other]): float(read.change[one, other])
            for one in range(len(places))
            for other in range(len(places))
            if one != other
        }
    return ScoredTogether(tuple(_film(film, new[place]) for place, film in enumerate(films)), change)


def _graded(finding: Finding, probabilities: np.ndarray, grade: int) -> Finding:
    together = tuple(float(p) for p in probabilities)
    return Finding(
        finding.site, finding.feature, grade, together, finding.confidence, finding.box, finding.polygon
    )


def _film(film: Scored | Abstained, findings: dict[str, Finding]) -> Scored | Abstained:
    if isinstance(film, Abstained):
        return film
    return Scored(tuple(findings[finding.site] for finding in film.findings), dict(film.unscorable))


def kinds_of_corner() -> np.ndarray:
    """(34, 4) the kinds: one grade throughout (4), then two grades, the second on 10, 30, 50, 70, 90% of
    films (6 pairs of grades x 5).
    """
    rows = [np.eye(GRADES)[grade] for grade in range(GRADES)]
    for low, high in combinations(range(GRADES), 2):
        for share in (0.1, 0.3, 0.5, 0.7, 0.9):
            rows.append((1 - share) * np.eye(GRADES)[low] + share * np.eye(GRADES)[high])
    return np.array(rows)
