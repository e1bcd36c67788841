"""A model of change scores, to draw samples from that have the tail which a small sample misses.

True change is 0 in a share of the patients and lognormal in the others; error may grow with change, and may
be absent in a share of the patients. The spread of the lognormal part is pulled towards a usual one by the
weight of a few patients, or few large changes would say that there are none larger.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.ties import TIE

NODES = np.exp(np.linspace(math.log(0.02), math.log(300.0), 60))
LOGS = np.log(NODES)
USUAL_SPREAD, WEIGHT = 1.25, 6.0  # SD of log change, and how many patients that counts for
ROUNDS = 40


@dataclass(frozen=True)
class ChangeModel:
    """progressing: share with a true change. centre, spread: mean and SD of its log, in units of the sample.

    error, growth: SD of one reader's error is error + growth x true change. silent: share without error.
    """

    progressing: float
    centre: float
    spread: float
    error: float
    growth: float
    silent: float
    readers: int

    @property
    def truth(self) -> tuple[float, float]:
        """(log of signal over error, log of the error variance) of the model itself."""
        first = self.progressing * math.exp(self.centre + self.spread**2 / 2)
        second = self.progressing * math.exp(2 * (self.centre + self.spread**2))
        noise = self.error**2 + 2 * self.error * self.growth * first + self.growth**2 * second
        return math.log((self.readers * (second - first**2) + noise) / noise), math.log(noise)

    def draw(self, rng: np.random.Generator, draws: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean change (draws, n), and the readers' distance from it (draws, n, readers)."""
        shape = (draws, n)
        change = np.exp(self.centre + self.spread * rng.standard_normal(shape))
        change *= rng.random(shape) < self.progressing
        size = (self.error + self.growth * change) / math.sqrt(max(1 - self.silent, 1 / n))
        size *= rng.random(shape) >= self.silent
        noise = rng.standard_normal((*shape, self.readers)) * size[..., None]
        mean = noise.mean(axis=-1)
        return change + mean, noise - mean[..., None]


def fit(change: np.ndarray) -> ChangeModel | None:
    """The model of a complete table (n, readers), in units of its changes; None without change or error."""
    mean = change.mean(axis=1)
    off = change - mean[:, None]
    off = off - off.mean(axis=0)
    n, k = change.shape
    unit = math.sqrt(float((mean**2).mean())) / 2
    if unit == 0 or (off**2).sum() == 0:
        return None
    mean = mean / unit * (1.0 if mean.sum() >= 0 else -1.0)
    error, growth, silent = _error(mean, off / unit, n, k)
    progressing, centre, spread = _change(mean, error / math.sqrt(k), growth / math.sqrt(k))
    return ChangeModel(progressing, centre, spread, error, growth, silent, k)


def _error(mean: np.ndarray, off: np.ndarray, n: int, k: int) -> tuple[float, float, float]:
    """Error SD at no change, its growth with change, and the share of patients without error."""
    spread = np.sqrt((off**2).sum(axis=1) / (k - 1))
    size = np.maximum(mean, 0)
    varies = float(np.var(size, ddof=1)) if n > 1 else 0.0
    growth = max(float(np.cov(spread, size)[0, 1]) / varies, 0.0) if varies > 0 else 0.0
    start = max(float(spread.mean() - growth * size.mean()), 0.15 * float(spread.mean()))
    relative = off / (start + growth * size)[:, None]
    scale = math.sqrt(float((relative**2).sum()) / ((n - 1) * (k - 1)))
    return start * scale, growth * scale, min(float((spread <= TIE).mean()), 1 - 1 / n)


def _change(mean: np.ndarray, error: float, growth: float) -> tuple[float, float, float]:
    """Share, centre and spread of true change by EM on a grid of sizes."""
    sd = error + growth * NODES
    likely = np.exp(-0.5 * ((mean[:, None] - NODES) / sd) ** 2) / sd
    still = np.exp(-0.5 * (mean / error) ** 2) / error
    share, centre, spread = 0.4, 0.5, 1.0
    for _ in range(ROUNDS):
        prior = np.exp(-0.5 * ((LOGS - centre) / spread) ** 2)
        joint = likely * (share * prior / prior.sum())
        weight = (joint / (joint.sum(axis=1) + (1 - share) * still + 1e-300)[:, None]).sum(axis=0)
        moving = float(weight.sum())
        share = float(np.clip((moving + 0.5) / (len(mean) + 1), 0.02, 0.98))
        centre = float(weight @ LOGS) / max(moving, 1e-9)
        gap = float(weight @ (LOGS - centre) ** 2)
        spread = math.sqrt((gap + WEIGHT * USUAL_SPREAD**2) / (moving + WEIGHT))
    return share, centre, spread
