"""The planes of a volume that a file holds as one block (MetaImage, NIfTI), and where each lies.

Coordinates are those of DICOM: millimetres towards the left, the back and the head. A plane is turned so that
it is seen as usual: the head or the front at the top, the back or the left at the right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SAGITTAL, CORONAL, AXIAL = range(3)  # the coordinate across the plane
_LEFT, _BACK, _HEAD = range(3)
# plane -> coordinate and direction that its rows run to, then that of its columns
_SEEN = {
    SAGITTAL: ((_BACK, 1.0), (_HEAD, -1.0)),
    CORONAL: ((_LEFT, 1.0), (_HEAD, -1.0)),
    AXIAL: ((_LEFT, 1.0), (_BACK, 1.0)),
}
_THICKER = 1.2  # by which the distance between slices is larger than that between pixels, as a proportion


@dataclass(frozen=True)
class Grid:
    """size, spacing, offset: by axis (first, second, third). directions (3, 3): a row an axis, length 1."""

    size: tuple[int, int, int]
    spacing: tuple[float, ...]
    directions: np.ndarray
    offset: np.ndarray

    @property
    def across(self) -> int:
        """The axis that runs most from side to side."""
        return int(np.argmax(np.abs(self.directions[:, _LEFT])))

    @property
    def thickest(self) -> int:
        """The axis along which slices were taken: that of the widest distance; the third where none is."""
        widest = int(np.argmax(self.spacing))
        others = [self.spacing[axis] for axis in range(3) if axis != widest]
        return widest if self.spacing[widest] > _THICKER * max(others) else 2


@dataclass(frozen=True)
class Planes:
    """frames: (planes, rows, columns). positions: of each plane's first pixel, (planes, 3). orientation: of a
    row, then of a column. spacing: between rows, columns, planes.
    """

    frames: np.ndarray
    positions: np.ndarray
    orientation: tuple[float, ...]
    spacing: tuple[float, float, float]


def planes_of(values: np.ndarray, grid: Grid, across: int, *, plane: int | None = None) -> Planes:
    """The planes across an axis. values: (third, second, first) as such files hold them. plane: ``SAGITTAL``,
    ``CORONAL`` or ``AXIAL``; the nearest one where it is not given.
    """
    nearest = int(np.argmax(np.abs(grid.directions[across])))
    row_runs, column_runs = _SEEN[nearest if plane is None else plane]
    others = [axis for axis in range(3) if axis != across]
    right = max(others, key=lambda axis: abs(grid.directions[axis, row_runs[0]]))
    down = next(axis for axis in others if axis != right)
    frames = np.moveaxis(values, (2 - across, 2 - down, 2 - right), (0, 1, 2))
    first, towards = grid.offset, {}
    for axis, place, (coordinate, sign) in ((down, 1, column_runs), (right, 2, row_runs)):
        towards[axis] = 1.0 if grid.directions[axis, coordinate] * sign >= 0 else -1.0
        if towards[axis] < 0:
            frames = np.flip(frames, axis=place)
            first = first + grid.directions[axis] * grid.spacing[axis] * (grid.size[axis] - 1)
    steps = np.arange(grid.size[across])[:, None] * grid.directions[across] * grid.spacing[across]
    return Planes(
        frames,
        first + steps,
        (*(towards[right] * grid.directions[right]), *(towards[down] * grid.directions[down])),
        (grid.spacing[down], grid.spacing[right], grid.spacing[across]),
    )
