"""One vertebral body on one slice: its end plates and walls as lines, and so its halves and quadrants.

The lines follow the body, however it is tilted: no quadrant depends on the image's rows and columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MIN_PIXELS = 30
INNER = 0.7  # of a body's width (height), over which an end plate (wall) is fitted: corners are left out
ROUNDS = 4


@dataclass(frozen=True)
class Line:
    """Across = at + slope * along, in a body's own axes."""

    at: float
    slope: float

    def __call__(self, along: np.ndarray) -> np.ndarray:
        return np.asarray(self.at + self.slope * along)


@dataclass(frozen=True)
class Body:
    """A body on a slice. pixels (n, 2): rows and columns of its mask. forward, upward (n,): mm of each pixel
    along the body's axes, ``anterior`` and ``cranial`` (x, y). top, bottom: end plates, upward of forward;
    front, back: walls, forward of upward.
    """

    pixels: np.ndarray
    forward: np.ndarray
    upward: np.ndarray
    anterior: np.ndarray
    cranial: np.ndarray
    top: Line
    bottom: Line
    front: Line
    back: Line

    def axes(self, mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Forward and upward of points (n, 2) in mm."""
        return mm @ self.anterior, mm @ self.cranial

    def is_upper(self) -> np.ndarray:
        """(n,) the half nearer to the upper end plate."""
        return self.top(self.forward) - self.upward < self.upward - self.bottom(self.forward)

    def is_anterior(self) -> np.ndarray:
        """(n,) the half nearer to the anterior wall."""
        return self.front(self.upward) - self.forward < self.forward - self.back(self.upward)

    def is_central(self) -> np.ndarray:
        """(n,) the middle third between the end plates and between the walls."""
        height = self.top(self.forward) - self.bottom(self.forward)
        depth = self.front(self.upward) - self.back(self.upward)
        up = (self.upward - self.bottom(self.forward)) / np.maximum(height, 1e-6)
        ahead = (self.forward - self.back(self.upward)) / np.maximum(depth, 1e-6)
        return np.asarray((np.abs(up - 0.5) < 1 / 6) & (np.abs(ahead - 0.5) < 1 / 6))


def body_of(
    mask: np.ndarray, pixel_mm: tuple[float, float], cranial: np.ndarray, anterior: np.ndarray
) -> Body | None:
    """The body of a mask (rows, columns); None where it is too small for end plates and walls.

    cranial: roughly the way up the spine here, anterior: roughly forwards; unit vectors (x, y) in mm.
    """
    pixels = np.argwhere(mask)
    if len(pixels) < MIN_PIXELS:
        return None
    size = np.array(pixel_mm)
    mm = pixels[:, ::-1] * size
    ahead = np.array([-cranial[1], cranial[0]])
    ahead = ahead if ahead @ anterior > 0 else -ahead
    for _ in range(ROUNDS):
        forward, upward = mm @ ahead, mm @ cranial
        plates = _edges(forward, upward, extent(ahead, size), extent(cranial, size))
        if plates is None:
            return None
        turn = np.arctan((plates[0].slope + plates[1].slope) / 2)
        ahead, cranial = (
            np.cos(turn) * ahead + np.sin(turn) * cranial,
            np.cos(turn) * cranial - np.sin(turn) * ahead,
        )
    forward, upward = mm @ ahead, mm @ cranial
    long, high = extent(ahead, size), extent(cranial, size)
    plates, walls = _edges(forward, upward, long, high), _edges(upward, forward, high, long)
    if plates is None or walls is None:
        return None
    return Body(pixels, forward, upward, ahead, cranial, *plates, *walls)


def extent(direction: np.ndarray, pixel_mm: tuple[float, float] | np.ndarray) -> float:
    """mm of a pixel along a unit vector (x, y)."""
    return float(np.abs(direction) @ np.array(pixel_mm))


def _edges(along: np.ndarray, across: np.ndarray, width: float, height: float) -> tuple[Line, Line] | None:
    """The far and the near edge of points as lines, by the median of slopes (Theil-Sen); None where there is
    too little of them. width, height: of a pixel along the edge and across it.
    """
    middle, half = (along.max() + along.min()) / 2, np.ptp(along) / 2
    inner = np.abs(along - middle) <= INNER * half
    bins = np.floor((along[inner] - middle) / width).astype(int)
    numbers, place = np.unique(bins, return_inverse=True)
    if len(numbers) < 4:
        return None
    far, near = np.full(len(numbers), -np.inf), np.full(len(numbers), np.inf)
    np.maximum.at(far, place, across[inner])
    np.minimum.at(near, place, across[inner])
    at = middle + (numbers + 0.5) * width
    return _line(at, far + height / 2), _line(at, near - height / 2)


def _line(along: np.ndarray, across: np.ndarray) -> Line:
    first, second = np.triu_indices(len(along), 1)
    slope = float(np.median((across[second] - across[first]) / (along[second] - along[first])))
    return Line(float(np.median(across - slope * along)), slope)
