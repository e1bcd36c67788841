"""T2 brought near to fat suppression: marrow and other fat darker, CSF, discs and noise as they are.

What is fat cannot be told from T2 alone. Marrow is known from the labels; outside bodies, discs and canal all
that is bright is taken for fat. So bladder and vessels become dark too, and epidural fat stays bright.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from models.sparcc.drawn.measured import Measured

MARROW = 0.32  # of CSF, as in the one real fat-suppressed exam
FAT = 0.22  # of CSF that is left of bright fat
SMOOTH_MM = 2.0  # above which a difference of signal is one of tissue, not of noise
DISC_MM = 16  # highest gap between two labelled bodies that is a disc
CANAL_MM = 17.0  # how far behind bodies and discs the canal reaches
BEYOND_MM = 45.0  # of the column below and above its labelled ends where the canal is taken to go on


def near_stir(found: Measured) -> np.ndarray:
    """float32 frames of a T2 volume with contrast near to STIR."""
    frames, labels = found.volume.frames, found.volume.labels
    csf = float(np.median(list(found.csf.values())))
    result = np.empty_like(frames)
    for number, frame in enumerate(frames):
        body, spared = _soft(labels[number] > 0, 1.0), _soft(_spared(labels[number] > 0), 1.5)
        tissue = ndimage.gaussian_filter(frame, SMOOTH_MM)
        outside = tissue * _share(tissue / csf)
        within = tissue * min(1.0, MARROW * csf / found.marrow)
        wanted = spared * tissue + (1 - spared) * outside
        wanted = body * within + (1 - body) * wanted
        result[number] = np.maximum(wanted + (frame - tissue), 0)
    return result


def _share(relative: np.ndarray) -> np.ndarray:
    """What is left of a signal outside the column, by its size relative to CSF: muscle as it is, fat dark."""
    left = np.interp(relative, [0.0, 0.2, 0.5, 0.9, 1.2, 4.0], [1.0, 1.0, 0.62, 0.3, FAT, FAT])
    return np.asarray(left, np.float32)


def _soft(mask: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), sigma))


def _spared(bodies: np.ndarray) -> np.ndarray:
    """Discs between labelled bodies, and the canal behind them, on a slice at 1 mm a pixel."""
    if not bodies.any():
        return np.zeros(bodies.shape, bool)
    column = ndimage.binary_closing(np.pad(bodies, DISC_MM), _upright(DISC_MM))[
        DISC_MM:-DISC_MM, DISC_MM:-DISC_MM
    ]
    rows = np.flatnonzero(column.any(axis=1))
    back = column.shape[1] - 1 - column[rows, ::-1].argmax(axis=1)
    wall = ndimage.median_filter(back.astype(float), 9, mode="nearest")
    wanted = np.arange(max(rows[0] - int(BEYOND_MM), 0), min(rows[-1] + int(BEYOND_MM) + 1, bodies.shape[0]))
    line = _extended(rows, wall, wanted)
    across = np.arange(bodies.shape[1])[None, :] - line[:, None]
    canal = np.zeros(bodies.shape, bool)
    canal[wanted] = (across > 0) & (across <= CANAL_MM)
    return (column & ~bodies) | (canal & ~bodies)


def _upright(size: int) -> np.ndarray:
    return np.ones((size, 1), bool)


def _extended(rows: np.ndarray, wall: np.ndarray, wanted: np.ndarray, over: int = 40) -> np.ndarray:
    """The wall at wanted rows: as measured, and straight on beyond its ends."""
    line = np.interp(wanted, rows, wall)
    for part, end, beyond in (
        (slice(None, over), rows[0], wanted < rows[0]),
        (slice(-over, None), rows[-1], wanted > rows[-1]),
    ):
        slope = np.polyfit(rows[part], wall[part], 1)[0] if len(rows[part]) > 2 else 0.0
        line[beyond] += slope * (wanted[beyond] - end)
    return np.asarray(line)
