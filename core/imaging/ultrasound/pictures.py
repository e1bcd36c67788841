"""The scan as a network takes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.domain import Box, Image
from core.imaging.ultrasound.areas import scan_area
from core.imaging.ultrasound.drawn import furniture_of
from core.imaging.ultrasound.marks import Orientation, orientation_of
from core.imaging.ultrasound.pixels import brightest_of, in_colour, part_of


def for_network(image: Image, frame: int = 0, size: int = 160) -> np.ndarray:
    """The scan of one frame for a network: uint8 (size, size, 3); see ``pictures_for_network``."""
    picture: np.ndarray = pictures_for_network(image, (frame,), size)[0]
    return picture


def pictures_for_network(image: Image, frames: Sequence[int], size: int = 160) -> np.ndarray:
    """The scan of some frames for a network: uint8 (n, size, size, 3), furniture filled with what is around
    it, millimetres as long down as across, black beside it.

    The probe is above and its mark on the left: a picture whose mark is seen elsewhere is turned
    (``orientation`` says so); without a mark it stays as it is. Where no scan is found the whole picture is.
    """
    area, shown = scan_area(image), brightest_of(image)
    rows, columns = image.frames.shape[1:]
    box = area.box if area is not None else Box(0, 0, columns, rows)
    hidden = part_of(furniture_of(image, shown, area), box)
    turned = Orientation() if area is None else orientation_of(shown, box)
    mm = (area.mm_per_pixel if area is not None else None) or image.spacing_mm or (1.0, 1.0)
    pictures = np.zeros((len(frames), size, size, 3), np.uint8)
    for place, frame in enumerate(frames):
        cut = _without(part_of(in_colour(image, frame), box), hidden)
        cut = cut[::-1] if turned.is_upside_down else cut
        cut = cut[:, ::-1] if turned.is_mirrored else cut
        pictures[place] = _square(cut, mm, size)
    return pictures


def _without(cut: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The picture with hidden pixels as bright as what is around them."""
    import cv2

    if not hidden.any():
        return cut
    small = (max(1, cut.shape[1] // 4), max(1, cut.shape[0] // 4))
    seen = cv2.resize((~hidden).astype(np.float32), small, interpolation=cv2.INTER_AREA)
    lit = cv2.resize(np.where(hidden[..., None], np.uint8(0), cut), small, interpolation=cv2.INTER_AREA)
    around = cv2.blur(lit.astype(np.float32), (9, 9)) / np.maximum(cv2.blur(seen, (9, 9)), 1e-3)[..., None]
    filling = cv2.resize(np.clip(around, 0, 255).astype(np.uint8), cut.shape[1::-1])
    filled: np.ndarray = np.where(hidden[..., None], filling, cut)
    return filled


def _square(cut: np.ndarray, mm: tuple[float, float], size: int) -> np.ndarray:
    """The picture, as long down as across by millimetres, in the upper middle of a black square."""
    import cv2

    high, wide = cut.shape[0] * mm[0], cut.shape[1] * mm[1]
    scale = size / max(high, wide)
    shape = max(1, round(wide * scale)), max(1, round(high * scale))
    smaller = cv2.resize(np.ascontiguousarray(cut), shape, interpolation=cv2.INTER_AREA)
    square = np.zeros((size, size, 3), np.uint8)
    left = (size - shape[0]) // 2
    square[: shape[1], left : left + shape[0]] = smaller
    return square
