"""A film with boxes drawn on it, as a picture: for reports and tests; pages draw in the browser."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from core.domain import Box, Film, Finding
from core.figures.style import grade_colour


def film_grey(pixels: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """The film as uint8, same shape: ``window[0]`` and below black, ``window[1]`` and above white."""
    low, high = window
    scaled = (pixels.astype(np.float32) - low) * (255.0 / max(1.0, high - low))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def overlay(
    film: Film, findings: Iterable[Finding], window: tuple[float, float], *, width: int = 3
) -> np.ndarray:
    """Film and boxes as uint8 RGB, shape (rows, columns, 3); boxes in the colour of their grade.

    width: of the lines, in film pixels. Findings without a box are not drawn. The film is not changed.
    """
    picture = np.repeat(film_grey(film.pixels, window)[:, :, None], 3, axis=2)
    for finding in findings:
        if finding.box is not None:
            _draw(picture, finding.box, _rgb(grade_colour(finding.grade)), width)
    return picture


def _draw(picture: np.ndarray, box: Box, colour: tuple[int, int, int], width: int) -> None:
    rows, columns, _ = picture.shape
    x0, x1 = (int(np.clip(round(x), 0, columns)) for x in (box.x0, box.x1))
    y0, y1 = (int(np.clip(round(y), 0, rows)) for y in (box.y0, box.y1))
    inner = (slice(y0 + width, max(y0 + width, y1 - width)), slice(x0 + width, max(x0 + width, x1 - width)))
    kept = picture[inner].copy()
    picture[y0:y1, x0:x1] = colour
    picture[inner] = kept


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
