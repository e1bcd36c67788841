"""A model of what truly changed in a cohort, to say how probable it is that one patient worsened.

True change is 0 in a share of the patients, lognormal in those who worsen, and the same mirrored in those who
improve. A reader's error is normal with an SD that grows with change, and absent in a share of the patients;
readings in whole or half points are rounded. Shares and sizes are fitted by maximum likelihood (EM on a grid
of true changes; the SD of log change is held by the weight of two patients), and each patient's probability
is that of the fitted model: empirical Bayes (Efron 2010, Large-Scale Inference).

What readers share, such as an error that the position of a film makes in both, cannot be seen in readings
of the same films: it counts as change here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from core.ties import TIE

WORSENED = 0.5  # points of true change above which a patient worsened: half of the smallest step of a score
SIZES = np.exp(np.linspace(math.log(0.05), math.log(60.0), 36))  # of true change, in units of the sample
LOGS = np.log(SIZES)
NODES = np.concatenate([[0.0], SIZES, -SIZES])
AWAY = np.abs(NODES)
SAME, WORSE, BETTER = slice(0, 1), slice(1, 1 + len(SIZES)), slice(1 + len(SIZES), None)
USUAL_SPREAD, WEIGHT, MIN_SPREAD = 1.0, 2.0, 0.15  # SD of log change, how many patients it counts for
MIN_ERROR = 0.02  # in units of the sample
SURE = 5e4  # density of what cannot be by chance
ROUNDS, FLAT = 300, 1e-5
TINY = 1e-300


@dataclass(frozen=True)
class Seen:
    """The changes that readers saw, in units of their size over all patients.

    values: (n, readers), 0 where not read, a constant difference between readers taken off. known: where
    read.
    mean: of each patient's changes as read. agrees: who has no disagreement. half: half of the readings'
    step, 0 where they have none. unit: what the changes were divided by.
    """

    values: np.ndarray
    known: np.ndarray
    mean: np.ndarray
    agrees: np.ndarray
    half: float
    unit: float

    @classmethod
    def of(cls, change: np.ndarray) -> Seen | None:
        """From changes (n, readers), NaN where not read, each patient with one at least.

        None without two patients of two readers, without change, or without disagreement.
        """
        known = ~np.isnan(change)
        mean, squares = _about_mean(change, known)
        several = known.sum(axis=1) > 1
        unit = math.sqrt(float((mean**2).mean())) if len(mean) else 0.0
        if several.sum() < 2 or unit < TIE or squares.sum() < TIE:
            return None
        values = np.where(known, change - _bias(change, known), 0.0)
        half = _step(change[known]) / 2
        return cls(values / unit, known, mean / unit, squares < TIE, half / unit, unit)

    @cached_property
    def readers(self) -> np.ndarray:
        return self.known.sum(axis=1).astype(float)

    @cached_property
    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """Distinct values and the place of each reading among them: what is computed once."""
        values, place = np.unique(np.round(self.values, 9), return_inverse=True)
        return values, place.reshape(self.values.shape)


@dataclass(frozen=True)
class Cohort:
    """The fitted model, in units of the sample.

    same, worse, better: shares of patients by true change. centre, spread: mean and SD of log change. error,
    growth: SD of one reader's error is error + growth x change. silent: share of patients without error.
    """

    same: float
    worse: float
    better: float
    centre: float
    spread: float
    error: float
    growth: float
    silent: float

    def worsened(self, seen: Seen) -> np.ndarray:
        """Probability that each patient's true change is above ``WORSENED``, shape (n,)."""
        limit = WORSENED / seen.unit
        noisy, quiet = _joint(self, seen)
        above = noisy @ _above(limit)
        exact = quiet[:, 1] * np.where(seen.mean + seen.half > limit + TIE, 1.0, 0.0)
        return np.asarray(np.clip((above + exact) / (_total(noisy, quiet) + TINY), 0, 1))


def fit(seen: Seen) -> Cohort:
    """The likeliest model."""
    free = np.maximum(seen.readers - 1, 0).sum()
    mean = seen.values.sum(axis=1) / seen.readers
    squares = float((((seen.values - mean[:, None]) * seen.known) ** 2).sum())
    silent = float(seen.agrees[seen.readers > 1].mean()) * 0.8
    now = Cohort(0.45, 0.45, 0.1, 0.0, 1.0, max(math.sqrt(squares / free), MIN_ERROR), 0.05, silent)
    before = -math.inf
    for _ in range(ROUNDS):
        now, likelihood = _round(now, seen)
        if abs(likelihood - before) < FLAT * len(seen.mean):
            break
        before = likelihood
    return now


def _total(noisy: np.ndarray, quiet: np.ndarray) -> np.ndarray:
    return np.asarray(noisy.sum(axis=1) + quiet.sum(axis=1))


def _round(now: Cohort, seen: Seen) -> tuple[Cohort, float]:
    """One step of EM, and the log-likelihood before it."""
    noisy, quiet = _joint(now, seen)
    total = _total(noisy, quiet) + TINY
    noisy, quiet = noisy / total[:, None], quiet / total[:, None]
    nodes, still = noisy.sum(axis=0), quiet.sum(axis=0)
    n = len(seen.mean)
    shares = [nodes[part].sum() + still[place] for place, part in enumerate((SAME, WORSE, BETTER))]
    same, worse, better = (float(np.clip(share / n, 1e-4, 1)) for share in shares)
    centre, spread = _size(nodes[WORSE] + nodes[BETTER], quiet[:, 1] + quiet[:, 2], seen)
    error, growth = _error(now, seen, noisy)
    silent = float(np.clip(still.sum() / n, 0, 0.98))
    moved = Cohort(same, worse, better, centre, spread, error, growth, silent)
    return moved, float(np.log(total).sum())


def _size(nodes: np.ndarray, own: np.ndarray, seen: Seen) -> tuple[float, float]:
    """Mean and SD of log change: of the nodes' weights, and of patients without error, who show theirs."""
    logs = np.log(np.maximum(np.abs(seen.mean), max(seen.half / 2, SIZES[0])))
    moving = float(nodes.sum() + own.sum())
    centre = float(nodes @ LOGS + own @ logs) / max(moving, 1e-9)
    gap = float(nodes @ (LOGS - centre) ** 2 + own @ (logs - centre) ** 2)
    return centre, max(math.sqrt((gap + WEIGHT * USUAL_SPREAD**2) / (moving + WEIGHT)), MIN_SPREAD)


def _error(now: Cohort, seen: Seen, noisy: np.ndarray) -> tuple[float, float]:
    """A step of Fisher scoring for the error's SD and its growth."""
    sd = now.error + now.growth * AWAY
    readings = seen.readers @ noisy
    squares = (noisy * _squares(seen, sd)).sum(axis=0)
    slope = squares / sd**3 - readings / sd
    weight = 2 * readings / sd**2
    score = np.array([slope.sum(), slope @ AWAY])
    information = np.array([[weight.sum(), weight @ AWAY], [weight @ AWAY, weight @ AWAY**2]])
    information[np.diag_indices(2)] += 1e-9 + 1e-9 * information.diagonal()
    error, growth = np.array([now.error, now.growth]) + np.linalg.solve(information, score)
    if growth < 0:
        error, growth = now.error + slope.sum() / max(weight.sum(), 1e-9), 0.0
    return float(np.clip(error, max(MIN_ERROR, now.error / 2), now.error * 2)), float(min(growth, 2.0))


def _squares(seen: Seen, sd: np.ndarray) -> np.ndarray:
    """Sum of squared errors of each patient's readings at each node (n, nodes), expected where rounded."""
    values, place = seen.distinct
    size = np.abs(values[:, None] - NODES)
    square = size**2
    if seen.half:
        a, b = (-seen.half - size) / sd, (seen.half - size) / sd
        inside = np.maximum(special.ndtr(b) - special.ndtr(a), TINY)
        edges = (b * np.exp(-0.5 * b**2) - a * np.exp(-0.5 * a**2)) / math.sqrt(2 * math.pi)
        least = np.maximum(size - seen.half, 0) ** 2
        square = np.clip(sd**2 * (1 - edges / inside), least, (size + seen.half) ** 2)
    return np.asarray((square[place] * seen.known[:, :, None]).sum(axis=1))


def _joint(now: Cohort, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """Likelihood times prior: patients with error by node (n, nodes), those without by direction (n, 3)."""
    size = np.exp(-0.5 * ((LOGS - now.centre) / now.spread) ** 2)
    size = size / size.sum()
    prior = np.concatenate([[now.same], now.worse * size, now.better * size])
    values, place = seen.distinct
    sd = now.error + now.growth * AWAY
    likely = _log_likelihood(values[:, None] - NODES, sd, seen.half)
    logs = (likely[place] * seen.known[:, :, None]).sum(axis=1)
    noisy = (1 - now.silent) * prior * np.exp(logs)
    return noisy, now.silent * _quiet(now, seen)


def _log_likelihood(apart: np.ndarray, sd: np.ndarray, half: float) -> np.ndarray:
    """Of a reading at a distance from the true change: a density, or the probability of its step."""
    if not half:
        return np.asarray(-0.5 * (apart / sd) ** 2 - np.log(sd * math.sqrt(2 * math.pi)))
    size = np.abs(apart)  # in the lower tail, where differences of probabilities keep their digits
    inside = special.ndtr((half - size) / sd) - special.ndtr((-half - size) / sd)
    return np.asarray(np.log(np.maximum(inside, TINY)))


def _quiet(now: Cohort, seen: Seen) -> np.ndarray:
    """Without error readings agree, and are the true change but for rounding: same, worse, better (n, 3)."""
    parts = _rounded(now, seen) if seen.half else _exact(now, seen)
    return np.asarray(np.stack(parts, axis=1) * seen.agrees[:, None])


def _rounded(now: Cohort, seen: Seen) -> tuple[np.ndarray, ...]:
    """The prior's share of true changes that are rounded to what was read."""
    size = np.abs(seen.mean)
    still = size < seen.half
    low, high = np.maximum(size - seen.half, TINY), size + seen.half
    to_low, to_high = (special.ndtr((np.log(edge) - now.centre) / now.spread) for edge in (low, high))
    tail = to_high - to_low
    worse, better = (tail * (still | (sign * seen.mean > 0)) for sign in (1, -1))
    return now.same * still, now.worse * worse, now.better * better


def _exact(now: Cohort, seen: Seen) -> tuple[np.ndarray, ...]:
    """The prior's density at what was read; two readings that are one and the same cannot be by chance."""
    size = np.abs(seen.mean)
    still = size < TIE
    scaled = np.maximum(size, SIZES[0])
    tail = np.exp(-0.5 * ((np.log(scaled) - now.centre) / now.spread) ** 2)
    tail = tail / (scaled * now.spread * math.sqrt(2 * math.pi))
    sure = np.where(seen.readers > 1, SURE, 1.0)
    worse, better = (tail * ~still * (sign * seen.mean > 0) for sign in (1, -1))
    return now.same * still * SURE * sure, now.worse * worse * sure, now.better * better * sure


def _above(limit: float) -> np.ndarray:
    """How much of each node lies above the limit: 1, 0, and a part for the node around it."""
    half = (LOGS[1] - LOGS[0]) / 2
    part = np.clip((LOGS + half - math.log(limit)) / (2 * half), 0, 1)
    return np.concatenate([[0.0], part, np.zeros(len(SIZES))])


def _about_mean(change: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each patient's changes, and the sum of squares about it."""
    mean = np.where(known, change, 0.0).sum(axis=1) / known.sum(axis=1)
    return mean, np.where(known, (change - mean[:, None]) ** 2, 0.0).sum(axis=1)


def _bias(change: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Each reader's constant difference from the others, sum 0, from patients with two readings or more."""
    several = known.sum(axis=1) > 1
    table, there = np.where(known, change, 0.0)[several], known[several]
    bias = np.zeros(change.shape[1])
    for _ in range(50):
        patient = (table - bias * there).sum(axis=1) / there.sum(axis=1)
        bias = ((table - patient[:, None]) * there).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        bias = bias - bias.mean()
    return bias


def _step(values: np.ndarray) -> float:
    """The step of the readings: whole or half points where all are multiples of it, else 0."""
    for step in (1.0, 0.5):
        if np.abs(values / step - np.round(values / step)).max() < 1e-6:
            return step
    return 0.0
