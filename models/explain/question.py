"""What a map is asked, whatever the network: a class at a box, on the pictures that the network looks at."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from models.common.frames import Frame


@dataclass(frozen=True)
class Picture:
    """A network's input, (rows, columns) in [0, 1], with where it lies on the film.

    frame: film millimetres of its pixels, in the film's mirror image where ``mirrored``.
    """

    grey: np.ndarray
    frame: Frame
    spacing_mm: tuple[float, float]
    mirrored: bool

    @property
    def tensor(self) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(self.grey))[None, None]

    def cut(self, film_mask: np.ndarray) -> np.ndarray:
        """A mask of the whole film, as the network's input lies: share of each pixel inside, 0 to 1."""
        mask = np.ascontiguousarray(film_mask[:, ::-1] if self.mirrored else film_mask).astype(np.float32)
        per_mm = np.array([1 / self.spacing_mm[1], 1 / self.spacing_mm[0]])
        along_x, along_y = self.frame.along_x / 3 * per_mm, self.frame.along_y / 3 * per_mm
        first = self.frame.origin * per_mm + (along_x + along_y) / 2 - 0.5
        rows, columns = self.grey.shape
        way = np.stack([along_x, along_y, first], axis=1)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        fine = cv2.warpAffine(mask, way, (3 * columns, 3 * rows), flags=flags)
        return np.asarray(cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA))


@dataclass(frozen=True)
class Question:
    """What a map is asked: a class at a box, on the pictures that the scorer looks at.

    views: pictures with the box on each, (x0, y0, x1, y1) in its pixels; the map lies on the first of them. A
    grade is the mean over the views, and so is its map.
    """

    network: str
    name: str
    views: tuple[tuple[Picture, np.ndarray], ...]
    column: int

    @property
    def picture(self) -> Picture:
        return self.views[0][0]

    @property
    def box(self) -> np.ndarray:
        return self.views[0][1]


def laid_on(heat: np.ndarray, own: Picture, other: Picture) -> np.ndarray:
    """A map of one picture as it lies on another one of the same film that is shifted against it."""
    across, down = other.frame.to_tile(own.frame.origin[None])[0]
    if not (across or down):
        return heat
    way = np.array([[1.0, 0.0, across], [0.0, 1.0, down]])
    return np.asarray(cv2.warpAffine(heat, way, heat.shape[::-1]))


def spread(coarse: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A layer's map at the size of the picture, scaled to a largest value of 1."""
    fine = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    top = float(fine.max())
    return np.asarray(fine / top if top > 0 else np.zeros_like(fine), dtype=np.float32)
