"""Agreement of any number of raters about grades, with gaps: Fleiss, Conger, Krippendorff, AC1 and AC2.

All are (pa - pe) / (1 - pe) with weights of agreement; they differ in the agreement by chance, pe. A subject
with one rating says something of how often a grade is given and nothing of agreement; Krippendorff's alpha
leaves it out. Sources: Fleiss 1971 (doi:10.1037/h0031619); Conger 1980 (doi:10.1037/0033-2909.88.2.322);
Krippendorff 2004, chapter 11; Gwet 2008 (doi:10.1348/000711006X126600) and Handbook of Inter-Rater
Reliability (4th ed., 2014), whose forms with weights and gaps are used. Intervals are delete-one jackknife
over subjects with the normal quantile, or a patient bootstrap. Compared in the tests with irrCAC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.agreement.bootstrap import count_blocks, percentiles
from core.agreement.estimate import MISSING, Z95, Estimate, estimate, number
from core.agreement.grades.confusion import MAX_LEVELS, whole
from core.agreement.grades.kappa import WEIGHTS, agreement_weights

COEFFICIENTS = ("fleiss", "conger", "krippendorff", "gwet")
GWET = {"unweighted": "ac1", "linear": "ac2_linear", "quadratic": "ac2_quadratic"}
CERTAIN = 1e-12  # agreement by chance this near to 1 leaves nothing to explain
BLOCK = 20_000_000  # numbers held at a time


def many_raters(
    ratings: Any, levels: Any = None, clusters: Any = None, *, draws: int = 2000, seed: int = 0
) -> dict[str, Any] | None:
    """The coefficients of a table with gaps; None where ratings are not grades (whole, at most 30 levels).

    ratings: shape (n, raters), NaN where missing. levels: grades that could have been given (AC1 and AC2
    depend on how many there are), by default those that occur. clusters: the patient of each subject; limits
    are then percentiles of ``draws`` bootstrap draws of patients.
    Returns ``fleiss``, ``conger``, ``krippendorff``: {unweighted, linear, quadratic}; ``gwet``: {ac1,
    ac2_linear, ac2_quadratic}; each {estimate, ci, se}; ``levels``, ``subjects`` (with two ratings or more),
    ``ratings``.
    """
    table = whole(ratings)
    known = table[~np.isnan(table)]
    seen = np.unique(known) if levels is None else np.unique(np.asarray(levels, float))
    if not len(known) or len(seen) > MAX_LEVELS or (levels is None and (known != np.floor(known)).any()):
        return None
    table = table[~np.isnan(table).all(axis=1)]
    found: dict[str, dict[str, Estimate]] = {name: {} for name in COEFFICIENTS}
    for weights in WEIGHTS:
        sums = _Sums.of(table, seen, weights)
        limits = _limits(sums, _kept(ratings, clusters), draws, seed)
        for name in COEFFICIENTS:
            key = GWET[weights] if name == "gwet" else weights
            found[name][key] = limits[name]
    count = (~np.isnan(table)).sum(axis=1)
    size = {"subjects": int((count > 1).sum()), "ratings": int(count.sum())}
    return {**found, "levels": seen.tolist(), **size}


def _kept(ratings: Any, clusters: Any) -> np.ndarray | None:
    """The patients of the subjects with a rating."""
    if clusters is None:
        return None
    return np.asarray(clusters)[~np.isnan(np.asarray(ratings, float)).all(axis=1)]


@dataclass(frozen=True)
class _Sums:
    """What each kind of subject adds to the sums that the coefficients are made of.

    rows: shape (kinds, columns), subjects with the same ratings being of one kind. size: subjects of each.
    kind: of each subject.

    Columns: 1, whether there are two ratings, observed agreement, ratings of subjects with two, weighted
    agreeing pairs over one less than the ratings, then q shares of grades, q counts of grades (subjects with
    two ratings), and raters x q ratings.
    """

    rows: np.ndarray
    size: np.ndarray
    kind: np.ndarray
    weights: np.ndarray
    raters: int

    @classmethod
    def of(cls, table: np.ndarray, levels: np.ndarray, weights: str) -> _Sums:
        grade = np.where(np.isnan(table), -1, np.searchsorted(levels, table))
        kinds, kind = np.unique(grade, axis=0, return_inverse=True)
        table = np.where(kinds < 0, np.nan, levels[kinds])
        n, raters = table.shape
        w = agreement_weights(levels, weights)
        given = (table[:, :, None] == levels[None, None, :]).astype(float)
        counts = given.sum(axis=1)
        ratings = counts.sum(axis=1)
        pairs = (counts * (counts @ w - 1)).sum(axis=1)
        two = ratings > 1
        agreeing = np.where(two, pairs / np.maximum(ratings - 1, 1), 0.0)
        columns = [
            np.ones(n),
            two.astype(float),
            agreeing / ratings,
            np.where(two, ratings, 0.0),
            agreeing,
        ]
        shares = counts / ratings[:, None]
        parts = [np.column_stack(columns), shares, counts * two[:, None], given.reshape(n, -1)]
        kind = kind.ravel()
        return cls(np.column_stack(parts), np.bincount(kind).astype(float), kind, w, raters)

    def coefficients(self, total: np.ndarray) -> dict[str, np.ndarray]:
        """The coefficients of sums of shape (..., columns), NaN where there is none."""
        q = len(self.weights)
        n, two, observed, ratings, agreeing = np.moveaxis(total[..., :5], -1, 0)
        shares, counts, by_rater = np.split(total[..., 5:], [q, 2 * q], axis=-1)
        by_rater = by_rater.reshape(*by_rater.shape[:-1], self.raters, q)
        with np.errstate(divide="ignore", invalid="ignore"):
            pa, share = observed / two, shares / n[..., None]
            pe = self._by_chance(share)
            spread = (share * (1 - share)).sum(axis=-1) * self.weights.sum() / (q * (q - 1.0))
            alpha_pe = self._by_chance(counts) / (ratings * (ratings - 1)) - 1 / (ratings - 1)
            chance = {
                "fleiss": (pa, pe),
                "conger": (pa, self._conger(by_rater)),
                "krippendorff": (agreeing / ratings, alpha_pe),
                "gwet": (pa, spread),
            }
            return {
                name: np.where(by < 1 - CERTAIN, (seen - by) / (1 - by), np.nan)
                for name, (seen, by) in chance.items()
            }

    def _by_chance(self, share: np.ndarray) -> np.ndarray:
        return np.asarray(np.einsum("...k,kl,...l->...", share, self.weights, share))

    def _conger(self, by_rater: np.ndarray) -> np.ndarray:
        """Chance agreement of two different raters, mean over pairs of raters who gave a rating."""
        size = by_rater.sum(axis=-1, keepdims=True)
        own = np.where(size > 0, by_rater / np.where(size > 0, size, 1), 0.0)
        raters = (size[..., 0] > 0).sum(axis=-1)
        together = self._by_chance(own.sum(axis=-2))
        alone = self._by_chance(own).sum(axis=-1)
        return np.asarray((together - alone) / (raters * (raters - 1.0)))


def _limits(sums: _Sums, clusters: np.ndarray | None, draws: int, seed: int) -> dict[str, Estimate]:
    total = sums.size @ sums.rows
    value = sums.coefficients(total)
    if clusters is not None:
        return _bootstrapped(sums, value, clusters, draws, seed)
    n = sums.size.sum()
    parts = [sums.coefficients(total - block) for block in _blocks(sums.rows)]
    found = {}
    for name in COEFFICIENTS:
        left = np.concatenate([part[name] for part in parts])
        spread = sums.size @ (left - sums.size @ left / n) ** 2
        se = float(np.sqrt((n - 1) / n * spread)) if n > 2 else np.nan
        middle = float(value[name])
        found[name] = estimate(middle, middle - Z95 * se, middle + Z95 * se) | {"se": number(se)}
        if np.isnan(middle):
            found[name] = dict(MISSING) | {"se": None}
    return found


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    step = max(1, BLOCK // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def _bootstrapped(
    sums: _Sums, value: dict[str, np.ndarray], clusters: np.ndarray, draws: int, seed: int
) -> dict[str, Estimate]:
    from scipy.sparse import coo_array

    names, place = np.unique(clusters, return_inverse=True)
    shape = (len(names), len(sums.rows))
    by_patient = coo_array((np.ones(len(place)), (place, sums.kind)), shape=shape).tocsr() @ sums.rows
    parts = [
        sums.coefficients(counts @ by_patient) for counts in count_blocks(len(names), draws=draws, seed=seed)
    ]
    found = {}
    for name in COEFFICIENTS:
        (low, high), _ = percentiles(np.concatenate([part[name] for part in parts]))
        found[name] = estimate(value[name], *((low, high) if len(names) > 1 else (None, None)))
    return found
