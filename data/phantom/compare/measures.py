"""What a picture is like, as plain numbers: greys, noise, gradients, spectrum, edges of cortex.

Pictures are uint8 (rows, columns), bone bright, all of one pixel size: what is compared must show the same
part at the same scale. Noise, gradients and black rows are measured as in ``film_statistics.csv`` of the 34
real wrists, whose figures come out again.
"""

from __future__ import annotations

import cv2
import numpy as np

DARK, MIDDLE, BRIGHT = (0, 60), (90, 160), (190, 256)  # greys of air and thin skin, soft tissue, bone
AREAS = {"dark": DARK, "middle": MIDDLE, "bright": BRIGHT}
FEW = 200  # pixels of an area, under which its noise is not told
BLACK = 8  # a row without a grey of this or more is black
STEEPEST = 98  # percentile of the gradient in soft tissue and bone above which a pixel lies on an edge
REACH = 12  # pixels to each side of an edge that are looked at
BANDS = {"coarse": (0.02, 0.06), "middle": (0.06, 0.18), "fine": (0.18, 0.5)}  # cycles a pixel
_SECOND = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32) / 6


def measures(picture: np.ndarray) -> dict[str, float]:
    """Every measure of one picture by its name; NaN where it has too little of what is measured."""
    grey = np.asarray(picture, dtype=np.float32)
    gradient = np.hypot(*np.gradient(grey))
    found = {f"grey p{share}": float(np.percentile(grey, share)) for share in (1, 25, 50, 75, 99)}
    found |= {f"noise {area}": noise(grey, *limits) for area, limits in AREAS.items()}
    found |= {f"gradient p{share}": float(np.percentile(gradient, share)) for share in (95, 99)}
    found |= {f"spectrum {band}": power for band, power in spectrum(grey).items()}
    return found | {"edge width": edge_width(grey, gradient), "black rows": float(black_rows(grey))}


def noise(grey: np.ndarray, low: float, high: float) -> float:
    """SD of what changes from pixel to pixel where the grey is at least ``low`` and under ``high``.

    Source: Immerkaer 1996 (doi:10.1006/cviu.1996.0060). Trabeculae as fine as a pixel count as noise.
    """
    inside = (grey >= low) & (grey < high)
    if inside.sum() < FEW:
        return float("nan")
    second = cv2.filter2D(grey, -1, _SECOND)
    return float(np.sqrt(np.pi / 2) * np.abs(second[inside]).mean())


def spectrum(grey: np.ndarray) -> dict[str, float]:
    """Band of spatial frequency -> log10 of the mean power in it (Hann window, mean grey taken off)."""
    rows, columns = grey.shape
    window = np.hanning(rows)[:, None] * np.hanning(columns)[None]
    power = np.abs(np.fft.rfft2((grey - grey.mean()) * window)) ** 2 / (window**2).sum()
    radius = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None])
    return {
        band: float(np.log10(power[(radius >= low) & (radius < high)].mean() + 1e-9))
        for band, (low, high) in BANDS.items()
    }


def edge_width(grey: np.ndarray, gradient: np.ndarray) -> float:
    """Pixels from a tenth to nine tenths of the rise across the steepest edges, median of up to 400 of them.

    The rise is that from the lowest to the highest grey within ``REACH`` pixels along the gradient. Edges of
    the skin and of the lit field do not count: the line must stay in what is not dark.
    """
    inner = np.zeros_like(gradient, dtype=bool)
    inner[REACH + 1 : -REACH - 1, REACH + 1 : -REACH - 1] = True
    inner &= cv2.erode(grey, np.ones((2 * REACH + 1, 2 * REACH + 1))) >= DARK[1]
    if inner.sum() < FEW:
        return float("nan")
    steep = np.argwhere(inner & (gradient > np.percentile(gradient[inner], STEEPEST)))
    if not len(steep):
        return float("nan")
    steep = steep[:: max(len(steep) // 400, 1)][:400]
    down, across = (part[tuple(steep.T)] for part in np.gradient(grey))
    length = np.hypot(down, across)
    steps = np.arange(-REACH, REACH + 0.25, 0.25)
    rows = steep[:, :1] + steps * (down / length)[:, None]
    columns = steep[:, 1:] + steps * (across / length)[:, None]
    lines = cv2.remap(grey, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR)
    return float(np.median([_rise(line) for line in lines]) / 4)


def _rise(line: np.ndarray) -> float:
    """Steps from a tenth to nine tenths around the middle of one line, whose grey rises."""
    middle = len(line) // 2
    low = int(np.argmin(line[: middle + 1]))
    rising = np.maximum.accumulate(line[low : middle + int(np.argmax(line[middle:])) + 1])
    ends = rising[0] + np.array([0.1, 0.9]) * (rising[-1] - rising[0])
    begin, end = np.interp(ends, rising + 1e-6 * np.arange(len(rising)), np.arange(len(rising)))
    return float(end - begin)


def black_rows(grey: np.ndarray) -> int:
    """Rows at the upper edge without any light."""
    lit = np.flatnonzero(grey.max(axis=1) >= BLACK)
    return int(lit[0]) if len(lit) else len(grey)
