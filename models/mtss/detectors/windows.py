"""Windows of 300 x 300 pixels that are slid over the half-size film, and boxes mapped back to the film.

Sci Rep 2024;14:7696: films of about 2010 x 1670 are halved and scanned at a stride of 150 pixels; what lies
beyond the film is zero.
"""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 300
STRIDE = 150
EMPTY = 0.22  # a window whose contrast is below this share of the film's shows air only
COARSE = 10  # pixels averaged before contrast is measured, so that noise does not count


def origins(rows: int, columns: int) -> np.ndarray:
    """(n, 2) x and y of the windows' upper left corners, row by row, covering every pixel.

    The first window starts at (0, 0); the last one of a row or column reaches the film's edge or beyond it.
    """
    across, down = (
        np.arange(0, max(length - SIDE, 0) + STRIDE, STRIDE)[: _count(length)] for length in (columns, rows)
    )
    x, y = np.meshgrid(across, down)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _count(length: int) -> int:
    return 1 + int(np.ceil(max(length - SIDE, 0) / STRIDE))


def cut(film: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """The (300, 300) window at x, y of ``origin``, zero beyond the film."""
    x, y = int(origin[0]), int(origin[1])
    window = np.zeros((SIDE, SIDE), film.dtype)
    top, left, bottom, right = (
        max(y, 0),
        max(x, 0),
        min(y + SIDE, film.shape[0]),
        min(x + SIDE, film.shape[1]),
    )
    if bottom > top and right > left:
        window[top - y : bottom - y, left - x : right - x] = film[top:bottom, left:right]
    return window


def to_scan(boxes: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """(n, 4) corners in a window -> corners on the half-size film."""
    return np.asarray(boxes + np.tile(np.asarray(origin, float), 2))


def contrast(grey: np.ndarray) -> float:
    """98th less 2nd percentile of means over blocks of 10 x 10 pixels."""
    size = (max(1, grey.shape[1] // COARSE), max(1, grey.shape[0] // COARSE))
    coarse = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    low, high = np.percentile(coarse, (2, 98))
    return float(high - low)


def has_content(film: np.ndarray, places: np.ndarray, least: float = EMPTY) -> np.ndarray:
    """(n,) whether the film inside each window has at least ``least`` of the whole film's contrast.

    Padding does not count. A film without contrast has no content anywhere.
    """
    whole = contrast(film)
    if whole <= 1e-6:
        return np.zeros(len(places), dtype=bool)
    return np.array(
        [contrast(film[max(y, 0) : y + SIDE, max(x, 0) : x + SIDE]) >= least * whole for x, y in places]
    )
