"""Readings by sites: the dense array that rules work on, in pieces that hold whole groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.scores.engine.reads import Reads

CELLS = 2_000_000  # of one piece: small enough for the cache of a laptop, large enough for numpy


@dataclass(frozen=True)
class Grid:
    """Some readings, each a row, sorted by group (subject and reader) and visit.

    grade: shape (readings, sites), NaN where not scorable or without a row.
    has_row: shape (readings, sites), True where the file has an accepted row, empty or not.
    first, last: shape (readings,): first and last row of the reading's group in this grid.
    keys: position of the first reading in ``Reads.keys``.
    rows: positions of the grid's entries in ``Reads.key``; state_rows: the same in ``Reads.state_key``.
    """

    grade: np.ndarray
    has_row: np.ndarray
    first: np.ndarray
    last: np.ndarray
    keys: int
    rows: np.ndarray
    state_rows: np.ndarray


def grids(reads: Reads, cells: int = CELLS) -> Iterator[Grid]:
    """The readings in pieces of about ``cells`` cells; a group is never cut."""
    order, state_order = _sorted(reads.key), _sorted(reads.state_key)
    group = reads.keys["group"].to_numpy()
    for start, stop in _pieces(group, max(1, cells // len(reads.system.sites))):
        rows = _between(reads.key, order, start, stop)
        state_rows = _between(reads.state_key, state_order, start, stop)
        yield _grid(reads, group, start, stop, rows, state_rows)


def _sorted(key: np.ndarray) -> np.ndarray | None:
    """The order that sorts the keys, None where they are sorted already (as files mostly are)."""
    return None if (key[1:] >= key[:-1]).all() else np.argsort(key, kind="stable")


def _between(key: np.ndarray, order: np.ndarray | None, start: int, stop: int) -> np.ndarray:
    """Positions of the entries with start <= key < stop."""
    low, high = np.searchsorted(key, [start, stop], sorter=order)
    return np.arange(low, high) if order is None else order[low:high]


def _pieces(group: np.ndarray, size: int) -> Iterator[tuple[int, int]]:
    """Ranges of readings, each about ``size`` long and ending with its group."""
    starts = np.append(np.flatnonzero(np.diff(group, prepend=-1)), len(group))
    start = 0
    while start < len(group):
        stop = int(starts[np.searchsorted(starts, start + size)]) if start + size < len(group) else len(group)
        yield start, stop
        start = stop


def _grid(
    reads: Reads, group: np.ndarray, start: int, stop: int, rows: np.ndarray, state_rows: np.ndarray
) -> Grid:
    shape = (stop - start, len(reads.system.sites))
    grade, has_row = np.full(shape, np.nan), np.zeros(shape, bool)
    place = (reads.key[rows] - start, reads.site[rows])
    grade[place] = reads.grade[rows]
    has_row[place] = True
    piece = group[start:stop]
    first = np.searchsorted(piece, piece, side="left")
    last = np.searchsorted(piece, piece, side="right") - 1
    return Grid(grade, has_row, first, last, start, rows, state_rows)


def earlier(present: np.ndarray, first: np.ndarray) -> np.ndarray:
    """For each cell the nearest row at or above it, in the same group, where ``present``; -1 where none.

    present: shape (readings, columns); first: first row of each reading's group.
    """
    rows = np.arange(len(present))[:, None]
    nearest = np.maximum.accumulate(np.where(present, rows, -1), axis=0)
    return np.where(nearest >= first[:, None], nearest, -1)


def later(present: np.ndarray, last: np.ndarray) -> np.ndarray:
    """For each cell the nearest row at or below it, in the same group, where ``present``; -1 where none."""
    count = len(present)
    rows = np.arange(count)[:, None]
    nearest = np.minimum.accumulate(np.where(present, rows, count)[::-1], axis=0)[::-1]
    return np.where(nearest <= last[:, None], nearest, -1)


def in_group(flag: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """For each cell whether any row of its group has the flag. Shapes as in ``earlier``."""
    total = np.cumsum(np.vstack([np.zeros((1, flag.shape[1]), np.int32), flag]), axis=0, dtype=np.int32)
    return np.asarray(total[last + 1] > total[first])
