"""Numbers of the phantom report as text: estimate, 95% interval, n. Missing patients are left out of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from core.agreement.correlation import pearson, spearman
from core.agreement.estimate import LIMITS, Estimate
from core.agreement.grades.kappa import kappa
from core.agreement.icc import icc
from core.agreement.proportion import proportion

DRAWS, SEED = 1000, 20240229
GRADES = np.arange(4)


def mean(values: np.ndarray) -> str:
    """Mean with t interval."""
    kept = _kept(values)
    half = stats.t.ppf(0.975, len(kept) - 1) * kept.std(ddof=1) / np.sqrt(len(kept))
    return _text(kept.mean(), (kept.mean() - half, kept.mean() + half), len(kept))


def spread(values: np.ndarray) -> str:
    """SD with patient bootstrap: totals are far from normal."""
    kept = _kept(values)
    low, high = bootstrap(len(kept), lambda chosen: kept[chosen].std(axis=1, ddof=1))
    return _text(kept.std(ddof=1), (low, high), len(kept))


def quartiles(values: np.ndarray) -> str:
    kept = _kept(values)
    low, middle, high = np.quantile(kept, [0.25, 0.5, 0.75])
    return f"{middle:.1f} ({low:.1f} to {high:.1f}), n {len(kept):,}"


def share(is_so: np.ndarray) -> str:
    """Share of patients with Wilson interval."""
    return _percent(proportion(int(is_so.sum()), len(is_so))) + f", n {len(is_so):,}"


def part(values: np.ndarray, relation: str, cut: float) -> str:
    """Share of patients beyond a cut-off; within 1e-9 of it counts as equal."""
    kept = _kept(values)
    near = np.abs(kept - cut) <= 1e-9
    beyond = {"<": kept < cut, "<=": kept < cut, ">": kept > cut, ">=": kept > cut}[relation]
    return share(np.where(near, relation.endswith("="), beyond))


def corner_share(is_so: np.ndarray, counted: np.ndarray | None = None) -> str:
    """Share of corners with patient bootstrap; first axis patients. counted: which corners count at all."""
    counted = np.ones(is_so.shape, bool) if counted is None else counted
    if not counted.any():
        return "none to count"
    hits, of = ((mask & counted).reshape(len(mask), -1).sum(axis=1) for mask in (is_so, counted))
    low, high = bootstrap(len(hits), lambda chosen: hits[chosen].sum(axis=1) / of[chosen].sum(axis=1))
    estimate: Estimate = {"estimate": hits.sum() / of.sum(), "ci": [low, high]}
    return _percent(estimate, digits=2) + f", n {of.sum():,} corners"


def icc_text(ratings: np.ndarray) -> str:
    """ICC(A,1) with F interval; ratings: shape (patients, 2)."""
    complete = ratings[np.isfinite(ratings).all(axis=1)]
    found = icc(complete)["forms"]["ICC(A,1)"]
    return _text(found["estimate"], found["ci"], len(complete), digits=3)


def sdc_text(change: np.ndarray, *, readers: int) -> str:
    """SDC95 of the mean of so many readers from the changes of two, with chi-square interval."""
    complete = change[np.isfinite(change).all(axis=1)]
    one = LIMITS * np.diff(complete, axis=1).std(ddof=1) / np.sqrt(2)
    free = len(complete) - 1
    low, high = np.sqrt(free / stats.chi2.ppf([0.975, 0.025], free))
    sdc = one / np.sqrt(readers)
    return _text(sdc, (sdc * low, sdc * high), len(complete))


def pearson_text(ratings: np.ndarray) -> str:
    complete = ratings[np.isfinite(ratings).all(axis=1)]
    found = pearson(*complete.T)
    return _text(found["estimate"], found["ci"], len(complete), digits=3)


def spearman_text(first: np.ndarray, second: np.ndarray) -> str:
    found = spearman(first, second)
    return _text(found["estimate"], found["ci"], len(first))


def kappa_text(first: np.ndarray, second: np.ndarray) -> str:
    """Quadratic kappa of corner grades with patient bootstrap; shape (patients, corners)."""
    tables = np.zeros((len(first), 4, 4))
    for patient, (one, two) in enumerate(zip(first, second, strict=True)):
        both = np.isfinite(one) & np.isfinite(two)
        np.add.at(tables[patient], (one[both].astype(int), two[both].astype(int)), 1)

    def value(table: np.ndarray) -> float:
        return float(kappa(table, GRADES, "quadratic")["estimate"])

    low, high = bootstrap(
        len(tables), lambda chosen: np.array([value(tables[one].sum(axis=0)) for one in chosen])
    )
    whole = tables.sum(axis=0)
    return _text(value(whole), (low, high), int(whole.sum()), digits=3, unit=" corners")


def percent(count: int, n: int) -> str:
    """A share of a published table, whole percent."""
    return _percent(proportion(count, n), digits=0)


def bootstrap(patients: int, statistic: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
    """Percentile limits of a statistic over draws of patients; it gets indices, shape (draws, patients)."""
    rng = np.random.default_rng(SEED)
    found = [statistic(rng.integers(0, patients, (100, patients))) for _ in range(DRAWS // 100)]
    low, high = np.quantile(np.concatenate(found), [0.025, 0.975])
    return float(low), float(high)


def _kept(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, float)[np.isfinite(values)]


def _text(value: float, ci: Sequence[float], n: int, *, digits: int = 2, unit: str = "") -> str:
    low, high = ci
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f}), n {n:,}{unit}"


def _percent(found: Estimate, *, digits: int = 1) -> str:
    value, (low, high) = found["estimate"], found["ci"]
    return f"{100 * value:.{digits}f}% ({100 * low:.{digits}f} to {100 * high:.{digits}f})"
