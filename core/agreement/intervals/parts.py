"""What variance components of a subject x reader table are made of, patient by patient, for many tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHAPES = {"1": "ICC(1,.)", "A": "ICC(A,.)", "C": "ICC(C,.)"}  # one-way, agreement, consistency


@dataclass(frozen=True)
class Logs:
    """Logs of one statistic in many tables with their standard errors, each of the shape of the tables."""

    value: np.ndarray
    se: np.ndarray


@dataclass(frozen=True)
class Parts:
    """Per patient, each of shape (..., n): ``between`` patients, ``within`` one of them, the ``residual``.

    Their sums are the sums of squares, each over the degrees of freedom that one patient has.
    """

    between: np.ndarray
    within: np.ndarray
    residual: np.ndarray

    @classmethod
    def of(cls, mean: np.ndarray, off: np.ndarray) -> Parts:
        """From the mean of each patient (..., n) and the readers' distance from it (..., n, k)."""
        k = off.shape[-1]
        centred = mean - mean.mean(axis=-1, keepdims=True)
        bias = off.mean(axis=-2, keepdims=True)
        within = np.einsum("...k,...k->...", off, off) / (k - 1)
        left = off - bias
        return cls(k * centred**2, within, np.einsum("...k,...k->...", left, left) / (k - 1))

    def log_residual(self) -> Logs:
        """Log of the residual mean square, with a standard error that knows the kurtosis."""
        n = self.residual.shape[-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = self.residual.mean(axis=-1)
            off = self.residual / mean[..., None] - 1
            return Logs(np.log(mean * n / (n - 1)), _error(off))

    def log_ratio(self, shape: str) -> Logs:
        """Log of signal over error: log((1 + (k - 1) ICC) / (1 - ICC)). shape: of ``SHAPES``."""
        n = self.between.shape[-1]
        above, below = self.between, self.within
        free = n / (n - 1)
        above = above * free
        if shape == "A":
            above = above + self.within - self.residual * free
        if shape == "C":
            below = self.residual * free
        with np.errstate(divide="ignore", invalid="ignore"):
            top, bottom = above.mean(axis=-1), below.mean(axis=-1)
            off = above / top[..., None] - below / bottom[..., None]
            return Logs(np.log(top / bottom), _error(off))


def _error(off: np.ndarray) -> np.ndarray:
    """Standard error of a statistic from the influence of each patient, whose mean is 0."""
    return np.sqrt(np.einsum("...n,...n->...", off, off)) / off.shape[-1]
