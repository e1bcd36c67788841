"""A small square of a film around one site, as a picture with its box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.domain import Box
from core.imaging.overlays import film_grey

QUALITY = 88  # of the JPEG
CONTEXT = 3.0  # side of the square, in sides of the box
MIN_MM, MAX_MM = 16.0, 60.0

SHOWN_PERCENT = (0.5, 99.5)
MIN_PROPORTION = 0.25

Spacing = tuple[float, float]  # mm between rows, between columns
Range = tuple[float, float]  # lowest and highest grey value shown


@dataclass(frozen=True)
class Window:
    """What is cut out: a square of ``side`` mm (pixels where the film has no spacing) about a centre.

    centre: (x, y) in film pixels.
    """

    centre: tuple[float, float]
    side: float
    spacing: Spacing

    @property
    def film_box(self) -> Box:
        """The square in film pixels; it may reach over the film's edge."""
        wide, high = self.side / self.spacing[1], self.side / self.spacing[0]
        x, y = self.centre
        return Box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def side_for(boxes: list[tuple[Box, Spacing | None]]) -> float:
    """One side for pictures that are compared: three times the largest box, in mm, within sensible limits.

    In film pixels, without limits, where a film has no spacing. boxes: (box, the film's spacing).
    """
    if any(spacing is None for _, spacing in boxes):
        return CONTEXT * max(max(box.x1 - box.x0, box.y1 - box.y0) for box, _ in boxes)
    largest = max(
        max((box.x1 - box.x0) * spacing[1], (box.y1 - box.y0) * spacing[0])
        for box, spacing in boxes
        if spacing is not None
    )
    return float(np.clip(CONTEXT * largest, MIN_MM, MAX_MM))


def crop(pixels: np.ndarray, window: Window, size: int) -> np.ndarray:
    """The window of a film as ``size`` x ``size`` grey values (float32); beyond the film's edge it is 0.

    pixels: (rows, columns), of a picture in colour with three values each behind, which the window keeps.
    """
    import cv2

    part = window.film_box
    x0, y0 = int(np.floor(part.x0)), int(np.floor(part.y0))
    x1, y1 = int(np.ceil(part.x1)), int(np.ceil(part.y1))
    rows, columns, channels = *pixels.shape[:2], pixels.shape[2:]
    cut = np.zeros((max(1, y1 - y0), max(1, x1 - x0), *channels), np.float32)
    top, left = max(y0, 0), max(x0, 0)
    bottom, right = min(y1, rows), min(x1, columns)
    if bottom > top and right > left:
        cut[top - y0 : bottom - y0, left - x0 : right - x0] = pixels[top:bottom, left:right]
    scale = size / (part.x1 - part.x0), size / (part.y1 - part.y0)
    how = cv2.INTER_AREA if min(scale) < 1 else cv2.INTER_CUBIC
    whole = (max(1, round(cut.shape[1] * scale[0])), max(1, round(cut.shape[0] * scale[1])))
    shown = cv2.resize(cut, whole, interpolation=how)
    away = round((part.x0 - x0) * scale[0]), round((part.y0 - y0) * scale[1])
    held = np.zeros((size, size, *channels), np.float32)
    inside = shown[away[1] : away[1] + size, away[0] : away[0] + size]
    held[: inside.shape[0], : inside.shape[1]] = inside
    return held


def box_on(window: Window, box: Box, size: int) -> Box:
    """Where a box of the film lies on the picture, in its pixels."""
    part = window.film_box
    x, y = size / (part.x1 - part.x0), size / (part.y1 - part.y0)
    return Box((box.x0 - part.x0) * x, (box.y0 - part.y0) * y, (box.x1 - part.x0) * x, (box.y1 - part.y0) * y)


def shown_range(grey: np.ndarray, film: Range) -> Range:
    """Grey values that become black and white: those of the cut, spread so far that noise does not fill it.

    film: the range that the whole film is shown with, of which a cut gets at least a quarter.
    """
    low, high = (float(value) for value in np.percentile(grey, SHOWN_PERCENT))
    lacking = MIN_PROPORTION * (film[1] - film[0]) - (high - low)
    return (low - lacking / 2, high + lacking / 2) if lacking > 0 else (low, high)


def jpeg(grey: np.ndarray, shown: Range) -> bytes:
    """A cut as JPEG; shown: see ``shown_range``."""
    return _encoded(film_grey(grey, shown))


def colour_jpeg(cut: np.ndarray) -> bytes:
    """A cut in red, green and blue of 0 to 255 as JPEG."""
    return _encoded(np.clip(cut[..., ::-1], 0, 255).astype(np.uint8))


def _encoded(picture: np.ndarray) -> bytes:
    import cv2

    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise RuntimeError("a picture of 8 bits could not be encoded")
    return bytes(data)
