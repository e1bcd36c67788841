"""A sagittal stack the way the network knows it, head up and front to the left, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.domain import Image
from core.imaging.stacks import along_normal

ALIGNED = 0.7  # cosine from which on a direction of the image is one of the patient's
USUAL_STEP_MM = 4.0  # between slices, where the files do not say


@dataclass(frozen=True)
class Upright:
    """order: frames by their place. rows, columns: 1 or -1, which way through them. step_mm: of slices.
    places_mm: along the slice normal, of frames in that order.
    """

    order: np.ndarray
    rows: int
    columns: int
    step_mm: float
    places_mm: np.ndarray

    def stand(self, frames: np.ndarray) -> np.ndarray:
        """Frames (n, rows, columns) as the network knows them."""
        return np.asarray(frames[self.order][:, :: self.rows, :: self.columns])

    def back(self, frames: np.ndarray) -> np.ndarray:
        """(..., n, rows, columns) as the network knows them, in the order and direction of the image."""
        found = np.empty_like(frames)
        found[..., self.order, :, :] = frames[..., :: self.rows, :: self.columns]
        return found


def upright(image: Image) -> Upright | str:
    """How a stack must be turned, or why it cannot be. One whose files do not say where they lie is taken as
    it is.
    """
    count = len(image.frames)
    if image.orientation is None:
        step = image.slice_spacing_mm or USUAL_STEP_MM
        return Upright(np.arange(count), 1, 1, step, step * np.arange(count))
    row, column = (np.array(direction) for direction in image.orientation)
    if abs(np.cross(row, column)[0]) < ALIGNED:
        return "its slices are not sagittal"
    if abs(row[1]) < ALIGNED:
        return "its rows do not run from front to back"
    order, step = np.arange(count), image.slice_spacing_mm or USUAL_STEP_MM
    places = step * order
    if image.positions_mm is not None and count > 1:
        places = along_normal(image.positions_mm, image.orientation)
        order = np.argsort(places, kind="stable")
        places = places[order]
        step = float(np.median(np.diff(places))) or step
    return Upright(order, 1 if column[2] < 0 else -1, 1 if row[1] > 0 else -1, step, places)
