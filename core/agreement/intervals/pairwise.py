"""Concordance of pairs of raters as a function of patient sums, with the influence of each patient.

Of two raters x and y: 2 cov / (E x^2 + E y^2 - 2 E x E y). With divisor n this is Lin's concordance and, of
grades, Cohen's kappa with quadratic weights; with the corrections for n it is ICC(A,1). All three share one
influence function. Draws of patients are weights of the sums, so that there is no loop over draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

CONCORDANCE, ICC = "ccc", "ICC(A,1)"  # divisor n (also quadratic kappa); corrected for n


@dataclass(frozen=True)
class Pairwise:
    """Sums over the rows of each patient, ratings less a constant.

    sums: shape (patients, 1 + k + k (k + 1) / 2): rows, ratings of each rater, products of each two.
    pairs: (first, second) raters, in the order of ``values``.
    """

    sums: np.ndarray
    raters: int
    pairs: list[tuple[int, int]]

    @classmethod
    def of(cls, ratings: Any, clusters: Any = None) -> Pairwise:
        """From complete ratings (n, raters); clusters: the patient of each row, by default its own."""
        table = np.asarray(ratings, dtype=float)
        n, k = table.shape
        table = table - (table.mean() if table.size else 0.0)
        products = [table[:, i] * table[:, j] for i in range(k) for j in range(i, k)]
        rows = np.column_stack([np.ones(n), table, *products])
        if clusters is not None:
            names, place = np.unique(np.asarray(clusters), return_inverse=True)
            rows, each = np.zeros((len(names), rows.shape[1])), rows
            np.add.at(rows, place, each)
        return cls(rows, k, list(combinations(range(k), 2)))

    @property
    def patients(self) -> int:
        return len(self.sums)

    def values(self, weights: np.ndarray, form: str = CONCORDANCE) -> tuple[np.ndarray, np.ndarray]:
        """(values (draws, pairs), influence (draws, patients, pairs)) under weights (draws, patients).

        The influence of a patient is that of all his rows, as often as he was drawn it counts; its mean over
        rows is 0. NaN where a pair has no spread.
        """
        total = weights @ self.sums
        n = total[:, :1]
        mean, moment = total[:, 1 : self.raters + 1] / n, total[:, self.raters + 1 :] / n
        with np.errstate(divide="ignore", invalid="ignore"):
            found = [self._pair(pair, n[:, 0], mean, moment, form) for pair in self.pairs]
        values, influence = zip(*found, strict=True)
        own = np.stack(influence, axis=-1)
        drift = np.einsum("dp,dpq->dq", weights, own) / n
        return np.stack(values, axis=-1), own - drift[:, None, :] * self.sums[None, :, :1]

    def _pair(
        self, pair: tuple[int, int], n: np.ndarray, mean: np.ndarray, moment: np.ndarray, form: str
    ) -> tuple[np.ndarray, np.ndarray]:
        i, j = pair
        ii, jj, ij = self._place(i, i), self._place(j, j), self._place(i, j)
        x, y = mean[:, i], mean[:, j]
        top, square = 2 * (moment[:, ij] - x * y), moment[:, ii] + moment[:, jj]
        bottom = square - 2 * x * y
        ratio = np.where(bottom > 1e-12 * square, top / bottom, np.nan)
        products = self.sums[:, 1 + self.raters :]
        linear = 2 * (1 - ratio) / bottom
        own = np.outer(2 / bottom, products[:, ij])
        own -= np.outer(ratio / bottom, products[:, ii] + products[:, jj])
        own -= np.outer(linear * y, self.sums[:, 1 + i]) + np.outer(linear * x, self.sums[:, 1 + j])
        return (_corrected(top, bottom, x - y, n) if form == ICC else ratio), own

    def _place(self, i: int, j: int) -> int:
        """Where the product of two raters stands among the products."""
        return i * self.raters - i * (i - 1) // 2 + (j - i)


def _corrected(top: np.ndarray, bottom: np.ndarray, bias: np.ndarray, n: np.ndarray) -> np.ndarray:
    """ICC(A,1) from the parts of the concordance."""
    free = n / (n - 1)
    spread = (bottom - bias**2) * free  # both variances
    gap = spread - top * free  # variance of the differences
    below = spread + bias**2 - gap / n
    return np.asarray(np.where(bottom > 0, top * free / below, np.nan))
