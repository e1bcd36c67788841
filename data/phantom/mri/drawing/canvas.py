"""The stack while it is being drawn: signals on thin sub-slices, coverage of structures on slices.

Later paint covers earlier paint by the share of the voxel that it fills, so that edges come out soft within
the plane; the mean over the sub-slices of a slice makes the partial volume across it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from data.phantom.mri.drawing.tissues import CHANNELS

SUB_SLICES = 3
Box = tuple[slice, slice, slice]
LATTICE = 128  # voxels of the texture lattice to each side, half a millimetre each; a power of two


@dataclass(frozen=True)
class Grid:
    """Where the voxels of a stack lie, in mm: x of columns, y of rows, z of slices (their middle)."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    thickness: float

    @property
    def pixel(self) -> float:
        return float(self.x[1] - self.x[0])

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.z), len(self.y), len(self.x)

    def sub_slices(self) -> np.ndarray:
        """z of the thin slices, ``SUB_SLICES`` a slice."""
        steps = (np.arange(SUB_SLICES) - (SUB_SLICES - 1) / 2) * self.thickness / SUB_SLICES
        return (self.z[:, None] + steps).ravel().astype(np.float32)


@dataclass
class Canvas:
    """Signals (4, sub-slices, rows, columns) and, by slice, labels of structures and coverage by oedema."""

    grid: Grid
    tissue: dict[str, np.ndarray]
    signal: np.ndarray = field(init=False)
    labels: np.ndarray = field(init=False)
    oedema: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        slices, rows, columns = self.grid.shape
        self.signal = np.zeros((len(CHANNELS), slices * SUB_SLICES, rows, columns), np.float32)
        self.labels = np.zeros(self.grid.shape, np.uint8)
        self.oedema = np.zeros(self.grid.shape, np.float32)

    def box(self, centre: np.ndarray, reach: tuple[float, float, float]) -> Box | None:
        """The voxels within ``reach`` (x, y, z) of a point, in whole slices; None where there are none."""
        g = self.grid
        spans = []
        for values, at, by in (
            (g.z, centre[2], reach[2]),
            (g.y, centre[1], reach[1]),
            (g.x, centre[0], reach[0]),
        ):
            first, last = np.searchsorted(values, [at - by, at + by])
            if values is g.z:
                first, last = max(first - 1, 0), min(last + 1, len(values))
            spans.append((int(first), int(last)))
        if any(first >= last for first, last in spans):
            return None
        (z0, z1), (y0, y1), (x0, x1) = spans
        return slice(z0 * SUB_SLICES, z1 * SUB_SLICES), slice(y0, y1), slice(x0, x1)

    def size(self, box: Box) -> tuple[int, ...]:
        """Shape of a box."""
        return tuple(part.stop - part.start for part in box)

    def hull(self, boxes: list[Box]) -> Box:
        """The smallest box around boxes."""
        parts = zip(*boxes, strict=True)
        z, y, x = (slice(min(p.start for p in part), max(p.stop for p in part)) for part in parts)
        return z, y, x

    def within(self, box: Box, outer: Box) -> Box:
        """A box as indices into a larger one."""
        z, y, x = (slice(p.start - o.start, p.stop - o.start) for p, o in zip(box, outer, strict=True))
        return z, y, x

    def points(self, box: Box) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, y, z of the voxels of a box, ready to be broadcast."""
        g = self.grid
        x = g.x[box[2]].astype(np.float32)[None, None, :]
        y = g.y[box[1]].astype(np.float32)[None, :, None]
        return x, y, g.sub_slices()[box[0]][:, None, None]

    def paint(self, box: Box, cover: np.ndarray, what: str | np.ndarray) -> None:
        """Cover by a tissue, or by signals of shape (4, ...)."""
        values = self.tissue[what] if isinstance(what, str) else what
        for channel, value in zip(self.signal, values, strict=True):
            part = channel[box]
            part += cover * (value - part)

    def inside(self, distance: np.ndarray) -> np.ndarray:
        """Share of a voxel on the inner side of an edge at this distance in mm (positive inside)."""
        return np.clip(distance / np.float32(self.grid.pixel) + np.float32(0.5), 0, 1)

    def label(self, box: Box, cover: np.ndarray, number: int) -> None:
        """Give the slices' voxels that are at least half covered a label."""
        part = self.labels[slices_of(box)]
        part[over_slices(cover) >= 0.5] = number

    def add_oedema(self, box: Box, cover: np.ndarray) -> None:
        part = self.oedema[slices_of(box)]
        np.maximum(part, over_slices(cover), out=part)


def slices_of(box: Box) -> Box:
    """The box on slices of a box on sub-slices."""
    return slice(box[0].start // SUB_SLICES, box[0].stop // SUB_SLICES), box[1], box[2]


def over_slices(values: np.ndarray) -> np.ndarray:
    """Mean over the sub-slices of each slice, first axis."""
    return values.reshape(-1, SUB_SLICES, *values.shape[1:]).mean(axis=1)


@lru_cache(maxsize=1)
def texture_lattice() -> np.ndarray:
    """Three periodic fields of unit variance, fine to coarse, shape (128 * 128 * 128, 3)."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(20_261_130)
    noise = rng.normal(size=(LATTICE, LATTICE, LATTICE)).astype(np.float32)
    fields = [gaussian_filter(noise, sigma, mode="wrap") for sigma in (1.6, 4.5, 11.0)]
    return np.stack([(one / one.std()).ravel() for one in fields], axis=1)


def texture(seed: int, a: np.ndarray, h: np.ndarray, l: np.ndarray) -> np.ndarray:  # noqa: E741
    """The three fields at local coordinates in mm, shape (3, ...); the same place has the same texture."""
    start = np.random.default_rng([seed, 5]).integers(0, LATTICE, 3)
    at = [
        ((2.0 * c).astype(np.int32) + int(s)) & (LATTICE - 1) for c, s in zip((a, h, l), start, strict=True)
    ]
    index = (at[0] * LATTICE + at[1]) * LATTICE + at[2]
    return np.moveaxis(texture_lattice()[index], -1, 0)
