"""Variance components of subjects and readers, both random and crossed, by REML: pools of readers.

Model: rating = mean + subject + reader + residual, for any table with gaps, such as one where every patient
is read by two of ten readers. Subjects are eliminated first, so that what is left are sums and matrices as
large as the number of readers, and all draws of a parametric bootstrap (as lme4's ``bootMer``) are fitted
together. Variances are not below 0. Compared in the tests with lme4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

DRAWS, SEED = 1000, 20240229
START = np.array([0.0, 0.15, 0.5, 1.0, 2.0, 5.0])  # SDs over that of the residual, to begin with
STEPS = 60
STEP = 1e-4  # of differences
FLAT = 1e-9  # gain of -2 log-likelihood below which the search ends
EDGE = 1e-3  # an SD ratio below counts as 0


@dataclass(frozen=True)
class Components:
    """Variances; every field a number, or an array with one for each table."""

    subject: Any
    reader: Any
    residual: Any

    def icc(self, *, agreement: bool = True, averaged: float = 1) -> Any:
        """ICC(A, .) with readers' differences as error, or ICC(C, .) without, of the mean of ``averaged``."""
        error = self.residual + self.reader if agreement else self.residual
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.subject / (self.subject + error / averaged))


@dataclass(frozen=True)
class CrossedDesign:
    """Who read whom, and the matrices that follow from it.

    there: (subjects, readers), True where there is a rating. sizes: distinct numbers of ratings a subject;
    place: of each subject among them; count: subjects of each size. together: (sizes, readers, readers), sums
    over the subjects of a size of the products of reader indicators. seen: (sizes, readers), ratings.
    """

    there: np.ndarray
    sizes: np.ndarray
    place: np.ndarray
    count: np.ndarray
    together: np.ndarray
    seen: np.ndarray

    @classmethod
    def of(cls, there: np.ndarray) -> CrossedDesign:
        per_subject = there.sum(axis=1)
        sizes, place = np.unique(per_subject, return_inverse=True)
        own = [there[place == number].astype(float) for number in range(len(sizes))]
        return cls(
            there,
            sizes.astype(float),
            place.ravel(),
            np.bincount(place.ravel()).astype(float),
            np.stack([part.T @ part for part in own]),
            np.stack([part.sum(axis=0) for part in own]),
        )

    @property
    def ratings(self) -> int:
        return int(self.there.sum())


@dataclass(frozen=True)
class _Sums:
    """Of each table (B): ratings by size of subject (B, sizes), squares of subject sums (B, sizes), subject
    sums by reader (B, sizes, readers), ratings by reader (B, readers), sum of squares (B,)."""

    total: np.ndarray
    square: np.ndarray
    shared: np.ndarray
    by_reader: np.ndarray
    whole: np.ndarray

    def only(self, rows: np.ndarray) -> _Sums:
        return _Sums(*(getattr(self, name)[rows] for name in _Sums.__dataclass_fields__))

    @classmethod
    def of(cls, design: CrossedDesign, tables: np.ndarray) -> _Sums:
        """tables: shape (B, subjects, readers), 0 where there is no rating."""
        subject = tables.sum(axis=2)
        member = (design.place[:, None] == np.arange(len(design.sizes))).astype(float)
        shared = np.einsum("bs,sk,sr->bkr", subject, member, design.there.astype(float), optimize=True)
        whole = np.einsum("bsr,bsr->b", tables, tables)
        return cls(subject @ member, subject**2 @ member, shared, tables.sum(axis=1), whole)


def fit_crossed(table: np.ndarray) -> Components:
    """REML variances of one table (subjects, readers), NaN where missing."""
    known = ~np.isnan(table)
    design = CrossedDesign.of(known)
    found = fit_tables(design, np.where(known, table - table[known].mean(), 0.0)[None])
    return Components(*(float(value[0]) for value in (found.subject, found.reader, found.residual)))


def fit_tables(design: CrossedDesign, tables: np.ndarray, near: Components | None = None) -> Components:
    """REML variances of many tables of one design at once; tables: (B, subjects, readers), 0 in the gaps.

    near: variances to begin the search from; from a grid without them.
    """
    sums = _Sums.of(design, tables)
    ratio = _begin(design, sums) if near is None else _ratio_of(near, len(tables))
    value = _criterion(design, sums, ratio)[0]
    active = np.arange(len(tables))
    for _ in range(STEPS):
        better, gain = _newton(design, sums.only(active), ratio[active], value[active])
        ratio[active], value[active] = better, value[active] - gain
        active = active[gain >= FLAT]
        if not len(active):
            break
    ratio = np.where(ratio < EDGE, 0.0, ratio)
    residual = _criterion(design, sums, ratio)[1]
    return Components(ratio[:, 0] ** 2 * residual, ratio[:, 1] ** 2 * residual, residual)


def simulate(design: CrossedDesign, parts: Components, draws: int = DRAWS, seed: int = SEED) -> Components:
    """Fits of tables drawn from the fitted model: what a parametric bootstrap takes its percentiles from."""
    rng = np.random.default_rng(seed)
    subjects, readers = design.there.shape
    found = []
    step = max(1, 4_000_000 // design.there.size)
    for start in range(0, draws, step):
        size = min(step, draws - start)
        subject = rng.normal(0, np.sqrt(parts.subject), (size, subjects, 1))
        reader = rng.normal(0, np.sqrt(parts.reader), (size, 1, readers))
        error = rng.normal(0, np.sqrt(parts.residual), (size, subjects, readers))
        found.append(fit_tables(design, (subject + reader + error) * design.there, parts))
    names = ("subject", "reader", "residual")
    return Components(*(np.concatenate([getattr(part, name) for part in found]) for name in names))


def _ratio_of(parts: Components, tables: int) -> np.ndarray:
    """SD ratios of fitted variances; off 0, where every search would stand still."""
    ratios = np.sqrt(np.array([parts.subject, parts.reader]) / max(parts.residual, 1e-300))
    return np.tile(np.clip(ratios, 0.1, 100), (tables, 1))


def _begin(design: CrossedDesign, sums: _Sums) -> np.ndarray:
    """The best of a small grid for each table, shape (B, 2)."""
    grid = np.array([(a, b) for a in START for b in START])
    tables = len(sums.whole)
    values = [_criterion(design, sums, np.tile(point, (tables, 1)))[0] for point in grid]
    return np.asarray(grid[np.argmin(values, axis=0)])


def _newton(
    design: CrossedDesign, sums: _Sums, ratio: np.ndarray, value: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One step downhill for every table: the best of Newton's step and its halves, and what each gained.

    The criterion is even in both ratios, so that 0 is no edge.
    """

    apart = STEP * (1 + ratio)

    def at(a: float, b: float) -> np.ndarray:
        return _criterion(design, sums, ratio + apart * np.array([a, b]))[0]

    right, left, up, down = at(1, 0), at(-1, 0), at(0, 1), at(0, -1)
    x, y = apart.T
    gradient = np.stack([(right - left) / (2 * x), (up - down) / (2 * y)], axis=1)
    first, second = (right - 2 * value + left) / x**2, (up - 2 * value + down) / y**2
    cross = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * x * y)
    hessian = np.stack([np.stack([first, cross], 1), np.stack([cross, second], 1)], axis=1)
    values, vectors = np.linalg.eigh(hessian)
    values = np.maximum(np.abs(values), 1e-6)  # downhill also where the surface is no bowl
    turned = np.einsum("bij,bi->bj", vectors, gradient) / values
    step = -np.einsum("bij,bj->bi", vectors, turned)
    size = np.sqrt((step**2).sum(axis=1, keepdims=True))
    longest = np.maximum(1.0, ratio.max(axis=1, keepdims=True))
    step = step * np.minimum(1.0, longest / np.maximum(size, 1e-12))
    best, lowest = ratio, value
    for length in (1.0, 0.5, 0.2, 0.05, 0.01):
        point = np.abs(ratio + length * step)
        found = _criterion(design, sums, point)[0]
        is_better = found < lowest
        best = np.where(is_better[:, None], point, best)
        lowest = np.where(is_better, found, lowest)
    return best, value - lowest


def _criterion(design: CrossedDesign, sums: _Sums, ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(-2 x profiled REML log-likelihood without its constant, residual variance) of each table.

    ratio: (B, 2), SDs of subjects and readers over that of the residual.
    """
    a, b = ratio[:, 0] ** 2, ratio[:, 1] ** 2
    weight = a[:, None] / (1 + a[:, None] * design.sizes)  # (B, sizes): what eliminating a subject takes away
    left = 1 - weight * design.sizes
    readers = design.there.shape[1]
    own = np.diag(design.there.sum(axis=0).astype(float))
    inner = own - np.einsum("bk,krq->brq", weight, design.together)
    system = np.eye(readers) + b[:, None, None] * inner
    one = (left * design.sizes * design.count).sum(axis=1)
    ones = np.einsum("bk,kr->br", left, design.seen)
    right = sums.by_reader - np.einsum("bk,bkr->br", weight, sums.shared)
    total = (left * sums.total).sum(axis=1)
    whole = sums.whole - (weight * sums.square).sum(axis=1)
    solved = np.linalg.solve(system, np.stack([ones, right], axis=2))
    one = one - b * np.einsum("br,br->b", ones, solved[:, :, 0])
    total = total - b * np.einsum("br,br->b", ones, solved[:, :, 1])
    whole = whole - b * np.einsum("br,br->b", right, solved[:, :, 1])
    free = design.ratings - 1
    rest = np.maximum(whole - total**2 / one, 1e-13 * sums.whole + 1e-300)
    logs = (np.log1p(a[:, None] * design.sizes) * design.count).sum(axis=1)
    logs = logs + np.linalg.slogdet(system)[1] + np.log(one)
    return free * np.log(rest) + logs, rest / free
