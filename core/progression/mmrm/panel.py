"""Rows of a table as one block a subject: the arrays that the likelihood works on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Panel:
    """Outcome and design by subject and visit; zero where a visit is missing.

    y: shape (n, T). x: (n, T, p). seen: (n, T), True where there is a row.
    group: (n,), the covariance that holds for the subject, 0 to groups - 1.
    cell: (n,), subjects with the same group and the same visits; cell_seen: (cells, T); cell_group: (cells,).
    """

    y: np.ndarray
    x: np.ndarray
    seen: np.ndarray
    group: np.ndarray
    groups: int
    cell: np.ndarray
    cell_seen: np.ndarray
    cell_group: np.ndarray

    @property
    def rows(self) -> int:
        return int(self.seen.sum())

    @property
    def cell_counts(self) -> np.ndarray:
        return np.bincount(self.cell, minlength=len(self.cell_seen))

    def by_cell(self, values: np.ndarray) -> np.ndarray:
        """Sums over the subjects of each cell, shape (cells, ...)."""
        order = np.argsort(self.cell, kind="stable")
        starts = np.searchsorted(self.cell[order], np.arange(len(self.cell_seen)))
        return np.add.reduceat(values[order], starts, axis=0)


def panel(
    y: np.ndarray, x: np.ndarray, subject: np.ndarray, visit: np.ndarray, group: np.ndarray, visits: int
) -> Panel:
    """Rows (one per subject and visit) as blocks.

    y: shape (rows,). x: (rows, p). subject, visit, group: codes from 0; a subject has one group.
    """
    n = int(subject.max()) + 1
    blocks_y, blocks_x = np.zeros((n, visits)), np.zeros((n, visits, x.shape[1]))
    seen, of_subject = np.zeros((n, visits), bool), np.zeros(n, int)
    blocks_y[subject, visit], blocks_x[subject, visit] = y, x
    seen[subject, visit], of_subject[subject] = True, group
    key = np.column_stack([of_subject, seen])
    cells, cell = np.unique(key, axis=0, return_inverse=True)
    return Panel(
        blocks_y,
        blocks_x,
        seen,
        of_subject,
        int(group.max()) + 1,
        cell.ravel(),
        cells[:, 1:].astype(bool),
        cells[:, 0],
    )
