"""T2 brought near to fat suppression: marrow and other fat darker, CSF, discs and noise as they are.

What is fat cannot be told from T2 alone. Marrow is known from the labels; outside bodies, discs and canal all
that is bright is taken for fat. So bladder and vessels become dark too, and epidural fat stays bright.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from models.sparcc.drawn.measured import Measured

SMOOTH_MM = 2.0  # above which a difference of signal is one of tissue, not of noise
DISC_MM = 16  # highest gap between two labelled bodies that is a disc
NOISE = 4.5  # times the median of fine detail, about three standard deviations, up to which it is noise
CANAL_MM = 17.0  # how far behind bodies and discs the canal reaches
FLUID = 0.75  # of the signal of CSF, from which on it is fluid
BEYOND_MM = 45  # of the column below and above its labelled ends where the canal is taken to go on


@dataclass(frozen=True)
class Contrast:
    """Signal of marrow, and what is left of that of bright fat, both of that of CSF; as in the one real
    fat-suppressed exam unless given.
    """

    marrow: float = 0.32
    fat: float = 0.22


def near_stir(found: Measured, contrast: Contrast | None = None) -> np.ndarray:
    """float32 frames of a T2 volume with contrast near to STIR."""
    contrast = contrast or Contrast()
    frames, labels = found.volume.frames, found.volume.labels
    csf = float(np.median(list(found.csf.values())))
    result = np.empty_like(frames)
    for number, frame in enumerate(frames):
        body = _soft(labels[number] > 0, 1.0)
        tissue = ndimage.gaussian_filter(frame, SMOOTH_MM)
        canal = _canal(found, number, tissue > FLUID * csf)
        spared = _soft(_discs(labels[number] > 0) | canal, 1.5)
        left = np.where(spared > 0.5, 1.0, _share(tissue / csf, contrast.fat))
        wanted = spared * tissue + (1 - spared) * tissue * _share(tissue / csf, contrast.fat)
        wanted = body * tissue * min(1.0, contrast.marrow * csf / found.marrow) + (1 - body) * wanted
        result[number] = np.maximum(wanted + _noise(frame - tissue, np.where(body > 0.5, 1.0, left)), 0)
    return result


def _noise(fine: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Fine detail as it is as far as it is noise; edges fade as the tissue at them does."""
    spread = NOISE * float(np.median(np.abs(fine)))
    noise = np.clip(fine, -spread, spread)
    return np.asarray(noise + left * (fine - noise))


def _share(relative: np.ndarray, fat: float) -> np.ndarray:
    """What is left of a signal outside the column, by its size relative to CSF: muscle as it is, fat dark."""
    shares = np.maximum([1.0, 1.0, 0.62, 0.3, fat, fat], fat)
    return np.asarray(np.interp(relative, [0.0, 0.2, 0.5, 0.9, 1.2, 4.0], shares), np.float32)


def _soft(mask: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), sigma))


def _discs(bodies: np.ndarray) -> np.ndarray:
    """Discs between labelled bodies on a slice at 1 mm a pixel."""
    edge = DISC_MM
    column = ndimage.binary_closing(np.pad(bodies, edge), np.ones((DISC_MM, 1), bool))
    return np.asarray(column[edge:-edge, edge:-edge] & ~bodies)


def _canal(found: Measured, number: int, fluid: np.ndarray) -> np.ndarray:
    """The canal behind the bodies of a slice; beyond its ends the wall goes straight on, and only what is as
    bright as ``fluid`` says is canal: the sacrum bends into the band.
    """
    labels = found.volume.labels[number]
    canal = np.zeros(labels.shape, bool)
    walls = found.wall_behind(number)
    if not walls:
        return canal
    pixels = np.concatenate(walls)
    rows, columns = pixels[:, 0], pixels[:, 1]
    first, last = int(rows.min()), int(rows.max())
    line = np.arange(max(first - BEYOND_MM, 0), min(last + BEYOND_MM + 1, canal.shape[0]))
    measured = np.unique(rows)
    wall = np.interp(line, measured, [columns[rows == row].mean() for row in measured])
    for wall_of, beyond, end in ((walls[0], line < first, first), (walls[-1], line > last, last)):
        wall[beyond] += np.polyfit(wall_of[:, 0], wall_of[:, 1], 1)[0] * (line[beyond] - end)
    behind = np.arange(canal.shape[1])[None] - wall[:, None]
    canal[line] = (behind > 0) & (behind <= CANAL_MM)
    canal[: first + 1] &= fluid[: first + 1]
    canal[last:] &= fluid[last:]
    return np.asarray(canal & (labels == 0))
