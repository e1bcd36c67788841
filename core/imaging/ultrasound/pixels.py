"""Pixels of an ultrasound picture, whatever they show: bytes, brightness, parts of it."""

from __future__ import annotations

import numpy as np

from core.domain import Box, Image

BLACK = 10  # of 255; darker is the empty screen
PIECE = 6  # pixels of a piece, at least
LOOKED_AT = 9  # frames of a cine that are compared


def size_of(box: Box) -> float:
    """Square pixels of a box."""
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def part_of(picture: np.ndarray, box: Box) -> np.ndarray:
    """The part of a picture that a box holds, without a copy."""
    return picture[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)]


def within(box: Box, shape: tuple[int, ...]) -> np.ndarray:
    """A mask that is true inside of a box."""
    inside = np.zeros(shape, bool)
    part_of(inside, box)[:] = True
    return inside


def brightest_of(image: Image) -> np.ndarray:
    """One picture of all frames, uint8 (rows, columns) or (rows, columns, 3): the brightest of each pixel."""
    chosen = some_frames(len(image.frames))
    frames = image.frames if image.colour is None else image.colour
    brightest: np.ndarray = frames[chosen[0]] if len(chosen) == 1 else frames[chosen].max(axis=0)
    return brightest if image.colour is not None else bytes_of(brightest)


def some_frames(count: int) -> list[int]:
    """Places of some frames, from the first to the last."""
    return sorted({round(place * (count - 1) / (LOOKED_AT - 1)) for place in range(LOOKED_AT)})


def strongest_channel(picture: np.ndarray) -> np.ndarray:
    """The brightest channel of each pixel; a grey picture is its own."""
    import cv2

    if picture.ndim == 2:
        return picture
    red, green, blue = cv2.split(np.ascontiguousarray(picture))
    strongest: np.ndarray = cv2.max(cv2.max(red, green), blue)
    return strongest


def bytes_of(grey: np.ndarray) -> np.ndarray:
    """Grey values as bytes: as they are where they fit, else with the brightest as 255."""
    if grey.dtype == np.uint8:
        return grey
    top = float(grey.max(initial=0))
    factor = 1.0 if top <= 255 and grey.dtype.kind in "iu" else 255 / max(top, 1e-9)
    return np.clip(np.rint(grey * factor), 0, 255).astype(np.uint8)


def grey_of(picture: np.ndarray) -> np.ndarray:
    """Brightness of bytes (Rec. 601), uint8."""
    import cv2

    if picture.ndim == 2:
        return picture
    grey: np.ndarray = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    return grey


def in_colour(image: Image, frame: int) -> np.ndarray:
    """A frame as uint8 (rows, columns, 3)."""
    if image.colour is not None:
        return image.colour[frame]
    return np.repeat(bytes_of(image.frames[frame])[..., None], 3, axis=2)


def patches(mask: np.ndarray) -> np.ndarray:
    """The mask without single pixels that are the same by chance."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    keeps = stats[:count, 4] >= PIECE
    keeps[0] = False
    kept: np.ndarray = keeps[labels]
    return kept
