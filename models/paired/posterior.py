"""One site on several films of a patient, read together without knowing which film came first.

What is expected beforehand is an exchangeable mixture (de Finetti): a site is of a kind, and given its kind
the grades on the films are independent draws. Most kinds keep one grade on every film; some go between two
grades and show the second on a tenth to nine tenths of the films; a small share is free to be anything.
Nothing in it knows time, so it leans neither to progression nor to improvement, and a film that is added
changes nothing about what was expected of the others: it serves two films as well as ten.

Each film contributes its grade probabilities as evidence, p(grade | film) / frequency(grade), to the power
``trust``: the same site looks alike on every film, so its films err together and are worth less than
independent ones. How many grades there are is up to the expectation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from core.domain import Abstained, Finding, Scored, ScoredTogether

LEAST = 1e-6  # probabilities below this count as this: no film alone excludes a grade
SHARES = (
    0.1,
    0.3,
    0.5,
    0.7,
    0.9,
)  # of the films on which a site that goes between two grades shows the second


@dataclass(frozen=True)
class Expectation:
    """What is expected of one site's grades on several films, for g grades; kept in the weights card.

    frequency (g,): of the grades on a single film, as the grade probabilities were calibrated. kinds (z, g):
    share of films on which a site of this kind shows each grade. weights (z,): share of sites of each
    kind, sums to 1. trust: power of a film's evidence, 0 to 1. emphasis (g,): of the grades where one must be
    chosen, all 1 unless given. change: factor on a choice for each grade that it has beyond one.
    """

    frequency: tuple[float, ...]
    kinds: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    trust: float = 1.0
    emphasis: tuple[float, ...] = ()
    change: float = 1.0

    def __post_init__(self) -> None:
        if not self.emphasis:
            object.__setattr__(self, "emphasis", (1.0,) * len(self.frequency))

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
class SiteRead:
    """One site on k films. probabilities (k, g) of the grades; change (k, k): probability that two films
    differ; grades (k,).
    """

    probabilities: np.ndarray
    change: np.ndarray
    grades: np.ndarray


def read_site(probabilities: np.ndarray, expected: Expectation) -> SiteRead:
    """The grades of one site on k films from what each film says alone, (k, g) with rows that sum to 1."""
    log_kinds, kinds = np.log(np.asarray(expected.weights)), np.asarray(expected.kinds)
    log_evidence = evidence(probabilities, expected)
    read, change = _after_all(log_evidence, kinds, log_kinds)
    return SiteRead(read, change, _choose(log_evidence, kinds, log_kinds, expected))


def known_after_all(probabilities: np.ndarray, expected: Expectation) -> tuple[np.ndarray, np.ndarray]:
    """(k, g) and (k, k) of :func:`read_site`, without a choice of grades."""
    log_kinds, kinds = np.log(np.asarray(expected.weights)), np.asarray(expected.kinds)
    return _after_all(evidence(probabilities, expected), kinds, log_kinds)


def _after_all(
    log_evidence: np.ndarray, kinds: np.ndarray, log_kinds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    joint = kinds[:, None, :] * np.exp(log_evidence)[None]  # (kinds, films, grades)
    of_film = joint.sum(axis=2)
    share = log_kinds + np.log(of_film).sum(axis=1)
    share = np.exp(share - share.max())
    share /= share.sum()
    joint /= of_film[..., None]
    same = np.einsum("z,zkg,zlg->kl", share, joint, joint)
    change = np.clip(1 - same, 0, 1)
    np.fill_diagonal(change, 0)
    return np.einsum("z,zkg->kg", share, joint), change


def evidence(probabilities: np.ndarray, expected: Expectation) -> np.ndarray:
    """(k, g) log evidence of each film for each grade, largest 0."""
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
        near = [best, *_with_one_changed(best, log_evidence.shape[1])]
        better = near[int(np.argmax([worth(grades) for grades in near]))]
        if (better == best).all():
            return best
        best = better


def _with_two_grades(log_evidence: np.ndarray) -> list[np.ndarray]:
    films, grades_in_all = log_evidence.shape
    found = [np.full(films, grade) for grade in range(grades_in_all)]
    for low, high in combinations(range(grades_in_all), 2):
        order = np.argsort(log_evidence[:, low] - log_evidence[:, high], kind="stable")
        for count in range(1, films):
            grades = np.full(films, low)
            grades[order[:count]] = high
            found.append(grades)
    return found


def _with_one_changed(grades: np.ndarray, grades_in_all: int) -> list[np.ndarray]:
    found = []
    for film in range(len(grades)):
        for grade in range(grades_in_all):
            other = grades.copy()
            other[film] = grade
            found.append(other)
    return found


def read_together(
    films: Sequence[Scored | Abstained], expected_of: Callable[[Finding], Expectation | None]
) -> ScoredTogether:
    """What a patient's films say together, from what each says alone; the order of the films plays no part.

    expected_of: what is expected of a finding's site; where it is None the finding stays as it is. A film on
    which the model abstained stays so; a site that only one film shows is read from that film.
    """
    seen: dict[tuple[str, str], list[tuple[int, Finding]]] = {}
    for place, film in enumerate(films):
        for finding in film.findings if isinstance(film, Scored) else ():
            seen.setdefault((finding.site, finding.feature), []).append((place, finding))
    new: dict[int, dict[tuple[str, str], Finding]] = {place: {} for place in range(len(films))}
    change: dict[str, dict[tuple[int, int], float]] = {}
    for key, findings in seen.items():
        expected = expected_of(findings[0][1])
        if expected is None:
            for place, finding in findings:
                new[place][key] = finding
            continue
        places = [place for place, _ in findings]
        read = read_site(np.array([finding.grade_probabilities for _, finding in findings]), expected)
        for row, (place, finding) in enumerate(findings):
            new[place][key] = _graded(finding, read.probabilities[row], int(read.grades[row]))
        change[key[0]] = {
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


def _film(film: Scored | Abstained, findings: dict[tuple[str, str], Finding]) -> Scored | Abstained:
    if isinstance(film, Abstained):
        return film
    graded = tuple(findings[finding.site, finding.feature] for finding in film.findings)
    return Scored(graded, dict(film.unscorable))


def kinds_of_site(grades: int, reach: int | None = None) -> np.ndarray:
    """(z, grades) the kinds: one grade on all films, then two, the second on 10, 30, 50, 70, 90% of films.

    reach: how far the two may lie apart; any distance if None.
    """
    rows = [np.eye(grades)[grade] for grade in range(grades)]
    for low, high in combinations(range(grades), 2):
        if reach is not None and high - low > reach:
            continue
        for share in SHARES:
            rows.append((1 - share) * np.eye(grades)[low] + share * np.eye(grades)[high])
    return np.array(rows)
