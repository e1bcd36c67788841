"""The search for variance ratios that REML fits of many tables at once share, and the blocks of their draws.

Newton's method with numeric derivatives on SDs over that of the error: downhill also where the surface is no
bowl, the best of the step and its parts. The criterion is even in every ratio, so that 0 is no edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

LENGTHS = (1.0, 0.5, 0.2, 0.05, 0.01)
EDGE = 1e-3  # a ratio below counts as 0
Criterion = Callable[[np.ndarray], np.ndarray]  # ratios (tables, components) -> values (tables,)


@dataclass(frozen=True)
class Search:
    """step: of differences. flat: gain of the criterion below which the search ends. steps: at most.

    least: smallest curvature that is believed.
    """

    step: float
    flat: float
    steps: int
    least: float


def descend(of: Callable[[np.ndarray], Criterion], ratio: np.ndarray, how: Search) -> np.ndarray:
    """The ratios (tables, components) at which the criterion of each table is least, from where they begin.

    of: criterion of the tables at these places.
    """
    ratio = ratio.copy()
    active = np.arange(len(ratio))
    value = of(active)(ratio)
    for _ in range(how.steps):
        better, gain = _newton(of(active), ratio[active], value[active], how)
        ratio[active], value[active] = better, value[active] - gain
        active = active[gain >= how.flat]
        if not len(active):
            break
    return np.where(ratio < EDGE, 0.0, ratio)


def best_of(criterion: Criterion, grid: np.ndarray, tables: int) -> np.ndarray:
    """For each table the point of the grid (points, components) at which the criterion is least."""
    values = [criterion(np.tile(point, (tables, 1))) for point in grid]
    return np.asarray(grid[np.argmin(values, axis=0)])


def ratios_near(variances: np.ndarray, error: float, tables: int) -> np.ndarray:
    """SD ratios of fitted variances, the same for all tables; off 0, where every search would stand still."""
    return np.tile(np.clip(np.sqrt(variances / max(error, 1e-300)), 0.1, 100), (tables, 1))


def blocks(draws: int, cells: int, most: int) -> Iterator[int]:
    """Sizes of blocks of draws of tables of so many cells, each block of at most ``most`` numbers."""
    step = max(1, most // cells)
    for start in range(0, draws, step):
        yield min(step, draws - start)


def _newton(
    criterion: Criterion, ratio: np.ndarray, value: np.ndarray, how: Search
) -> tuple[np.ndarray, np.ndarray]:
    """One step for every table, and what it gained."""
    gradient, hessian = _derivatives(criterion, ratio, value, how.step)
    values, vectors = np.linalg.eigh(hessian)
    turned = np.einsum("bij,bi->bj", vectors, gradient) / np.maximum(np.abs(values), how.least)
    step = -np.einsum("bij,bj->bi", vectors, turned)
    longest = np.maximum(1.0, ratio.max(axis=1, keepdims=True))
    step = step * np.minimum(1.0, longest / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-12))
    best, lowest = ratio, value
    for length in LENGTHS:
        point = np.abs(ratio + length * step)
        found = criterion(point)
        is_better = found < lowest
        best = np.where(is_better[:, None], point, best)
        lowest = np.where(is_better, found, lowest)
    return best, value - lowest


def _derivatives(
    criterion: Criterion, ratio: np.ndarray, value: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient (tables, components) and matrix of second derivatives by central differences."""
    size = ratio.shape[1]
    apart, unit = step * (1 + ratio), np.eye(size)

    def at(move: np.ndarray) -> np.ndarray:
        return criterion(ratio + apart * move)

    up, down = ([at(sign * unit[place]) for place in range(size)] for sign in (1, -1))
    gradient = np.stack([(a - b) / 2 for a, b in zip(up, down, strict=True)], axis=1) / apart
    hessian = np.empty((len(ratio), size, size))
    for i in range(size):
        hessian[:, i, i] = (up[i] - 2 * value + down[i]) / apart[:, i] ** 2
        for j in range(i):
            both = at(unit[i] + unit[j]) - up[i] - up[j] + 2 * value - down[i] - down[j]
            both = (both + at(-unit[i] - unit[j])) / 2
            hessian[:, i, j] = hessian[:, j, i] = both / (apart[:, i] * apart[:, j])
    return gradient, hessian
