"""Agreement of many comparisons at once: estimates, intervals by formula, and a bootstrap of patients.

A comparison (cell) is, for instance, one site and one pair of readers. All draws of all cells are products of
a matrix of draw counts with a matrix of per-patient sums: there is no loop over draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.agreement.batch import grades as batch_grades
from core.agreement.batch import moments
from core.agreement.bootstrap import CELLS, DRAWS, SEED, count_blocks, percentiles
from core.agreement.grades.confusion import MAX_LEVELS, whole
from core.ties import tied

MAX_RANKED = 100_000_000  # distinct pairs of values x draws: ranking more of them would take minutes


@dataclass(frozen=True)
class Batch:
    """Results by statistic (keys as in the JSON of ``sharpline agreement``), each array over the cells.

    estimate: shape (cells,). interval: (cells, 2), bootstrap limits. lost: (cells,), draws without a value.
    n: complete rows; patients: patients among them. NaN where something cannot be computed.
    """

    estimate: dict[str, np.ndarray]
    interval: dict[str, np.ndarray]
    lost: dict[str, np.ndarray]
    n: np.ndarray
    patients: np.ndarray
    draws: int
    seed: int


def agree(ratings: Any, clusters: Any = None, *, draws: int = DRAWS, seed: int = SEED) -> Batch:
    """All statistics of all cells with bootstrap intervals that resample patients.

    ratings: shape (cells, n rows, k raters), NaN where missing; a row counts in a cell where it is complete.
    clusters: the patient of each row, shape (n,); by default every row is a patient of its own.
    draws: 0 for estimates only. Spearman has no interval where too many different ratings would have to be
    ranked in every draw; all its draws then count as lost.
    """
    ratings = np.asarray(ratings, dtype=float)
    rows = ratings.shape[1]
    names, place = np.unique(np.arange(rows) if clusters is None else clusters, return_inverse=True)
    summary = _Summary.of(ratings, place, len(names))
    estimate = summary.statistics(np.ones((1, len(names))))
    small = replace(summary, ranked=[item for item in summary.ranked if item.size * draws <= MAX_RANKED])
    drawn = [small.statistics(block.astype(float)) for block in small.blocks(draws, seed)]
    interval, lost = {}, {}
    nothing = np.full((draws, len(ratings)), np.nan)
    for name in estimate:
        values = np.concatenate([part[name] for part in drawn]) if drawn and name in drawn[0] else nothing
        interval[name], lost[name] = _limits(values)
    return Batch(
        estimate={name: value[0] for name, value in estimate.items()},
        interval=interval,
        lost=lost,
        n=summary.n,
        patients=summary.patients,
        draws=draws,
        seed=seed,
    )


def draw_values(
    ratings: Any, clusters: Any = None, *, draws: int = DRAWS, seed: int = SEED
) -> dict[str, np.ndarray]:
    """The value of every statistic in every draw, shape (draws, cells): for differences of statistics."""
    ratings = np.asarray(ratings, dtype=float)
    rows = ratings.shape[1]
    names, place = np.unique(np.arange(rows) if clusters is None else clusters, return_inverse=True)
    summary = _Summary.of(ratings, place, len(names))
    drawn = [summary.statistics(block.astype(float)) for block in summary.blocks(draws, seed)]
    return {name: np.concatenate([part[name] for part in drawn]) for name in drawn[0]} if drawn else {}


def _limits(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not len(values):
        return np.full((values.shape[1], 2), np.nan), np.zeros(values.shape[1], dtype=int)
    limits, lost = percentiles(values)
    return limits.T, lost


@dataclass(frozen=True)
class _Grades:
    """Cells that share their grades: which ones, the grades, the pairs per patient, the grades in use."""

    cells: np.ndarray
    levels: np.ndarray
    pairs: np.ndarray  # (patients, cells * q * q)
    seen: np.ndarray  # (cells, q)


@dataclass(frozen=True)
class _Ranked:
    """A cell of ratings that are no grades: rows sorted into distinct pairs of values, for Spearman."""

    cell: int
    pairs: Any  # sparse (distinct pairs, patients)
    first: np.ndarray  # place of each distinct pair among the first rater's values
    second: np.ndarray

    @property
    def size(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class _Summary:
    """Per-patient sums from which every draw is made."""

    sums: np.ndarray  # (patients, cells * features)
    cells: int
    grades: list[_Grades]
    ranked: list[_Ranked]
    n: np.ndarray
    patients: np.ndarray

    @classmethod
    def of(cls, ratings: np.ndarray, place: np.ndarray, patients: int) -> _Summary:
        cells, _, k = ratings.shape
        per_row = moments.features(ratings)
        sums = _by_patient(per_row.reshape(len(per_row), -1), place, patients)
        present = sums.reshape(patients, cells, -1)[:, :, 0]
        grades, ranked = _pairs(ratings, place, patients) if k == 2 else ([], [])
        n, who = present.sum(axis=0).astype(int), (present > 0).sum(axis=0)
        return cls(sums, cells, grades, ranked, n, who)

    def blocks(self, draws: int, seed: int) -> Any:
        widest = max([self.sums.shape[1], *(group.pairs.shape[1] for group in self.grades)])
        widest = max([widest, *(item.pairs.shape[0] for item in self.ranked)])
        for block in count_blocks(len(self.sums), draws=draws, seed=seed) if draws else ():
            step = max(1, CELLS // widest)
            for start in range(0, len(block), step):
                yield block[start : start + step]

    def statistics(self, counts: np.ndarray) -> dict[str, np.ndarray]:
        """Every statistic under these patient counts (block, patients): shape (block, cells)."""
        sums = (counts @ self.sums).reshape(len(counts), self.cells, -1)
        found = moments.statistics(moments.moments(sums))
        for group in self.grades:
            q = len(group.levels)
            pairs = (counts @ group.pairs).reshape(len(counts), len(group.cells), q * q)
            for name, value in batch_grades.statistics(pairs, group.levels, group.seen).items():
                _place(found, name, value, group.cells, self.cells)
        for item in self.ranked:
            _place(found, "spearman", _rank_correlation(item, counts)[:, None], [item.cell], self.cells)
        return found


def _place(found: dict[str, np.ndarray], name: str, value: np.ndarray, where: Any, cells: int) -> None:
    if name not in found:
        found[name] = np.full((len(value), cells), np.nan)
    found[name][:, where] = value


def _by_patient(per_row: np.ndarray, place: np.ndarray, patients: int) -> np.ndarray:
    if len(place) == patients and (place == np.arange(patients)).all():
        return per_row
    return _gather(place, patients) @ per_row


def _gather(place: np.ndarray, groups: int, keep: np.ndarray | None = None) -> Any:
    """Sparse (groups, rows): sums rows by group."""
    from scipy.sparse import csr_array

    rows = np.arange(len(place)) if keep is None else np.flatnonzero(keep)
    return csr_array((np.ones(len(rows)), (place[rows], rows)), shape=(groups, len(place)))


def _pairs(ratings: np.ndarray, place: np.ndarray, patients: int) -> tuple[list[_Grades], list[_Ranked]]:
    ratings = whole(ratings)
    complete = ~np.isnan(ratings).any(axis=2)
    own = [np.unique(table[rows]) for table, rows in zip(ratings, complete, strict=True)]
    gradeable = [bool(len(v)) and len(v) <= MAX_LEVELS and bool((v == np.floor(v)).all()) for v in own]
    graded = np.flatnonzero(gradeable)
    grades = [
        _grades(ratings, place, patients, cells, [own[cell] for cell in cells])
        for cells in _groups(graded, own)
    ]
    ranked = [
        _ranked(cell, ratings[cell], complete[cell], place, patients)
        for cell in range(len(ratings))
        if not gradeable[cell]
    ]
    return grades, ranked


def _groups(graded: np.ndarray, own: list[np.ndarray]) -> list[np.ndarray]:
    """All graded cells together where they share at most 30 grades, else each by itself."""
    if not len(graded):
        return []
    together = np.unique(np.concatenate([own[cell] for cell in graded]))
    return [graded] if len(together) <= MAX_LEVELS else [np.array([cell]) for cell in graded]


def _grades(
    ratings: np.ndarray, place: np.ndarray, patients: int, cells: np.ndarray, own: list[np.ndarray]
) -> _Grades:
    levels = np.unique(np.concatenate(own))
    q = len(levels)
    pair = batch_grades.pair_cells(ratings[cells], levels)
    table = np.zeros(patients * len(cells) * q * q)
    kept = pair >= 0
    index = (place[None, :] * len(cells) + np.arange(len(cells))[:, None]) * q * q + pair
    table += np.bincount(index[kept], minlength=len(table))
    seen = np.array([np.isin(levels, values) for values in own])
    return _Grades(cells, levels, table.reshape(patients, -1), seen)


def _ranked(cell: int, table: np.ndarray, complete: np.ndarray, place: np.ndarray, patients: int) -> _Ranked:
    from scipy.sparse import coo_array

    rows = np.flatnonzero(complete)
    _, x = np.unique(tied(table[rows, 0]), return_inverse=True)
    _, y = np.unique(tied(table[rows, 1]), return_inverse=True)
    distinct, which = np.unique(np.column_stack([x, y]), axis=0, return_inverse=True)
    pairs = coo_array((np.ones(len(rows)), (which.ravel(), place[rows])), shape=(len(distinct), patients))
    return _Ranked(cell, pairs.tocsr(), distinct[:, 0], distinct[:, 1])


def _rank_correlation(item: _Ranked, counts: np.ndarray) -> np.ndarray:
    """Spearman of one cell under each row of patient counts, shape (block,)."""
    if not len(item.first):
        return np.full(len(counts), np.nan)
    weight = (item.pairs @ counts.T).T
    n = weight.sum(axis=1, keepdims=True)
    x, y = (_weighted_ranks(weight, n, values) for values in (item.first, item.second))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt((weight * x**2).sum(axis=1) * (weight * y**2).sum(axis=1))
        return np.where(spread > 0, np.clip((weight * x * y).sum(axis=1) / spread, -1, 1), np.nan)


def _weighted_ranks(weight: np.ndarray, n: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Centred mid-rank of each distinct pair by one rater's value, shape (block, distinct pairs)."""
    count = (_gather(values, int(values.max()) + 1) @ weight.T).T
    return (np.cumsum(count, axis=1) - count / 2 - n / 2)[:, values]
