"""Masks as outlines of few points, for the store and the screen."""

from __future__ import annotations

import cv2
import numpy as np

FINE = 4  # parts of a pixel, so that an outline runs along the edges of pixels and not through their middles
TOLERANCE = 0.6  # pixels by which a simplified outline may lie beside the edge

Polygon = tuple[tuple[float, float], ...]


def polygons_of(mask: np.ndarray) -> list[Polygon]:
    """The outer outlines (x, y) of a mask (rows, columns), one a connected piece, the largest first.

    (0, 0) is the upper left corner of the upper left pixel. Pixels that touch at a corner are of one piece.
    """
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    if not len(rows):
        return []
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.uint8)
    fine = np.pad(np.kron(part, np.ones((FINE, FINE), np.uint8)), 1)
    contours, _ = cv2.findContours(fine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contours = sorted(contours, key=lambda one: (-cv2.contourArea(one), one.min(axis=(0, 1)).tolist()))
    corner = np.array([columns[0], rows[0]])
    return [tuple((float(x), float(y)) for x, y in (_simple(one) - 0.5) / FINE + corner) for one in contours]


def _simple(contour: np.ndarray) -> np.ndarray:
    """(n, 2) with three corners or more; what is too small for that keeps all of them."""
    for tolerance in (TOLERANCE * FINE, 1.0):
        found = cv2.approxPolyDP(contour, tolerance, closed=True).reshape(-1, 2)
        if len(found) > 2:
            break
    return np.asarray(found)
