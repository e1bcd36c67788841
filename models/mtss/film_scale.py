"""The scale at which the joint detectors see a film, and coordinates to and from it."""

from __future__ import annotations

import cv2
import numpy as np

HALF_SIZE_MM = 0.30  # pixel of a halved film of 0.15 mm
HALF = 0.5  # the factor where the file states no pixel size


def half_size(
    pixels: np.ndarray, spacing_mm: tuple[float, float] | None = None
) -> tuple[np.ndarray, tuple[float, float]]:
    """The film at 0.30 mm a pixel (half size where the spacing is not stated), and the factors (x, y) used.

    pixels: (rows, columns), bone bright. Returns float32 in [0, 1] between the film's 0.5th and 99.8th
    percentile; a film of one grey is all 0.
    """
    across, down = (HALF, HALF)
    if spacing_mm is not None:
        down, across = spacing_mm[0] / HALF_SIZE_MM, spacing_mm[1] / HALF_SIZE_MM
    rows, columns = pixels.shape
    size = (max(1, round(columns * across)), max(1, round(rows * down)))
    shrinks = size[0] <= columns and size[1] <= rows
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = pixels.astype(np.float32)
    if size != (columns, rows):
        small = cv2.resize(small, size, interpolation=method)
    low, high = np.percentile(small[::2, ::2], (0.5, 99.8))
    grey = np.clip((small - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
    return np.asarray(grey), (size[0] / columns, size[1] / rows)


def to_film(boxes: np.ndarray, factors: tuple[float, float]) -> np.ndarray:
    """(n, 4) corners on the half-size film -> pixels of the film. factors: (x, y) of :func:`half_size`."""
    return np.asarray(boxes / np.array([*factors, *factors]))


def to_half_size(boxes: np.ndarray, factors: tuple[float, float]) -> np.ndarray:
    """(n, 4) corners in pixels of the film -> corners on the half-size film."""
    return np.asarray(boxes * np.array([*factors, *factors]))
