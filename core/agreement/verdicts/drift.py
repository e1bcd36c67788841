"""Does a reader drift from one round to the next? Marginal homogeneity and symmetry of grades read twice.

Stuart and Maxwell ask whether grades are given as often in both rounds, Bowker whether every change of grade
is as frequent as its reverse. Sources: Stuart 1955 (doi:10.1093/biomet/42.3-4.412), Maxwell 1970
(doi:10.1192/bjp.116.535.651), Bowker 1948 (doi:10.1080/01621459.1948.10483284; degrees of freedom count the
pairs of grades that occur). Besides the chi-square an exact p: under no drift the two rounds of a patient can
be exchanged; all exchanges are counted for few patients, else many are drawn. It holds with few cells and
with several subjects of one patient, where the chi-square does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy import special

from core.agreement.bootstrap import SEED
from core.agreement.estimate import number
from core.agreement.grades.confusion import confusion, is_gradeable
from core.ties import TIE

EXCHANGES = 9999
ALL_OF = 12  # patients whose rounds differ, up to which every exchange is counted
FEW_CELLS = 5  # expected in a cell off the diagonal, below which no chi-square is trusted
BLOCK = 4_000_000


def drift(
    first: Any, second: Any, clusters: Any = None, *, exchanges: int = EXCHANGES, seed: int = SEED
) -> dict[str, Any] | None:
    """Both tests of one reader's grades in two rounds; None where the ratings are no grades.

    first, second: grades of the same subjects in the earlier and the later round, shape (n,). clusters: the
    patient of each subject, by default its own.
    Returns levels, counts (rows the earlier round), mean_change (later minus earlier), stuart_maxwell and
    bowker {statistic, df, p (by exchange), p_chi_square (None with several subjects of a patient)}, subjects,
    patients, changed (subjects), exact (every exchange counted), notes. Statistics are None without change.
    """
    if not is_gradeable(first, second):
        return None
    counts, levels = confusion(first, second)
    names, place = np.unique(np.arange(len(first)) if clusters is None else clusters, return_inverse=True)
    tables = _by_patient(np.asarray(first, float), np.asarray(second, float), levels, place, len(names))
    gaps = np.asarray(second, float) - np.asarray(first, float)
    base: dict[str, Any] = {
        "levels": levels.tolist(),
        "counts": counts.tolist(),
        "mean_change": float(gaps.mean()),
        "subjects": len(gaps),
        "patients": len(names),
        "changed": int((np.abs(gaps) > TIE).sum()),
    }
    found = _Tests.of(counts[None].astype(float))
    moved = tables[np.abs(tables - tables.transpose(0, 2, 1)).any(axis=(1, 2))]
    every = len(moved) <= ALL_OF
    drawn = _exchanged(counts.astype(float), moved, every, exchanges, seed)
    independent = len(names) == len(gaps)
    for name in ("stuart_maxwell", "bowker"):
        base[name] = _result(name, found, drawn, every=every, independent=independent)
    notes = {}
    off = counts + counts.T
    if independent and ((off < 2 * FEW_CELLS) & (off > 0) & ~np.eye(len(off), dtype=bool)).any():
        notes["p_chi_square"] = "few subjects changed between two grades: the p by exchange counts"
    return base | {"exact": every, "notes": notes}


@dataclass(frozen=True)
class _Tests:
    """Statistics of tables (draws, q, q), each of shape (draws,), and degrees of freedom."""

    stuart_maxwell: np.ndarray
    bowker: np.ndarray
    free: dict[str, int]

    @classmethod
    def of(cls, tables: np.ndarray) -> _Tests:
        off = tables - tables.transpose(0, 2, 1)
        both = tables + tables.transpose(0, 2, 1)
        q = tables.shape[1]
        upper = np.triu_indices(q, 1)
        used = both[0][upper] > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = off[:, upper[0], upper[1]] ** 2 / both[:, upper[0], upper[1]]
        bowker = np.where(used, parts, 0.0).sum(axis=1)
        margin = off.sum(axis=2)
        spread = -both
        spread[:, range(q), range(q)] = both.sum(axis=2) - both[:, range(q), range(q)]
        # one inverse for all: `both` is the same under every exchange
        inverse = np.linalg.pinv(spread[0], hermitian=True, rcond=1e-9)
        stuart = np.einsum("di,ij,dj->d", margin, inverse, margin)
        rank = int(np.linalg.matrix_rank(spread[0], hermitian=True, tol=1e-9 * max(spread[0].max(), 1)))
        return cls(stuart, bowker, {"stuart_maxwell": rank, "bowker": int(used.sum())})


def _by_patient(
    first: np.ndarray, second: np.ndarray, levels: np.ndarray, place: np.ndarray, patients: int
) -> np.ndarray:
    q = len(levels)
    tables = np.zeros((patients, q, q))
    row, column = (np.searchsorted(levels, np.round(grades)) for grades in (first, second))
    np.add.at(tables, (place, row, column), 1)
    return tables


def _exchanged(
    counts: np.ndarray, moved: np.ndarray, every: bool, exchanges: int, seed: int
) -> dict[str, np.ndarray]:
    """Both statistics when the rounds of patients are exchanged, all ways or many."""
    found: dict[str, list[np.ndarray]] = {"stuart_maxwell": [], "bowker": []}
    for tables in _tables(counts, moved, every, exchanges, seed):
        tests = _Tests.of(tables)
        found["stuart_maxwell"].append(tests.stuart_maxwell)
        found["bowker"].append(tests.bowker)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _tables(
    counts: np.ndarray, moved: np.ndarray, every: bool, exchanges: int, seed: int
) -> Iterator[np.ndarray]:
    """Tables after exchange, in blocks. Where each patient has one change, cells are binomial."""
    rng = np.random.default_rng([seed, len(moved)])
    if not every and moved.sum() == len(moved):
        upper = np.triu_indices(len(counts), 1)
        both = (counts + counts.T)[upper].astype(int)
        tables = np.repeat(counts[None], exchanges, axis=0)
        tables[:, upper[0], upper[1]] = rng.binomial(both, 0.5, (exchanges, len(both)))
        tables[:, upper[1], upper[0]] = both - tables[:, upper[0], upper[1]]
        yield tables
        return
    turn = (moved.transpose(0, 2, 1) - moved).reshape(len(moved), counts.size)
    if every:
        signs = np.array(list(product((0.0, 1.0), repeat=len(moved)))).reshape(2 ** len(moved), len(moved))
    else:
        signs = rng.integers(0, 2, (exchanges, len(moved))).astype(float)
    step = max(1, BLOCK // counts.size)
    for start in range(0, len(signs), step):
        yield counts + (signs[start : start + step] @ turn).reshape(-1, *counts.shape)


def _result(
    name: str, found: _Tests, drawn: dict[str, np.ndarray], *, every: bool, independent: bool
) -> dict[str, Any]:
    df = found.free[name]
    if df == 0:
        return {"statistic": None, "df": 0, "p": None, "p_chi_square": None}
    value = float(getattr(found, name)[0])
    as_large = int((drawn[name] >= value - 1e-9 * max(value, 1.0)).sum())
    p = as_large / len(drawn[name]) if every else (as_large + 1) / (len(drawn[name]) + 1)
    chi = number(special.chdtrc(df, value)) if independent else None
    return {"statistic": value, "df": df, "p": p, "p_chi_square": chi}
