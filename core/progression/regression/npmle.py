"""Share of patients who progressed by a time, from interval-censored times, without assuming a shape.

Nonparametric maximum likelihood (Turnbull 1976, JRSS B 38:290): all probability lies in the innermost
intervals. The estimate comes from Newton steps under the constraint that masses are not negative (Wang 2008,
Comput Stat Data Anal 52:2388), bootstrap draws from expectation-maximisation. Compared with R survival.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import optimize

from core.agreement.bootstrap import count_blocks, percentiles
from core.progression.regression.first_progression import check_intervals

DRAWS, SEED = 500, 20240229
STEPS, TOLERANCE = 200, 1e-8  # of the largest excess of a mass's gradient over 1
DRAW_STEPS, DRAW_TOLERANCE = 300, 1e-3


@dataclass(frozen=True)
class Npmle:
    """start, end: innermost intervals, (k,), end infinite for the last one where some never progressed.
    mass: their probabilities, summing to 1. converged: whether the optimum's conditions hold. n: patients."""

    start: np.ndarray
    end: np.ndarray
    mass: np.ndarray
    converged: bool
    n: int

    def progressed(self, years: Any) -> np.ndarray:
        """Share who progressed by each time. Within an innermost interval the data do not say when: the
        probability is spread evenly over it (over none of an interval without an end)."""
        return _spread(self.start, self.end, self.mass[None], np.asarray(years, float))[0]

    def bounds(self, years: Any) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest share at each time that the same likelihood allows."""
        years = np.asarray(years, float)
        low = (self.mass * (self.end <= years[:, None])).sum(axis=1)
        return low, (self.mass * (self.start < years[:, None])).sum(axis=1)


def npmle(left: Any, right: Any) -> Npmle:
    """The estimate from intervals (left, right], one per patient; right infinite: not by ``left``.

    Raises ValueError for an empty interval or none at all.
    """
    left, right = check_intervals(left, right)
    if not len(left):
        raise ValueError("no interval")
    start, end = innermost(left, right)
    inside, weight = _membership(left, right, start, end)
    mass, converged = _newton(inside, weight.astype(float))
    return Npmle(start, end, mass, converged, len(left))


def progressed_interval(
    left: Any, right: Any, years: Any, *, draws: int = DRAWS, seed: int = SEED
) -> tuple[np.ndarray, np.ndarray]:
    """95% limits of ``progressed`` at each time: patient bootstrap, percentiles."""
    left, right = check_intervals(left, right)
    years = np.asarray(years, float)
    pairs, place = np.unique(np.column_stack([left, right]), axis=0, return_inverse=True)
    start, end = innermost(pairs[:, 0], pairs[:, 1])
    inside, _ = _membership(pairs[:, 0], pairs[:, 1], start, end)
    values = []
    for counts in count_blocks(len(left), draws=draws, seed=seed):
        weight = np.zeros((len(counts), len(pairs)))
        np.add.at(weight.T, place.ravel(), counts.T)
        values.append(_spread(start, end, _expectation(inside, weight), years))
    limits, _ = percentiles(np.concatenate(values))
    return limits[0], limits[1]


def innermost(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intervals (l, r] with l a left end, r a right end and no other end between: where mass can lie."""
    marks = sorted({(value, 1) for value in left} | {(value, 0) for value in right})
    found = [(first[0], second[0]) for first, second in pairwise(marks) if first[1] == 1 and second[1] == 0]
    return np.array([pair[0] for pair in found]), np.array([pair[1] for pair in found])


def _membership(
    left: np.ndarray, right: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Distinct intervals by innermost ones, 1.0 where inside, and how many patients have each."""
    pairs, weight = np.unique(np.column_stack([left, right]), axis=0, return_counts=True)
    inside = (start >= pairs[:, :1]) & (end <= pairs[:, 1:])
    return inside.astype(float), weight


def _newton(inside: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, bool]:
    """Masses, shape (k,), and whether no mass could gain. weight: patients per distinct interval."""
    mass = np.full(inside.shape[1], 1 / inside.shape[1])
    root, total = np.sqrt(weight), weight.sum()
    for _ in range(STEPS):
        shares = inside @ mass
        score = inside / shares[:, None]
        if float((weight @ score).max() / total) - 1 < TOLERANCE:
            return mass, True
        hold = 1e3 * np.sqrt(total)  # keeps the sum at 1
        rows = np.vstack([root[:, None] * score, np.full(len(mass), hold)])
        found, _ = optimize.nnls(rows, np.append(2 * root, hold), maxiter=50 * len(mass))
        step = found / found.sum() - mass
        mass = _halved(inside, weight, mass, step)
    return mass, False


def _halved(inside: np.ndarray, weight: np.ndarray, mass: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The first of mass + step, + step / 2, ... that does not lose likelihood."""
    now = weight @ np.log(inside @ mass)
    for halvings in range(40):
        tried = np.maximum(mass + step / 2**halvings, 0.0)
        with np.errstate(divide="ignore"):
            if weight @ np.log(inside @ tried) >= now:
                return np.asarray(tried / tried.sum())
    return mass


def _expectation(inside: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Masses of shape (draws, k) for weights of shape (draws, distinct intervals), near the optimum."""
    total = weight.sum(axis=1, keepdims=True)
    mass = np.full((len(weight), inside.shape[1]), 1 / inside.shape[1])
    for step in range(DRAW_STEPS):
        gradient = (weight / np.maximum(mass @ inside.T, 1e-300)) @ inside / total
        if step % 20 == 0 and (gradient.max(axis=1) - 1 < DRAW_TOLERANCE).all():
            break
        mass = mass * gradient**1.7 if step % 3 == 1 else mass * gradient
        mass /= mass.sum(axis=1, keepdims=True)
    return mass


def _spread(start: np.ndarray, end: np.ndarray, mass: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Shares by each time, shape (draws, times)."""
    length = np.where(np.isinf(end), np.inf, end - start)
    part = np.clip((years[:, None] - start) / length, 0.0, 1.0)
    part = np.where(np.isinf(end), 0.0, part)
    return np.asarray(mass @ part.T)
