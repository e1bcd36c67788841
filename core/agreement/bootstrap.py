"""Drawing patients with replacement: weights for every draw at once, no loop over draws.

A draw gives each patient the number of times it was drawn; all rows of a patient share that number. The same
seed gives the same draws for the same number of patients, in whatever order statistics are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

DRAWS = 2000
SEED = 20240229
CELLS = 8_000_000  # numbers held at a time


def draw_counts(patients: int, *, draws: int = DRAWS, seed: int = SEED, block: int = 0) -> np.ndarray:
    """How often each patient was drawn: integers of shape (draws, patients), each row summing to patients."""
    rng = np.random.default_rng([seed, block])
    if patients == 0:
        return np.zeros((draws, 0), dtype=np.int32)
    drawn = rng.integers(0, patients, size=(draws, patients), dtype=np.int64)
    drawn += np.arange(draws, dtype=np.int64)[:, None] * patients
    counts = np.bincount(drawn.ravel(), minlength=draws * patients)
    return counts.reshape(draws, patients).astype(np.int32)


def count_blocks(patients: int, *, draws: int = DRAWS, seed: int = SEED) -> Iterator[np.ndarray]:
    """``draw_counts`` in blocks that fit in memory; the same for the same seed, draws and patients."""
    per_block = max(1, min(draws, CELLS // max(patients, 1)))
    for block, start in enumerate(range(0, draws, per_block)):
        yield draw_counts(patients, draws=min(per_block, draws - start), seed=seed, block=block)


def cluster_weights(clusters: Any, *, draws: int = DRAWS, seed: int = SEED) -> Iterator[np.ndarray]:
    """Row weights in blocks of draws, shape (block, n rows): how often the row's patient was drawn.

    clusters: the patient of each row, any labels, shape (n,).
    """
    names, place = np.unique(np.asarray(clusters), return_inverse=True)
    for counts in count_blocks(len(names), draws=draws, seed=seed):
        yield counts[:, place].astype(float)


def percentiles(values: np.ndarray, *, axis: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(2.5% and 97.5% quantiles (type 7) along ``axis``, count of draws without a value).

    Draws without a value are left out; where no draw has one the limits are NaN.
    """
    values = np.moveaxis(np.asarray(values, dtype=float), axis, 0)
    lost = np.isnan(values).sum(axis=0)
    if not np.any(lost) and len(values):
        return _whole_quantiles(values), lost
    ordered = np.sort(values, axis=0)  # NaN last
    kept = len(values) - lost
    limits = np.stack([_quantile(ordered, kept, p) for p in (0.025, 0.975)])
    return limits, lost


def _whole_quantiles(values: np.ndarray) -> np.ndarray:
    """Type 7 quantiles along the first axis without a gap, each column laid out in one piece first."""
    laid_out = np.array(np.moveaxis(values, 0, -1), order="C")
    place = np.array([0.025, 0.975]) * (len(values) - 1)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    laid_out.partition(np.unique([low, high]), axis=-1)
    below, above = laid_out[..., low], laid_out[..., high]
    return np.asarray(np.moveaxis(below + (place - low) * (above - below), -1, 0))


def _quantile(ordered: np.ndarray, kept: np.ndarray, p: float) -> np.ndarray:
    """Type 7 quantile of the first ``kept`` of each column."""
    place = p * np.maximum(kept - 1, 0)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, np.maximum(kept - 1, 0))
    below = np.take_along_axis(ordered, low[None, ...], axis=0)[0]
    above = np.take_along_axis(ordered, high[None, ...], axis=0)[0]
    return np.where(kept > 0, below + (place - low) * (above - below), np.nan)
