"""Variance components of scores by patient, reader, visit and their pairs, by REML, for any table with gaps.

Model: score = visit (fixed) + patient + reader + patient x reader + patient x visit + error, all but the
visit random; a patient may be read by some of many readers. Patients with the same readings share their
matrices, so that only sums per pattern of readings are needed and all draws of a parametric bootstrap are
fitted together.
Variances are not below 0. Compared in the tests with lme4.
Source: Brennan 2001, Generalizability Theory; Cronbach et al. 1972.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.agreement.generalisability.search import Search, best_of, blocks, descend, ratios_near

NAMES = ("patient", "reader", "patient x reader", "patient x visit")
ERROR = "error"
START = (0.3, 1.0, 3.0)  # SDs over that of the error, to begin with
GRID = np.array([(a, b, c, d) for a in START for b in START[:2] for c in START[:2] for d in START])
HOW = Search(step=1e-3, flat=1e-7, steps=80, least=1e-4)
BLOCK = 2_000_000  # numbers held at a time


@dataclass(frozen=True)
class Pattern:
    """Patients with the same readings. cells: (m, 2), reader and visit of each reading; patients: places."""

    cells: np.ndarray
    patients: np.ndarray

    def covariances(self) -> np.ndarray:
        """What patient, patient x reader and patient x visit add to the covariance of readings, (3, m, m)."""
        reader, visit = self.cells.T
        same_reader, same_visit = reader[:, None] == reader, visit[:, None] == visit
        return np.stack([np.ones_like(same_reader), same_reader, same_visit]).astype(float)


@dataclass(frozen=True)
class Design:
    """Who read whom at which visit. shape: (patients, readers, visits)."""

    patterns: list[Pattern]
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, there: np.ndarray) -> Design:
        """From where there is a score, (patients, readers, visits)."""
        flat = there.reshape(len(there), -1)
        distinct, place = np.unique(flat, axis=0, return_inverse=True)
        found = [
            Pattern(np.argwhere(row.reshape(there.shape[1:])), np.flatnonzero(place.ravel() == number))
            for number, row in enumerate(distinct)
            if row.any()
        ]
        return cls(found, (int(there.shape[0]), int(there.shape[1]), int(there.shape[2])))

    @property
    def readings(self) -> int:
        return sum(len(one.cells) * len(one.patients) for one in self.patterns)


@dataclass(frozen=True)
class _Sums:
    """Of one pattern: design of its readings (m, visits + readers), sums and products of tables (B, m, m)."""

    design: np.ndarray
    covariances: np.ndarray
    count: int
    total: np.ndarray
    products: np.ndarray

    def only(self, rows: np.ndarray) -> _Sums:
        return _Sums(self.design, self.covariances, self.count, self.total[rows], self.products[rows])


def _sums(design: Design, tables: np.ndarray) -> list[_Sums]:
    """tables: (B, patients, readers, visits); what is not read is not looked at."""
    _, readers, visits = design.shape
    found = []
    for one in design.patterns:
        reader, visit = one.cells.T
        own = tables[:, one.patients][:, :, reader, visit]
        fixed, random = np.eye(visits)[visit], np.eye(readers)[reader]
        products = np.einsum("bpi,bpj->bij", own, own, optimize=True)
        matrix = np.concatenate([fixed, random], axis=1)
        found.append(_Sums(matrix, one.covariances(), len(one.patients), own.sum(axis=1), products))
    return found


def fit_tables(design: Design, tables: np.ndarray, near: np.ndarray | None = None) -> np.ndarray:
    """Variances of many tables of one design, shape (B, 5): ``NAMES`` and the error.

    tables: (B, patients, readers, visits). near: variances to begin the search from.
    """
    sums = _sums(design, tables)

    def of(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        own = [one.only(rows) for one in sums]
        return lambda ratio: _criterion(design, own, ratio)[0]

    if near is None:
        begin = best_of(of(np.arange(len(tables))), GRID, len(tables))
    else:
        begin = ratios_near(near[:4], float(near[4]), len(tables))
    ratio = descend(of, begin, HOW)
    error = _criterion(design, sums, ratio)[1]
    return np.concatenate([ratio**2 * error[:, None], error[:, None]], axis=1)


def fit(scores: np.ndarray) -> np.ndarray:
    """Variances of one table of scores (patients, readers, visits), NaN where not read."""
    there = ~np.isnan(scores)
    centred = np.where(there, scores - scores[there].mean(), 0.0)
    scale = float(np.sqrt((centred[there] ** 2).mean())) or 1.0
    return np.asarray(fit_tables(Design.of(there), centred[None] / scale)[0] * scale**2)


def draw(design: Design, variances: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Fits of tables that are drawn from the fitted model, (draws, 5): a parametric bootstrap."""
    rng = np.random.default_rng(seed)
    patients, readers, visits = design.shape
    sd = np.sqrt(variances)
    found = []
    for size in blocks(draws, patients * readers * visits, BLOCK):
        table = sd[0] * rng.standard_normal((size, patients, 1, 1))
        table = table + sd[1] * rng.standard_normal((size, 1, readers, 1))
        table = table + sd[2] * rng.standard_normal((size, patients, readers, 1))
        table = table + sd[3] * rng.standard_normal((size, patients, 1, visits))
        table = table + sd[4] * rng.standard_normal((size, patients, readers, visits))
        found.append(fit_tables(design, table, variances))
    return np.concatenate(found)


def _criterion(design: Design, sums: list[_Sums], ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(-2 x profiled REML log-likelihood without its constant, error variance) of each table."""
    visits, size = design.shape[2], design.shape[1] + design.shape[2]
    tables = len(ratio)
    square = ratio**2
    within = square[:, [0, 2, 3]]
    system, right = np.zeros((tables, size, size)), np.zeros((tables, size))
    whole, logs = np.zeros(tables), np.zeros(tables)
    for one in sums:
        covariance = np.einsum("bt,tij->bij", within, one.covariances) + np.eye(len(one.design))
        inverse = np.linalg.inv(covariance)
        weighed = inverse @ one.design
        system += one.count * np.einsum("mi,bmj->bij", one.design, weighed)
        right += np.einsum("bmi,bm->bi", weighed, one.total)
        whole += np.einsum("bij,bij->b", inverse, one.products)
        logs += one.count * np.linalg.slogdet(covariance)[1]
    reader = square[:, 1]
    own = np.eye(size - visits) + reader[:, None, None] * system[:, visits:, visits:]
    known = np.concatenate([system[:, visits:, :visits], right[:, visits:, None]], axis=2)
    solved = reader[:, None, None] * np.linalg.solve(own, known)
    cross = np.einsum("bri,brj->bij", known, solved)
    fixed = system[:, :visits, :visits] - cross[:, :visits, :visits]
    left = right[:, :visits] - cross[:, :visits, visits]
    whole = whole - cross[:, visits, visits]
    rest = whole - np.einsum("bi,bi->b", left, np.linalg.solve(fixed, left[:, :, None])[:, :, 0])
    rest = np.maximum(rest, 1e-13 * np.abs(whole) + 1e-300)
    free = design.readings - visits
    logs = logs + np.linalg.slogdet(own)[1] + np.linalg.slogdet(fixed)[1]
    return free * np.log(rest) + logs, rest / free
