"""Effects of the levels of a factor (devices, periods) within strata, and limits that hold for all of them.

A value stands for a picture; pictures of one patient belong together. Levels are compared within strata (the
same kind of picture at the same visit) by least squares. The error of an effect comes from the patients'
contributions to it, each as large as it is where no level differs (the effective score). Limits flip the
signs of these contributions patient by patient, for all effects of all measures at once: Hemerik, Goeman and
Finos 2020 (doi:10.1111/rssb.12369) for the flips, Westfall and Young 1993 for the largest of many. They ask
neither for equal variances nor for independent pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.agreement.bootstrap import SEED

FLIPS = 1999
ALPHA = 0.05  # chance that anything is flagged where nothing differs
FIRM = 1e-8  # how far a contrast may lie outside of what the strata let compare
CELLS = 4_000_000  # signs held at a time
MANY = 5000  # patients from which the flips are drawn as the normal distribution that they then have


@dataclass(frozen=True)
class Effects:
    """Effects of levels on one measure.

    estimate (levels,): relative to each other, meaningful in contrasts only. scores (patients, levels): what
    each patient adds to them. known (levels, levels): contrast @ known is the contrast where it can be
    estimated. n (levels,): pictures.
    """

    estimate: np.ndarray
    scores: np.ndarray
    known: np.ndarray
    n: np.ndarray


@dataclass(frozen=True)
class Contrasts:
    """Values (contrasts,) with their standard errors; NaN where the strata do not let them be estimated."""

    value: np.ndarray
    se: np.ndarray
    scores: np.ndarray

    @property
    def statistic(self) -> np.ndarray:
        """Values in standard errors, NaN where there is no spread."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.se > 0, self.value / self.se, np.nan)


@dataclass(frozen=True)
class Limits:
    """limit: how many standard errors a contrast may lie from 0. p: measure -> adjusted p of each
    contrast.
    """

    limit: float | None
    p: dict[str, np.ndarray]


def effects(
    value: np.ndarray, level: np.ndarray, stratum: np.ndarray, patient: np.ndarray, levels: int, patients: int
) -> Effects:
    """Effects of ``levels`` levels. value (n,): NaN leaves a picture out. level, stratum, patient (n,): codes
    from 0, a level below 0 leaves a picture out.
    """
    kept = np.isfinite(value) & (level >= 0)
    value, level, stratum, patient = value[kept], level[kept], stratum[kept], patient[kept]
    design = np.zeros((len(value), levels))
    design[np.arange(len(value)), level] = 1
    rest = _within(value[:, None], stratum)[:, 0]
    inner = _within(design, stratum)
    gram = inner.T @ inner
    inverse = np.linalg.pinv(gram, rcond=1e-10, hermitian=True)
    scores = np.zeros((patients, levels))
    np.add.at(scores, patient, rest[:, None] * (inner @ inverse))
    return Effects(scores.sum(0), scores, gram @ inverse, np.bincount(level, minlength=levels))


def _within(values: np.ndarray, stratum: np.ndarray) -> np.ndarray:
    """Values (n, k) less the mean of their stratum."""
    if not len(values):
        return values
    size = int(stratum.max()) + 1
    sums = np.zeros((size, values.shape[1]))
    np.add.at(sums, stratum, values)
    count = np.maximum(np.bincount(stratum, minlength=size), 1)
    return values - (sums / count[:, None])[stratum]


def contrasts(found: Effects, weights: np.ndarray) -> Contrasts:
    """Contrasts of effects. weights (contrasts, levels), rows sum to 0; a row of NaN gives NaN."""
    asked = np.nan_to_num(weights)
    scores = found.scores @ asked.T
    lost = np.abs(asked - asked @ found.known).max(axis=1, initial=0) > FIRM * np.maximum(
        np.abs(asked).max(axis=1, initial=0), 1
    )
    lost |= np.isnan(weights).any(axis=1) | (np.abs(asked).max(axis=1, initial=0) == 0)
    scores[:, lost] = 0.0
    scores[np.abs(scores) < 1e-13 * np.abs(scores).max(initial=0)] = 0.0
    value = np.where(lost, np.nan, scores.sum(0))
    return Contrasts(value, np.where(lost, np.nan, np.sqrt((scores**2).sum(0))), scores)


def limits(
    found: Mapping[str, Contrasts], *, alpha: float = ALPHA, flips: int = FLIPS, seed: int = SEED
) -> Limits:
    """The limit that the largest of all contrasts of all measures exceeds with chance alpha where nothing
    differs, and p adjusted for all of them.

    A limit is None where there is nothing to compare. seed: of the flips.
    """
    parts = {name: one.scores / np.where(one.se > 0, one.se, np.inf) for name, one in found.items()}
    if not parts or not any(np.any(part) for part in parts.values()):
        return Limits(None, {name: np.full(len(one.value), np.nan) for name, one in found.items()})
    largest = _largest(np.concatenate(list(parts.values()), axis=1), flips, seed)
    limit = float(np.sort(largest)[int(np.ceil((1 - alpha) * (flips + 1))) - 1])
    p = {}
    for name, one in found.items():
        seen = np.abs(one.statistic)
        above = (largest[None, :] >= seen[:, None] - 1e-9).sum(axis=1)
        p[name] = np.where(np.isnan(seen), np.nan, (above + 1) / (flips + 1))
    return Limits(limit, p)


def _largest(scores: np.ndarray, flips: int, seed: int) -> np.ndarray:
    """The largest absolute sum of each draw of signs (flips,). scores: (patients, contrasts), unit length."""
    rng = np.random.default_rng([seed, len(scores)])
    if len(scores) > MANY:
        values, turned = np.linalg.eigh(scores.T @ scores)
        scores = (turned * np.sqrt(np.maximum(values, 0))).T
        return np.abs(rng.standard_normal((flips, len(scores))) @ scores).max(axis=1)
    step = max(1, CELLS // max(len(scores), 1))
    found = []
    for start in range(0, flips, step):
        signs = rng.integers(0, 2, (min(step, flips - start), len(scores)), dtype=np.int8)
        found.append(np.abs((2.0 * signs - 1.0) @ scores).max(axis=1))
    return np.concatenate(found)
