"""Pixels for networks: grey values, resampling, padding and tiles cut along a frame of reference."""

from __future__ import annotations

import cv2
import numpy as np

from models.common.frames import Frame

FINDER_STEP = 32  # rows and columns are padded to multiples of this


def as_grey(pixels: np.ndarray) -> np.ndarray:
    """float32 in [0, 1] between the 0.5 and 99.5 percent quantiles, uint16 and float alike; constant films
    give 0.
    """
    return np.asarray(np.clip(on_film_scale(pixels), 0, 1), dtype=np.float32)


def on_film_scale(pixels: np.ndarray) -> np.ndarray:
    """float32, 0 at the film's 0.5 percent quantile and 1 at its 99.5 percent quantile, nothing cut off."""
    grey = np.asarray(pixels, dtype=np.float32)
    low, high = np.quantile(grey[::4, ::4] if grey.size > 1e5 else grey, (0.005, 0.995))
    return np.asarray((grey - low) / max(float(high - low), 1e-6), dtype=np.float32)


def resample(grey: np.ndarray, spacing: tuple[float, float], mm: float) -> np.ndarray:
    """The film at ``mm`` a pixel in both directions (area mean when it gets smaller)."""
    rows = max(1, round(grey.shape[0] * spacing[0] / mm))
    columns = max(1, round(grey.shape[1] * spacing[1] / mm))
    smaller = rows <= grey.shape[0]
    return np.asarray(
        cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    )


def pad_to_step(image: np.ndarray, step: int = FINDER_STEP) -> np.ndarray:
    """The image with zeros added at the right and the bottom up to multiples of ``step``."""
    rows, columns = (-(-side // step) * step for side in image.shape)
    return np.pad(image, ((0, rows - image.shape[0]), (0, columns - image.shape[1])))


def cut_tile(
    grey: np.ndarray, spacing: tuple[float, float], frame: Frame, rows: int, columns: int
) -> np.ndarray:
    """float32 (rows, columns): the film under the frame, in [0, 1] between its own 1 and 99 percent
    quantiles.

    grey: the film at full resolution; spacing: its (row, column) mm. Outside the film is 0.
    """
    return stretch(under_frame(grey, spacing, frame, rows, columns))


def under_frame(
    grey: np.ndarray, spacing: tuple[float, float], frame: Frame, rows: int, columns: int
) -> np.ndarray:
    """(rows, columns): the film under the frame in its own greys; as :func:`cut_tile` otherwise. Sampled
    twice as finely as asked and averaged, so that film noise does not alias.
    """
    per_mm = np.array([1 / spacing[1], 1 / spacing[0]])
    along_x, along_y = frame.along_x / 2 * per_mm, frame.along_y / 2 * per_mm
    first = (
        frame.origin * per_mm + (along_x + along_y) / 2 - 0.5
    )  # film pixel index of the first sample's centre
    fine = cv2.warpAffine(
        grey,
        np.stack([along_x, along_y, first], axis=1),
        (2 * columns, 2 * rows),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    return np.asarray(cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA))


def stretch(tile: np.ndarray, step: int = 1) -> np.ndarray:
    """The tile between its 1 and 99 percent quantiles (of every ``step``-th pixel), float32 in [0, 1]."""
    low, high = np.quantile(tile[::step, ::step], (0.01, 0.99))
    return np.asarray(np.clip((tile - low) / max(float(high - low), 1e-6), 0, 1), dtype=np.float32)
