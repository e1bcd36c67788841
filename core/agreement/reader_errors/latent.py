"""Errors of readers by maximum likelihood, where nobody knows the truth.

The model of the simulated readers: a site has a severity t, and a reader gives the grade in which
t + shift + error falls, cut to the range of grades; errors are normal and independent between readers.
Severity is 0 where nothing is to be seen, else uniform within a grade; how often each grade is, is estimated
with the rest, feature by feature. Shifts are those from the mean of the readers, whose own distance from the
truth no table of reads can tell. Of two readers nobody can say whose error is the larger: they have one
spread.

Intervals count patients: sandwich estimate with patients as clusters (Liang and Zeger 1986,
doi:10.1093/biomet/73.1.13).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from core.agreement.estimate import Z95, Estimate, estimate
from core.agreement.grades.benchmark import measures
from core.errors import InputError

STEPS = 12  # points within a grade at which severities are looked at
START = 0.45  # spread that the search begins with, in grades
SMALLEST = 0.02
STEP = 1e-4


@dataclass(frozen=True)
class Grades:
    """Grades of one feature. given (n, k readers): 0 to maximum, NaN where a reader gave none. patients (n,):
    whose site each is.
    """

    given: np.ndarray
    patients: np.ndarray
    maximum: int


@dataclass(frozen=True)
class Fitted:
    """shift, spread (k,): of each reader, in grades. frequency: feature -> share of sites with nothing to be
    seen, then of each grade from 0. intervals: 95% limits, low and high (k,), of ``shift`` and ``spread``.
    """

    shift: np.ndarray
    spread: np.ndarray
    frequency: Mapping[str, np.ndarray]
    intervals: Mapping[str, tuple[np.ndarray, np.ndarray]]
    sites: int
    patients: int


def fit_errors(tables: Mapping[str, Grades]) -> Fitted:
    """Shift and spread of each reader from the grades of all features. tables: feature -> grades.

    Sites that fewer than two readers graded say nothing and are left out. Raises InputError where no site is
    left, where a reader shares no site with another, or where all grades are equal.
    """
    parts = [_Part.of(name, table) for name, table in tables.items()]
    parts = [part for part in parts if len(part.patterns)]
    _check(parts)
    readers = parts[0].patterns.shape[1]
    spreads = _spreads(readers)
    start = np.concatenate(
        [np.zeros(readers - 1), np.full(spreads, np.log(START)), *[part.start() for part in parts]]
    )
    bounds = [(-1.5, 1.5)] * (readers - 1) + [(np.log(SMALLEST), np.log(3.0))] * spreads
    bounds += [(-12.0, 12.0)] * (len(start) - len(bounds))
    found = minimize(_loss, start, args=(parts,), jac=True, method="L-BFGS-B", bounds=bounds)
    return _fitted(found.x, parts, readers)


def expected_kappa(fitted: Fitted, feature: str, one: int, other: int) -> float:
    """Quadratic kappa of two readers (by place) that the fitted errors make, of one visit's sites."""
    share = fitted.frequency[feature]
    maximum = len(share) - 2
    grid = severities(maximum)
    chances = [grade_chances(grid, fitted.shift[r], fitted.spread[r], maximum) for r in (one, other)]
    joint = np.einsum("t,tg,th->gh", severity_shares(share), *chances)
    return float(measures(joint)["kappa_quadratic"])


def severities(maximum: int) -> np.ndarray:
    """The severities that are looked at: 0, then points within each grade."""
    inside = (np.arange(STEPS) + 0.5) / STEPS
    return np.concatenate([[0.0], *[grade + inside for grade in range(maximum + 1)]])


def severity_shares(share: np.ndarray) -> np.ndarray:
    """How often each of ``severities`` is, by the shares of nothing to be seen and of each grade."""
    return np.asarray(share @ _cells(len(share) - 2))


def posterior(patterns: np.ndarray, share: np.ndarray, chances: Sequence[np.ndarray]) -> np.ndarray:
    """(patterns, severities): how likely each severity is after the grades of a pattern.

    patterns (n, readers): grades, -1 for none. chances: of each reader, of ``grade_chances``.
    """
    after = np.tile(severity_shares(share), (len(patterns), 1))
    for column, chance in zip(patterns.T, chances, strict=True):
        after *= np.where((column >= 0)[:, None], chance[:, np.maximum(column, 0)].T, 1.0)
    return np.asarray(after / np.maximum(after.sum(axis=1, keepdims=True), 1e-300))


def as_patterns(given: np.ndarray) -> np.ndarray:
    """Grades as whole numbers, -1 for none."""
    return np.asarray(np.where(np.isnan(given), -1, given).astype(int))


def grade_chances(severity: np.ndarray, shift: float, spread: float, maximum: int) -> np.ndarray:
    """(severities, grades): chance of each grade at each severity."""
    limits = np.arange(1, maximum + 1)
    below = norm.cdf((limits[None] - severity[:, None] - shift) / spread)
    ends = np.ones((len(severity), 1))
    return np.diff(np.hstack([0 * ends, below, ends]), axis=1)


def slopes(severity: np.ndarray, shift: float, spread: float, maximum: int) -> np.ndarray:
    """(severities,): by how much the mean grade rises with the shift."""
    limits = np.arange(1, maximum + 1)
    return np.asarray(norm.pdf((limits[None] - severity[:, None] - shift) / spread).sum(axis=1) / spread)


def _cells(maximum: int) -> np.ndarray:
    """(cells, severities): share of each severity in each cell: nothing to be seen, then each grade."""
    cells = np.zeros((maximum + 2, 1 + STEPS * (maximum + 1)))
    cells[0, 0] = 1.0
    for grade in range(maximum + 1):
        cells[grade + 1, 1 + STEPS * grade : 1 + STEPS * (grade + 1)] = 1 / STEPS
    return cells


@dataclass(frozen=True)
class _Part:
    """One feature: each pattern of grades once (-1 for none), and how often each patient has it."""

    name: str
    patterns: np.ndarray
    counts: np.ndarray
    patients: np.ndarray
    maximum: int

    @classmethod
    def of(cls, name: str, table: Grades) -> _Part:
        given = as_patterns(table.given)
        if given.max(initial=0) > table.maximum or (given < -1).any():
            raise InputError(f"grades of {name}", f"0 to {table.maximum} is needed", "correct the table")
        shared = (given >= 0).sum(axis=1) >= 2
        patterns, place = np.unique(given[shared], axis=0, return_inverse=True)
        patients, of_patient = np.unique(table.patients[shared], return_inverse=True)
        counts = np.zeros((len(patients), len(patterns)))
        np.add.at(counts, (of_patient, place.ravel()), 1.0)
        return cls(name, patterns, counts, patients, table.maximum)

    def start(self) -> np.ndarray:
        """Logits of the cells, as often as the grades are given; the cell of nothing to be seen is 0."""
        given = self.patterns[:, :, None] == np.arange(self.maximum + 1)
        often = (given.sum(axis=1) * self.counts.sum(axis=0)[:, None]).sum(axis=0) + 0.5
        share = np.concatenate([[often[0] / 2, often[0] / 2], often[1:]])
        return np.asarray(np.log(share[1:] / share[0]))


def _check(parts: list[_Part]) -> None:
    if not parts:
        raise InputError("these reads", "sites that two readers graded are needed", "give their grades")
    together = np.concatenate([part.patterns for part in parts])
    alone = ~(together >= 0).any(axis=0)
    if alone.any():
        raise InputError(
            f"reader {int(np.flatnonzero(alone)[0]) + 1} of these",
            "sites that another reader graded too are needed",
            "leave this reader out",
        )
    if len(set(together[together >= 0].tolist())) < 2:
        raise InputError("these reads", "all grades are equal", "give reads of sites that differ")


def _spreads(readers: int) -> int:
    """How many spreads so many readers have."""
    return 1 if readers == 2 else readers


def _split(values: np.ndarray, parts: list[_Part], readers: int) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """Shifts (which sum to 0), spreads, and the share of each cell by feature."""
    shift = np.append(values[: readers - 1], -values[: readers - 1].sum())
    at = readers - 1 + _spreads(readers)
    spread = np.broadcast_to(np.exp(values[readers - 1 : at]), readers)
    shares = []
    for part in parts:
        logits = np.concatenate([[0.0], values[at : at + part.maximum + 1]])
        weights = np.exp(logits - logits.max())
        shares.append(weights / weights.sum())
        at += part.maximum + 1
    return shift, spread, shares


def _loss(values: np.ndarray, parts: list[_Part]) -> tuple[float, np.ndarray]:
    """Minus the mean log likelihood of a site, and its gradient."""
    total, slope = 0.0, np.zeros(len(values))
    for log_chance, score, part in _scores(values, parts):
        often = part.counts.sum(axis=0)
        total -= float(often @ log_chance)
        slope -= often @ score
    count = sum(part.counts.sum() for part in parts)
    return total / count, slope / count


def _scores(values: np.ndarray, parts: list[_Part]) -> list[tuple[np.ndarray, np.ndarray, _Part]]:
    """Of each feature: log likelihood of each pattern (c,), its gradient (c, parameters)."""
    readers = parts[0].patterns.shape[1]
    shift, spread, shares = _split(values, parts, readers)
    spreads = _spreads(readers)
    found, at = [], readers - 1 + spreads
    for part, share in zip(parts, shares, strict=True):
        grid, cells = severities(part.maximum), _cells(part.maximum)
        of_readers = [_of_reader(grid, shift[r], spread[r], part, r) for r in range(readers)]
        given, by_shift, by_spread = zip(*of_readers, strict=True)
        seen = np.prod(given, axis=0)  # (patterns, severities)
        weight = severity_shares(share)
        chance = np.maximum(seen @ weight, 1e-300)
        after = seen * weight / chance[:, None]
        score = np.zeros((len(chance), len(values)))
        slopes_of = [(after * one).sum(axis=1) for one in by_shift]
        for reader in range(readers - 1):
            score[:, reader] = slopes_of[reader] - slopes_of[-1]
        for reader in range(readers):
            score[:, readers - 1 + min(reader, spreads - 1)] += (after * by_spread[reader]).sum(axis=1)
        in_cell = seen @ (cells.T * share) / chance[:, None]
        score[:, at : at + part.maximum + 1] = (in_cell - share)[:, 1:]
        found.append((np.log(chance), score, part))
        at += part.maximum + 1
    return found


def _of_reader(
    grid: np.ndarray, shift: float, spread: float, part: _Part, reader: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(patterns, severities): chance of what the reader gave, and the slopes of its logarithm by shift and by
    the logarithm of spread.
    """
    limits = np.arange(1, part.maximum + 1)
    z = (limits[None] - grid[:, None] - shift) / spread
    edge = np.zeros((len(grid), 1))
    chances = np.maximum(grade_chances(grid, shift, spread, part.maximum), 1e-300)
    density = norm.pdf(z)
    by_shift = np.diff(np.hstack([edge, -density / spread, edge]), axis=1) / chances
    by_spread = np.diff(np.hstack([edge, -density * z, edge]), axis=1) / chances
    column = part.patterns[:, reader]
    graded, at = column >= 0, np.maximum(column, 0)
    return (
        np.where(graded[:, None], chances[:, at].T, 1.0),
        np.where(graded[:, None], by_shift[:, at].T, 0.0),
        np.where(graded[:, None], by_spread[:, at].T, 0.0),
    )


def _fitted(values: np.ndarray, parts: list[_Part], readers: int) -> Fitted:
    shift, spread, shares = _split(values, parts, readers)
    patients = sorted({name for part in parts for name in part.patients.tolist()})
    errors = _standard_errors(values, parts, patients)
    to_shift = np.vstack([np.eye(readers - 1), -np.ones(readers - 1)])
    half = Z95 * np.sqrt(np.diag(to_shift @ errors[: readers - 1, : readers - 1] @ to_shift.T))
    factor = np.exp(Z95 * np.sqrt(np.diag(errors)[readers - 1 : readers - 1 + _spreads(readers)]))
    return Fitted(
        shift,
        spread,
        {part.name: share for part, share in zip(parts, shares, strict=True)},
        {"shift": (shift - half, shift + half), "spread": (spread / factor, spread * factor)},
        int(sum(part.counts.sum() for part in parts)),
        len(patients),
    )


def _standard_errors(values: np.ndarray, parts: list[_Part], patients: list[Any]) -> np.ndarray:
    """The covariance of the parameters, patients as clusters; NaN of fewer than two patients."""
    size = len(values)
    if len(patients) < 2:
        return np.full((size, size), np.nan)
    sums = np.zeros((len(patients), size))
    place = {name: at for at, name in enumerate(patients)}
    for _, score, part in _scores(values, parts):
        rows = [place[name] for name in part.patients.tolist()]
        sums[rows] += part.counts @ score
    count = sum(part.counts.sum() for part in parts)
    steps = STEP * np.eye(size)
    bend = np.array(
        [(_loss(values + step, parts)[1] - _loss(values - step, parts)[1]) / (2 * STEP) for step in steps]
    )
    inverse = np.linalg.pinv((bend + bend.T) / 2 * count, rcond=1e-8, hermitian=True)
    correction = len(patients) / (len(patients) - 1)
    return np.asarray(correction * inverse @ (sums.T @ sums) @ inverse)


def shown(fitted: Fitted, names: list[str]) -> dict[str, dict[str, Estimate]]:
    """Reader -> ``shift`` and ``spread`` with their intervals."""
    low_high = fitted.intervals
    return {
        name: {
            "shift": estimate(fitted.shift[r], low_high["shift"][0][r], low_high["shift"][1][r]),
            "spread": estimate(fitted.spread[r], low_high["spread"][0][r], low_high["spread"][1][r]),
        }
        for r, name in enumerate(names)
    }
