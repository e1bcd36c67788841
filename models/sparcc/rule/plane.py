"""Where a sagittal stack lies: mm in its plane, the ways up and forwards, which slices are neighbours.

In-plane coordinates are mm (x along a row, y down a column) from the upper left pixel's centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.domain import Image
from core.imaging.stacks import SAME_PLACE_MM, along_normal, are_neighbours

SAGITTAL = 0.7  # cosine between slice normal and left-right axis from which on a stack is sagittal


@dataclass(frozen=True)
class Plane:
    """pixel_mm: (x, y) size of a pixel. cranial, anterior: unit vectors (x, y). places: of each frame along
    the normal, mm, growing to the patient's right whichever way the stack was taken. order: frames by place,
    the one furthest to the left first. step: usual distance of neighbours.
    """

    pixel_mm: tuple[float, float]
    cranial: np.ndarray
    anterior: np.ndarray
    places: np.ndarray
    order: tuple[int, ...]
    step: float

    @property
    def pixel_area(self) -> float:
        """mm2 of a pixel."""
        return self.pixel_mm[0] * self.pixel_mm[1]

    def mm(self, pixels: np.ndarray) -> np.ndarray:
        """(n, 2) rows and columns -> (n, 2) x and y in mm."""
        return np.asarray(pixels[:, ::-1] * np.array(self.pixel_mm))

    def windows(self, wide_gap: float) -> list[tuple[int, int, int]]:
        """Every three frames that follow each other along the normal without a gap."""
        fine = are_neighbours(self.places[list(self.order)], wide_gap)
        threes = zip(self.order, self.order[1:], self.order[2:], strict=False)
        return [three for at, three in enumerate(threes) if fine[at] and fine[at + 1]]


def plane_of(image: Image) -> Plane | str:
    """The plane of a stack, or why the rule cannot be used on it."""
    if image.spacing_mm is None:
        return "the file does not say how large its pixels are, and depth is measured in mm"
    if image.orientation is None or image.positions_mm is None:
        return "the files do not say where its slices lie"
    if len(image.frames) < 3:
        return f"{len(image.frames)} slices: a unit is read on three consecutive ones"
    row, column = (np.array(direction) for direction in image.orientation)
    normal = np.cross(row, column)
    if abs(normal[0]) < SAGITTAL:
        return "its slices are not sagittal"
    places = along_normal(image.positions_mm, image.orientation) * -np.sign(normal[0])
    order = np.argsort(places, kind="stable")
    gaps = np.diff(places[order])
    if gaps.min() < SAME_PLACE_MM:
        return "two slices lie at one place"
    return Plane(
        pixel_mm=(image.spacing_mm[1], image.spacing_mm[0]),
        cranial=_unit(row[2], column[2]),
        anterior=_unit(-row[1], -column[1]),
        places=places,
        order=tuple(int(frame) for frame in order),
        step=float(np.median(gaps)),
    )


def _unit(x: float, y: float) -> np.ndarray:
    vector = np.array([x, y])
    return np.asarray(vector / np.linalg.norm(vector))
