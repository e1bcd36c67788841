"""The model as one more reader: does it disagree with readers more than they do with each other?

Definitions as in the contract: the interchangeability index is the mean over subjects of (mean squared
model-reader difference) minus (mean squared reader-reader difference over reader pairs), with a bootstrap of
patients; a verdict only against a margin that was set in advance. Individual equivalence after
Obuchowski 2014 (doi:10.1177/0962280214537394) and Barnhart 2007 (doi:10.1080/10543400701329455).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from core.agreement.batch.comparisons import Batch, agree, draw_values
from core.agreement.bootstrap import DRAWS, SEED, count_blocks, percentiles
from core.agreement.estimate import Estimate, estimate, number
from core.agreement.intervals.index import CAUTION, FEW, SMALLEST, index_limits
from core.agreement.limits.bland_altman import bland_altman
from core.agreement.proportion import wilson
from core.ties import TIE

COMPARED = ("ICC(A,1)", "ICC(C,1)", "bland_altman.bias", "bland_altman.sd")


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made: which patient each subject is of (None: each its own), draws and seed."""

    clusters: Any = None
    draws: int = DRAWS
    seed: int = SEED


def interchangeability(
    readers: Any, model: Any, *, margin: float | None = None, bootstrap: Bootstrap = Bootstrap()
) -> dict[str, Any]:
    """The interchangeability index with its interval, and the verdict where a margin was given.

    The verdict is meant to be wrong in at most 2.5% of the studies whose index lies at the margin
    (docs/statistics-coverage.md); it needs ``SMALLEST`` patients.

    readers: shape (n subjects, k readers). model: shape (n,). Only subjects without a gap count.
    margin: largest index that still counts as interchangeable, in squared score units.
    Returns index {estimate, ci}, model_reader and reader_reader (mean squared differences with intervals),
    margin, equivalent (None without margin or interval), subjects, dropped_subjects, draws, seed, notes.
    """
    readers, model, clusters, dropped = _complete(readers, model, bootstrap.clusters)
    n, k = readers.shape
    base = {"margin": margin, "subjects": n, "dropped_subjects": dropped}
    base |= {"draws": bootstrap.draws, "seed": bootstrap.seed}
    reason = _why_not(n, k)
    if reason:
        nothing = {name: estimate(None) for name in ("index", "model_reader", "reader_reader")}
        return nothing | {"equivalent": None} | base | {"notes": {"index": reason}}
    with_model = ((model[:, None] - readers) ** 2).mean(axis=1)
    between = np.mean([(readers[:, a] - readers[:, b]) ** 2 for a, b in combinations(range(k), 2)], axis=0)
    parts = np.column_stack([with_model - between, with_model, between])
    found = ratios(parts, np.ones_like(parts), clusters, bootstrap)
    named = dict(zip(("index", "model_reader", "reader_reader"), found, strict=True))
    sums = _by_patient(np.column_stack([with_model, between, np.ones(n)]), clusters)
    limits = index_limits(*sums.T, draws=bootstrap.draws, seed=bootstrap.seed)
    named["index"] = estimate(found[0]["estimate"], *limits)
    high = named["index"]["ci"][1]
    few = len(sums) < SMALLEST
    verdict = None if margin is None or high is None or few else bool(high < margin)
    notes = _interval_notes(named["index"], len(sums), bootstrap.draws)
    if margin is not None:
        notes["equivalent"] = FEW.format(smallest=SMALLEST, patients=len(sums)) if few else CAUTION
    return named | {"equivalent": verdict} | base | {"notes": notes}


def leave_one_out(
    readers: Any, model: Any, names: Sequence[str], *, bootstrap: Bootstrap = Bootstrap()
) -> dict[str, Any]:
    """Each reader, and the model, against the mean of the other readers: the same yardstick for both.

    readers: shape (n, k). names: of the k readers. Only subjects without a gap count.
    Returns ``rows`` [{left_out, against, reader {statistic: {estimate, ci}}, model {...}, icc_difference}],
    statistics ICC(A,1), ICC(C,1), bias and sd of (reader or model) minus the mean of the others; the
    difference is the model's ICC(A,1) minus the reader's, on the same draws.
    """
    readers, model, clusters, dropped = _complete(readers, model, bootstrap.clusters)
    n, k = readers.shape
    base = {"subjects": n, "dropped_subjects": dropped}
    if _why_not(n, k):
        return {"rows": [], **base, "notes": {"leave_one_out": _why_not(n, k)}}
    others = (readers.sum(axis=1, keepdims=True) - readers) / (k - 1)
    cells = [np.column_stack([readers[:, r], others[:, r]]) for r in range(k)]
    cells += [np.column_stack([model, others[:, r]]) for r in range(k)]
    ratings = np.stack(cells)
    batch = agree(ratings, clusters, draws=bootstrap.draws, seed=bootstrap.seed)
    icc = draw_values(ratings, clusters, draws=bootstrap.draws, seed=bootstrap.seed).get("ICC(A,1)")
    rows = []
    for r, name in enumerate(names):
        difference = batch.estimate["ICC(A,1)"][k + r] - batch.estimate["ICC(A,1)"][r]
        limits = (np.nan, np.nan) if icc is None else percentiles(icc[:, k + r] - icc[:, r])[0]
        rows.append(
            {
                "left_out": name,
                "against": [other for other in names if other != name],
                "reader": _cell(batch, r),
                "model": _cell(batch, k + r),
                "icc_difference": estimate(difference, *limits),
            }
        )
    return {"rows": rows, **base, "notes": {}}


def false_change(
    readers: Any, model: Any, names: Sequence[str], *, bootstrap: Bootstrap = Bootstrap()
) -> dict[str, Any]:
    """How often the model, and each reader, sees a change where all others see none.

    readers: changes, shape (n, k). model: changes, shape (n,), or None. names: of the k readers.
    Returns {"model": {cases, false_change, false_improvement}, "readers": {name: the same}}; shares are None
    where no case has all others at 0. A change below 0 is an improvement. Limits draw patients; those of a
    share of exactly 0 or 1 are Wilson's, with its patients as cases.
    """
    readers = np.asarray(readers, dtype=float)
    names = list(names)
    columns = [readers[:, r] for r in range(readers.shape[1])]
    if model is not None:
        columns.append(np.asarray(model, dtype=float))
    found = []
    for place, seen in enumerate(columns):
        judges = [c for other, c in enumerate(columns[: len(names)]) if other != place]
        found.append(_against(seen, judges, bootstrap))
    result: dict[str, Any] = {"readers": dict(zip(names, found, strict=False))}
    return ({"model": found[-1]} if model is not None else {}) | result


def bias_to_mean(readers: Any, model: Any) -> dict[str, Any]:
    """The model minus the mean of the readers: ``bias`` (estimate and t interval) and ``n``.

    readers: shape (n, k). model: shape (n,). Only subjects without a gap count; fewer than two: no bias.
    """
    readers, model, _, _ = _complete(readers, model, None)
    enough = len(model) > 1
    bias = bland_altman(model, readers.mean(axis=1))["bias"] if enough else estimate(None)
    return {"bias": bias, "n": len(model)}


def ratios(above: np.ndarray, below: np.ndarray, clusters: Any, bootstrap: Bootstrap) -> list[Estimate]:
    """Sum of each column of ``above`` over that of ``below`` with patient-bootstrap limits.

    above, below: shape (n, m). Fewer than two patients: no limits.
    """
    n, m = above.shape
    names, place = np.unique(np.arange(n) if clusters is None else np.asarray(clusters), return_inverse=True)
    sums = np.zeros((len(names), 2 * m))
    np.add.at(sums, place, np.hstack([above, below]))
    with np.errstate(divide="ignore", invalid="ignore"):
        totals = sums.sum(axis=0)
        value = totals[:m] / totals[m:]
        if len(names) < 2 or not bootstrap.draws:
            return [estimate(number(x)) for x in value]
        blocks = count_blocks(len(names), draws=bootstrap.draws, seed=bootstrap.seed)
        drawn = np.concatenate([block.astype(float) @ sums for block in blocks])
        limits, _ = percentiles(drawn[:, :m] / drawn[:, m:])
    return [estimate(number(x), *limits[:, i]) for i, x in enumerate(value)]


def _complete(readers: Any, model: Any, clusters: Any) -> tuple[np.ndarray, np.ndarray, Any, int]:
    readers, model = np.asarray(readers, dtype=float), np.asarray(model, dtype=float)
    kept = ~np.isnan(readers).any(axis=1) & ~np.isnan(model)
    clusters = None if clusters is None else np.asarray(clusters)[kept]
    return readers[kept], model[kept], clusters, int((~kept).sum())


def _why_not(n: int, k: int) -> str:
    if k < 2:
        return f"reader-reader disagreement needs two readers; {k} is here"
    return "" if n else "no subject was scored by all readers and the model"


def _by_patient(values: np.ndarray, clusters: Any) -> np.ndarray:
    """Sums of the rows of each patient."""
    names, place = np.unique(
        np.arange(len(values)) if clusters is None else np.asarray(clusters), return_inverse=True
    )
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, place, values)
    return sums


def _interval_notes(index: Estimate, patients: int, draws: int) -> dict[str, str]:
    if index["ci"][0] is not None or not draws:
        return {}
    if patients < 3:
        return {"index": "an interval needs three patients"}
    return {"index": "too few patients differ between model and readers to say how large the index may be"}


def _cell(batch: Batch, cell: int) -> dict[str, Estimate]:
    return {
        name.removeprefix("bland_altman."): estimate(batch.estimate[name][cell], *batch.interval[name][cell])
        for name in COMPARED
    }


def _against(seen: np.ndarray, judges: list[np.ndarray], bootstrap: Bootstrap) -> dict[str, Any]:
    nothing = {"cases": 0, "false_change": estimate(None), "false_improvement": estimate(None)}
    if not judges:
        return nothing
    with np.errstate(invalid="ignore"):
        still = np.all([np.abs(judge) <= TIE for judge in judges], axis=0) & ~np.isnan(seen)
        changed, improved = still & (np.abs(seen) > TIE), still & (seen < -TIE)
    if not still.any():
        return nothing
    above, below = (
        np.column_stack([changed, improved]).astype(float),
        np.column_stack([still] * 2).astype(float),
    )
    patients = (
        int(still.sum()) if bootstrap.clusters is None else len(set(np.asarray(bootstrap.clusters)[still]))
    )
    change, improvement = (
        _share(rate, patients) for rate in ratios(above, below, bootstrap.clusters, bootstrap)
    )
    return {"cases": int(still.sum()), "false_change": change, "false_improvement": improvement}


def _share(rate: Estimate, patients: int) -> Estimate:
    """A share of exactly 0 or 1, which no draw can change, with Wilson's limits for so many cases."""
    value = rate["estimate"]
    if value not in (0.0, 1.0):
        return rate
    return estimate(value, *wilson(value * patients, patients))
