"""Covariance among visits as a function of parameters, with first and second derivatives.

A structure is asked for three things at parameters ``theta`` (a vector): the matrix, shape (T, T); its first
derivatives, (q, T, T); its second derivatives, (q, q, T, T). T is the number of visits, in order of time.
Lag is the distance between positions among all visits that were named, also those without a row.
Inference does not depend on the parametrisation chosen here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

NAMES = ("us", "toep", "ar1", "cs", "toeph", "ar1h", "csh")
LAGGED = ("toep", "ar1")  # how names begin where the lag between visits counts


class Structure(Protocol):
    """A covariance of T visits with q parameters."""

    @property
    def visits(self) -> int: ...

    @property
    def size(self) -> int: ...

    def matrix(self, theta: np.ndarray) -> np.ndarray: ...

    def first(self, theta: np.ndarray) -> np.ndarray: ...

    def second(self, theta: np.ndarray) -> np.ndarray: ...

    def start(self, covariance: np.ndarray) -> np.ndarray: ...


def structure(name: str, visits: int, positions: Sequence[int] | None = None) -> Structure:
    """The structure so named: us, toep, ar1, cs, and with a variance per visit toeph, ar1h, csh.

    positions: of each visit with rows among all that were named, rising, such as 0, 1, 3; else one by one.
    """
    if name == "us":
        return Unstructured(visits)
    if name not in NAMES:
        raise ValueError(f"{name} is none of {', '.join(NAMES)}")
    kind = name.removesuffix("h")
    return Scaled(visits, kind, name.endswith("h"), tuple(positions or range(visits)))


@dataclass(frozen=True)
class Unstructured:
    """Every variance and covariance its own parameter, lower triangle row by row."""

    visits: int

    @property
    def size(self) -> int:
        return self.visits * (self.visits + 1) // 2

    def matrix(self, theta: np.ndarray) -> np.ndarray:
        return np.tensordot(theta, self.first(theta), 1)

    def first(self, theta: np.ndarray) -> np.ndarray:
        rows, columns = np.tril_indices(self.visits)
        basis = np.zeros((self.size, self.visits, self.visits))
        place = np.arange(self.size)
        basis[place, rows, columns] = basis[place, columns, rows] = 1
        return basis

    def second(self, theta: np.ndarray) -> np.ndarray:
        return np.zeros((self.size, self.size, self.visits, self.visits))

    def start(self, covariance: np.ndarray) -> np.ndarray:
        return covariance[np.tril_indices(self.visits)]


@dataclass(frozen=True)
class Scaled:
    """Standard deviations times a correlation of few parameters.

    theta: log standard deviations (one, or one a visit), then correlations: one for ``cs`` and ``ar1``, one a
    lag that occurs for ``toep``. positions: of the visits among all that were named.
    """

    visits: int
    kind: str
    has_variance_per_visit: bool
    positions: tuple[int, ...]

    @property
    def lag(self) -> np.ndarray:
        """Lags of all pairs of visits, shape (T, T)."""
        return np.abs(np.subtract.outer(self.positions, self.positions))

    @property
    def lags(self) -> np.ndarray:
        """The lags above 0 that occur, rising."""
        return np.unique(self.lag[self.lag > 0])

    @property
    def scales(self) -> int:
        return self.visits if self.has_variance_per_visit else 1

    @property
    def size(self) -> int:
        return self.scales + self._correlations

    @property
    def _correlations(self) -> int:
        if self.visits == 1:
            return 0
        return len(self.lags) if self.kind == "toep" else 1

    def matrix(self, theta: np.ndarray) -> np.ndarray:
        scale = self._scale(theta)
        return np.outer(scale, scale) * self._correlation(theta)[0]

    def first(self, theta: np.ndarray) -> np.ndarray:
        scale = self._scale(theta)
        outer = np.outer(scale, scale)
        correlation, first, _ = self._correlation(theta)
        return np.concatenate([self._weights() * (outer * correlation), outer * first])

    def second(self, theta: np.ndarray) -> np.ndarray:
        scale = self._scale(theta)
        outer = np.outer(scale, scale)
        correlation, first, second = self._correlation(theta)
        weights, cut = self._weights(), self.scales
        result = np.empty((self.size, self.size, self.visits, self.visits))
        result[:cut, :cut] = weights[:, None] * weights[None] * (outer * correlation)
        result[:cut, cut:] = weights[:, None] * (outer * first)[None]
        result[cut:, :cut] = result[:cut, cut:].swapaxes(0, 1)
        result[cut:, cut:] = outer * second
        return result

    def start(self, covariance: np.ndarray) -> np.ndarray:
        variance = np.diag(covariance)
        scale = np.log(variance if self.has_variance_per_visit else [variance.mean()]) / 2
        correlation = covariance / np.sqrt(np.outer(variance, variance))
        if self.visits == 1:
            return scale
        lags = np.array([correlation[self.lag == lag].mean() for lag in self.lags])
        if self.kind == "toep":
            return np.concatenate([scale, self._definite(lags)])
        one = np.mean(correlation[np.tril_indices(self.visits, -1)]) if self.kind == "cs" else lags[0]
        low = -0.9 / (self.visits - 1) if self.kind == "cs" else -0.9
        return np.append(scale, np.clip(one, low, 0.95))

    def _scale(self, theta: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.exp(np.broadcast_to(theta[: self.scales], self.visits))

    def _weights(self) -> np.ndarray:
        """d log(sd_i sd_j) / d theta_k, shape (scales, T, T)."""
        unit = np.eye(self.visits) if self.has_variance_per_visit else np.ones((1, self.visits))
        return unit[:, :, None] + unit[:, None, :]

    def _correlation(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The correlation matrix and its derivatives by the correlation parameters."""
        rho = theta[self.scales :]
        lag = self.lag
        count = len(rho)
        second = np.zeros((count, count, self.visits, self.visits))
        if not count:
            return np.ones((1, 1)), np.zeros((0, 1, 1)), second
        if self.kind == "toep":
            first = (lag == self.lags[:, None, None]).astype(float)
            return np.eye(self.visits) + np.tensordot(rho, first, 1), first, second
        if self.kind == "cs":
            first = (lag > 0).astype(float)[None]
            return np.eye(self.visits) + rho[0] * first[0], first, second
        first = (lag * rho[0] ** np.maximum(lag - 1, 0))[None]
        second[0, 0] = lag * (lag - 1) * rho[0] ** np.maximum(lag - 2, 0)
        return rho[0] ** lag, first, second

    def _definite(self, lags: np.ndarray) -> np.ndarray:
        """Lag correlations shrunk until their matrix is positive definite."""
        place = np.searchsorted(np.append(0, self.lags), self.lag)
        for shrink in (1.0, 0.9, 0.75, 0.5, 0.25):
            if np.linalg.eigvalsh(np.append(1.0, shrink * lags)[place])[0] > 0.02:
                return shrink * lags
        return np.zeros(len(lags))
