"""A frame of reference on a film, in mm, and the tile that is cut along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Frame:
    """How the tile of one unit lies on the film.

    Tile x runs from anterior to posterior, tile y down the spine, so that every tile looks the same:
    anterior on the left, head at the top, whatever the film's tilt or side.
    origin: film point (mm) of the tile's upper left corner. along_x, along_y: mm on the film for one tile
    pixel.
    """

    origin: np.ndarray
    along_x: np.ndarray
    along_y: np.ndarray

    @property
    def mm_per_pixel(self) -> float:
        return float(np.linalg.norm(self.along_x))

    def to_film(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) tile pixels -> film mm."""
        return np.asarray(self.origin + points[:, :1] * self.along_x + points[:, 1:] * self.along_y)

    def to_tile(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) film mm -> tile pixels."""
        basis = np.stack([self.along_x, self.along_y], axis=1)
        return np.asarray(np.linalg.solve(basis, (points - self.origin).T).T)


@dataclass(frozen=True)
class TileShape:
    """A tile's size in pixels, its scale, and where the unit's midpoint lies across it (fraction of the
    width).
    """

    rows: int
    columns: int
    mm_per_pixel: float
    midpoint_x: float
