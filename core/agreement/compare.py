"""Many comparisons from one long frame: every pair of raters in every group, and what to look at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.batch.comparisons import agree
from core.agreement.bootstrap import DRAWS, SEED
from core.agreement.table import flat_pair
from core.ties import TIE, in_order

STATISTICS = (
    "ICC(A,1)", "ICC(C,1)", "bland_altman.bias", "bland_altman.sd", "bland_altman.loa.lower",
    "bland_altman.loa.upper", "mdc95", "kappa.unweighted", "kappa.linear", "kappa.quadratic",
    "gwet.ac2_quadratic", "exact_agreement", "within_one", "pearson", "spearman", "ccc",
)  # fmt: skip
LARGEST = 40_000_000  # ratings laid out at a time


@dataclass(frozen=True)
class Columns:
    """The names of the columns of a long frame of ratings."""

    subject: str = "subject"
    rater: str = "reader"
    rating: str = "total"


def compare(
    frame: pd.DataFrame,
    by: Sequence[str] = (),
    *,
    columns: Columns = Columns(),
    pairs: Sequence[tuple[str, str]] | None = None,
    cluster: str | None = None,
    statistics: Sequence[str] = STATISTICS,
    draws: int = DRAWS,
    seed: int = SEED,
) -> pd.DataFrame:
    """Agreement of every pair of raters within every group.

    frame: one row per rating; at most one per group, subject and rater. by: columns that make the groups.
    pairs: of raters; by default all, in order of first appearance. Differences are first minus second.
    cluster: column of the patient: intervals then resample patients. Without it each row of a group is taken
    as independent and the intervals come from formulas: right only where a patient has one row a group.
    Returns one row per group, pair and statistic: ``by``, first, second, statistic, estimate, low, high,
    interval ("patient bootstrap" or "formula"), n (subjects rated by both), patients, left_out (subjects that
    one of them rated, not both), draws_without_value. Missing numbers are NaN.
    Raises ValueError for two ratings of one group, subject and rater.
    """
    grid = _Grid.of(frame, list(by), columns, pairs, cluster)
    parts = []
    step = max(1, LARGEST // max(1, 2 * grid.rows))
    for start in range(0, len(grid.cells), step):
        cells = grid.cells[start : start + step]
        ratings = grid.ratings(cells)
        if cluster is None:
            parts += _by_formula(ratings, statistics)
        else:
            parts += _by_bootstrap(ratings, grid.patients, statistics, draws, seed)
    return grid.label(parts, list(by), "formula" if cluster is None else "patient bootstrap")


def change_between(
    frame: pd.DataFrame, first: str, last: str, *, keys: Sequence[str], rating: str, visit: str = "visit"
) -> pd.DataFrame:
    """Change of every rating from one visit to another, formed within ``keys`` (subject, rater, site ...).

    Returns ``keys`` and ``rating`` (last minus first); only where both are there.
    """
    columns = [*keys, rating]
    before = frame.loc[frame[visit] == first, columns]
    after = frame.loc[frame[visit] == last, columns]
    both = before.merge(after, on=list(keys), suffixes=("_before", "_after"), validate="one_to_one")
    both[rating] = both.pop(f"{rating}_after").astype(float) - both.pop(f"{rating}_before").astype(float)
    return both.dropna(subset=[rating]).reset_index(drop=True)


def worklist(
    frame: pd.DataFrame, first: str, second: str, *, keys: Sequence[str], columns: Columns = Columns()
) -> pd.DataFrame:
    """What two raters disagree about most, worst first: ``keys``, first, second, difference, size.

    keys: columns that name one rated thing (subject, visit, site). difference is first minus second.
    Equal sizes keep the order of the frame; no disagreement is no row.
    """
    parts = [
        frame.loc[frame[columns.rater] == rater, [*keys, columns.rating]].rename(
            columns={columns.rating: name}
        )
        for rater, name in ((first, "first"), (second, "second"))
    ]
    both = parts[0].merge(parts[1], on=list(keys), how="inner").dropna(subset=["first", "second"])
    both["difference"] = both["first"].astype(float) - both["second"].astype(float)
    both["size"] = both["difference"].abs()
    both = both[both["size"] > TIE]
    return both.iloc[in_order(both["size"], largest_first=True)].reset_index(drop=True)


@dataclass(frozen=True)
class _Grid:
    """Ratings laid out by rater, group and subject."""

    values: np.ndarray  # (raters, groups, subjects), NaN where missing
    groups: pd.DataFrame
    raters: list[str]
    patients: np.ndarray | None
    cells: list[tuple[int, int, int]]  # group, first, second

    @property
    def rows(self) -> int:
        return self.values.shape[2]

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        by: list[str],
        columns: Columns,
        pairs: Sequence[tuple[str, str]] | None,
        cluster: str | None,
    ) -> _Grid:
        frame = frame[frame[columns.rating].notna()]
        subject, subjects = pd.factorize(frame[columns.subject])
        rater, raters = pd.factorize(frame[columns.rater])
        group, groups = _group_codes(frame, by)
        shape = (len(raters), len(groups), len(subjects))
        place = np.ravel_multi_index((rater, group, subject), shape) if len(frame) else np.array([], int)
        if len(np.unique(place)) < len(place):
            raise ValueError("two ratings of one group, subject and rater: name more columns in `by`")
        values = np.full(int(np.prod(shape)), np.nan)
        values[place] = frame[columns.rating].to_numpy(dtype=float)
        names = [str(name) for name in raters]
        chosen = list(combinations(names, 2)) if pairs is None else list(pairs)
        index = {name: code for code, name in enumerate(names)}
        numbered = [(index[a], index[b]) for a, b in chosen if a in index and b in index]
        cells = [(g, a, b) for g in range(len(groups)) for a, b in numbered]
        patients = None
        if cluster is not None:
            patients = np.zeros(len(subjects), dtype=int)
            patients[subject] = pd.factorize(frame[cluster])[0]
        return cls(values.reshape(shape), groups, names, patients, cells)

    def ratings(self, cells: list[tuple[int, int, int]]) -> np.ndarray:
        group, first, second = np.array(cells).T
        return np.stack([self.values[first, group], self.values[second, group]], axis=2)

    def label(self, parts: list[pd.DataFrame], by: list[str], interval: str) -> pd.DataFrame:
        order = [*by, "first", "second", "statistic", "estimate", "low", "high", "interval", "n", "patients"]
        order += ["left_out", "draws_without_value"]
        if not parts:
            return pd.DataFrame(columns=order)
        found = pd.concat(parts, ignore_index=True)
        cell = np.repeat(np.arange(len(parts)), [len(part) for part in parts]).tolist()
        group, first, second = zip(*self.cells, strict=True)
        for column in by:
            levels = self.groups[column].tolist()
            found[column] = [levels[group[place]] for place in cell]
        found["first"] = [self.raters[first[place]] for place in cell]
        found["second"] = [self.raters[second[place]] for place in cell]
        known = ~np.isnan(self.values)
        left_out = [int((known[a, g] ^ known[b, g]).sum()) for g, a, b in self.cells]
        found["left_out"] = [left_out[place] for place in cell]
        return found.assign(interval=interval)[order]


def _group_codes(frame: pd.DataFrame, by: list[str]) -> tuple[np.ndarray, pd.DataFrame]:
    if not by:
        return np.zeros(len(frame), dtype=int), pd.DataFrame(index=range(1))
    grouped = frame.groupby(by, sort=False, dropna=False, observed=True)
    codes = grouped.ngroup().to_numpy()
    return codes, frame[by].drop_duplicates().reset_index(drop=True)


def _by_formula(ratings: np.ndarray, statistics: Sequence[str]) -> list[pd.DataFrame]:
    """A part for each cell of ``ratings``, cut from one frame: making a frame costs more than its numbers."""
    rows: list[dict[str, Any]] = []
    for table in ratings:
        kept = table[~np.isnan(table).any(axis=1)]
        found = flat_pair(kept[:, 0], kept[:, 1])
        for name in statistics:
            value = found.get(name, {"estimate": None, "ci": [None, None]})
            low, high = value["ci"]
            row = {"statistic": name, "estimate": value["estimate"], "low": low, "high": high}
            rows.append(row | {"n": len(kept), "patients": len(kept), "draws_without_value": 0})
    whole = pd.DataFrame(rows).astype({"estimate": float, "low": float, "high": float})
    step = len(statistics)
    return [whole.iloc[start : start + step] for start in range(0, len(whole), step)]


def _by_bootstrap(
    ratings: np.ndarray, patients: np.ndarray | None, statistics: Sequence[str], draws: int, seed: int
) -> list[pd.DataFrame]:
    batch = agree(ratings, patients, draws=draws, seed=seed)
    missing = np.full(len(ratings), np.nan)
    parts = []
    for cell in range(len(ratings)):
        enough = batch.patients[cell] > 1
        limits = [
            batch.interval[name][cell] if enough and name in batch.interval else (np.nan, np.nan)
            for name in statistics
        ]
        parts.append(
            pd.DataFrame(
                {
                    "statistic": list(statistics),
                    "estimate": [batch.estimate.get(name, missing)[cell] for name in statistics],
                    "low": [low for low, _ in limits],
                    "high": [high for _, high in limits],
                    "n": int(batch.n[cell]),
                    "patients": int(batch.patients[cell]),
                    "draws_without_value": [
                        int(batch.lost[n][cell]) if n in batch.lost else 0 for n in statistics
                    ],
                }
            )
        )
    return parts
