"""How a scan lies in the picture that the networks see, so that masks of it can be laid on the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.domain import Box, Image
from core.imaging.ultrasound import Orientation, orientation, scan_area


@dataclass(frozen=True)
class View:
    """The scan in a square picture. box: in the image. turned: how it was turned. mm: of a pixel of the image
    (rows, columns). size: side of the picture.
    """

    box: Box
    turned: Orientation
    mm: tuple[float, float]
    size: int

    @property
    def mm_per_pixel(self) -> float:
        """Of the picture."""
        return max(self._extent) / self.size

    @property
    def inside(self) -> np.ndarray:
        """Where in the picture the scan is: x0, y0, x1, y1."""
        high, wide = (max(1, round(length / self.mm_per_pixel)) for length in self._extent)
        left = (self.size - wide) // 2
        return np.array([left, 0, left + wide, high], float)

    @property
    def _extent(self) -> tuple[float, float]:
        """Millimetres down and across."""
        (x0, x1), (y0, y1) = self._whole
        return (y1 - y0) * self.mm[0], (x1 - x0) * self.mm[1]

    @property
    def _whole(self) -> tuple[tuple[int, int], tuple[int, int]]:
        box = self.box
        return (round(box.x0), round(box.x1)), (round(box.y0), round(box.y1))

    def laid(self, mask: np.ndarray) -> np.ndarray:
        """A mask of the image (rows, columns) as it lies in the picture: share of each pixel, 0 to 1."""
        (x0, x1), (y0, y1) = self._whole
        cut = mask[y0:y1, x0:x1].astype(np.float32)
        cut = cut[::-1] if self.turned.is_upside_down else cut
        cut = cut[:, ::-1] if self.turned.is_mirrored else cut
        left, top, right, bottom = self.inside.astype(int)
        found = np.zeros((self.size, self.size), np.float32)
        shape = (right - left, bottom - top)
        found[top:bottom, left:right] = cv2.resize(
            np.ascontiguousarray(cut), shape, interpolation=cv2.INTER_AREA
        )
        return found


def view_of(image: Image, size: int) -> View:
    """How ``core.imaging.ultrasound.for_network`` lays the image."""
    area = scan_area(image)
    rows, columns = image.frames.shape[1:]
    box = area.box if area is not None else Box(0, 0, columns, rows)
    turned = Orientation() if area is None else orientation(image)
    mm = (area.mm_per_pixel if area is not None else None) or image.spacing_mm or (1.0, 1.0)
    return View(box, turned, mm, size)
