"""Multivariate normal model of change at all visits with gaps, for many sets of weights at once.

Every visit has its own mean per arm and its own slope on baseline; the covariance among visits is free and
the same in all arms (what an MMRM with visit * arm + visit * baseline and an unstructured covariance says).
Fitted by maximum likelihood (EM of Dempster, Laird and Rubin 1977) from the moments of each pattern of gaps,
so that leaving out each patient in turn costs as little as one fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = 2000
TOLERANCE = 1e-9  # of a step, in standard deviations
RIDGE = 1e-9  # of the mean variance, where visits are copies of each other


@dataclass(frozen=True)
class Pattern:
    """Patients with films at the same visits: rows of the panel, visits with and without a film."""

    rows: np.ndarray
    seen: np.ndarray
    gaps: np.ndarray


@dataclass(frozen=True)
class NormalModel:
    """coefficients: (sets, q, T). covariance: (sets, T, T), maximum likelihood. converged: of all sets."""

    coefficients: np.ndarray
    covariance: np.ndarray
    converged: bool


def patterns(y: np.ndarray) -> list[Pattern]:
    """The patterns of gaps of a panel, shape (n, T)."""
    kinds, kind = np.unique(~np.isnan(y), axis=0, return_inverse=True)
    return [
        Pattern(np.flatnonzero(kind.ravel() == place), np.flatnonzero(row), np.flatnonzero(~row))
        for place, row in enumerate(kinds)
    ]


def fit(y: np.ndarray, x: np.ndarray, weights: np.ndarray) -> NormalModel:
    """The model under each set of weights.

    y: (n, T), NaN for gaps. x: (n, q), full rank. weights: (sets, n), patients counted so many times; those
    without any film count nothing.
    """
    known = [pattern for pattern in patterns(y) if len(pattern.seen)]
    moments = [_moments(pattern, y, x, weights) for pattern in known]
    counts = [weights[:, pattern.rows].sum(axis=1) for pattern in known]
    q, sets = x.shape[1], len(weights)
    sxx = np.sum([each[:, :q, :q] for each in moments], axis=0)
    total = np.sum(counts, axis=0)
    scale = np.nanstd(y, axis=0)
    b = np.zeros((sets, q, y.shape[1]))
    b[:, 0] = np.nanmean(y, axis=0)
    sigma = np.tile(np.diag(scale**2), (sets, 1, 1))
    limit = TOLERANCE * scale
    for _ in range(STEPS):
        sxy, syy = _expected(known, moments, counts, b, sigma)
        new = np.linalg.solve(sxx, sxy)
        spread = (syy - np.swapaxes(sxy, 1, 2) @ new) / total[:, None, None]
        moved = np.abs(new - b).max(axis=(0, 1)) <= limit
        moved_too = np.abs(spread - sigma).max(axis=0) <= np.outer(scale, limit)
        b, sigma = new, (spread + np.swapaxes(spread, 1, 2)) / 2
        if moved.all() and moved_too.all():
            return NormalModel(b, sigma, True)
    return NormalModel(b, sigma, False)


def regression(sigma: np.ndarray, seen: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Coefficients of the visits ``on`` given the visits ``seen``, shape (sets, seen, on)."""
    among = sigma[:, seen[:, None], seen]
    ridge = RIDGE * np.trace(among, axis1=1, axis2=2) / max(len(seen), 1)
    return np.asarray(
        np.linalg.solve(
            among + (ridge + 1e-300)[:, None, None] * np.eye(len(seen)), sigma[:, seen[:, None], on]
        )
    )


def _moments(pattern: Pattern, y: np.ndarray, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sums of squares and products of (x, y seen), shape (sets, q + seen, q + seen)."""
    z = np.column_stack([x[pattern.rows], y[np.ix_(pattern.rows, pattern.seen)]])
    width = z.shape[1]
    products = (z[:, :, None] * z[:, None, :]).reshape(len(z), width * width)
    return np.asarray((weights[:, pattern.rows] @ products).reshape(len(weights), width, width))


def _expected(
    known: list[Pattern],
    moments: list[np.ndarray],
    counts: list[np.ndarray],
    b: np.ndarray,
    sigma: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Expected x'y and y'y of the completed table."""
    sets, q, visits = b.shape
    sxy, syy = np.zeros((sets, q, visits)), np.zeros((sets, visits, visits))
    for pattern, z, count in zip(known, moments, counts, strict=True):
        seen, gaps = pattern.seen, pattern.gaps
        fill = np.zeros((sets, q + len(seen), visits))
        fill[:, q + np.arange(len(seen)), seen] = 1.0
        if len(gaps):
            slope = regression(sigma, seen, gaps)
            fill[:, :q, gaps] = b[:, :, gaps] - b[:, :, seen] @ slope
            fill[:, q:, gaps] = slope
            rest = sigma[:, gaps[:, None], gaps] - sigma[:, gaps[:, None], seen] @ slope
            syy[:, gaps[:, None], gaps] += count[:, None, None] * rest
        sxy += z[:, :q] @ fill
        syy += np.swapaxes(fill, 1, 2) @ z @ fill
    return sxy, syy
