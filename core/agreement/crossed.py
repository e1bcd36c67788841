"""Variance components of subjects and readers, both random and crossed, by REML: pools of readers.

Model: rating = mean + subject + reader + residual, for any table with gaps, such as one where every patient
is read by two of ten readers. Subjects are eliminated first, so that what is left are sums and matrices as
large as the number of readers, and all draws of a parametric bootstrap (as lme4's ``bootMer``) are fitted
together. Variances are not below 0. Compared in the tests with lme4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.agreement.generalisability.search import Search, best_of, blocks, descend, ratios_near

DRAWS, SEED = 1000, 20240229
START = (0.0, 0.15, 0.5, 1.0, 2.0, 5.0)  # SDs over that of the residual, to begin with
GRID = np.array([(a, b) for a in START for b in START])
HOW = Search(step=1e-4, flat=1e-9, steps=60, least=1e-6)
BLOCK = 4_000_000  # numbers held at a time


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

    def of(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        own = sums.only(rows)
        return lambda ratio: _criterion(design, own, ratio)[0]

    if near is None:
        begin = best_of(of(np.arange(len(tables))), GRID, len(tables))
    else:
        begin = ratios_near(np.array([near.subject, near.reader]), float(near.residual), len(tables))
    ratio = descend(of, begin, HOW)
    residual = _criterion(design, sums, ratio)[1]
    return Components(ratio[:, 0] ** 2 * residual, ratio[:, 1] ** 2 * residual, residual)


def simulate(design: CrossedDesign, parts: Components, draws: int = DRAWS, seed: int = SEED) -> Components:
    """Fits of tables drawn from the fitted model: what a parametric bootstrap takes its percentiles from."""
    rng = np.random.default_rng(seed)
    subjects, readers = design.there.shape
    found = []
    for size in blocks(draws, design.there.size, BLOCK):
        subject = rng.normal(0, np.sqrt(parts.subject), (size, subjects, 1))
        reader = rng.normal(0, np.sqrt(parts.reader), (size, 1, readers))
        error = rng.normal(0, np.sqrt(parts.residual), (size, subjects, readers))
        found.append(fit_tables(design, (subject + reader + error) * design.there, parts))
    names = ("subject", "reader", "residual")
    return Components(*(np.concatenate([getattr(part, name) for part in found]) for name in names))


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
