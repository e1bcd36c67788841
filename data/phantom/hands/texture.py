"""The mesh of trabeculae: thin bright walls around dark cells, drawn out along the bone."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

STEP = 0.09  # mm a cell


@lru_cache(maxsize=8)
def mesh(seed: int, size: int = 512) -> np.ndarray:
    """Periodic texture of mean 0, float32 (u rows, v columns), cells of ``STEP`` mm.

    Walls lie where band-limited noise crosses zero, which leaves a net of thin lines; two nets of different
    width of mesh lie over one another, as in a bone that is looked through.
    """
    rng = np.random.default_rng([41, seed])
    field = np.zeros((size, size))
    for pitch, stretch, sharp, share in (
        (0.46, 1.5, 0.38, 1.0),
        (0.30, 1.5, 0.50, 0.9),
        (0.95, 3.0, 0.22, 0.45),
    ):
        noise = _band(rng, size, pitch, stretch)
        walls = np.exp(-((noise / sharp) ** 2))
        field += share * (walls - walls.mean()) / walls.std()
    slow = _band(rng, size, 7.0, 1.6)
    field = field / field.std() + 0.6 * slow + 0.6 * _band(rng, size, 2.2, 1.6)
    field = cv2.GaussianBlur(np.pad(field, 4, mode="wrap"), (0, 0), 0.6)[4:-4, 4:-4]
    return (field / field.std()).astype(np.float32)


def _band(rng: np.random.Generator, size: int, pitch: float, stretch: float) -> np.ndarray:
    """Noise of unit variance around one wavelength (mm), longer along u by ``stretch``."""
    fu = np.fft.fftfreq(size, STEP)[:, None] * stretch
    fv = np.fft.rfftfreq(size, STEP)[None, :]
    frequency = np.hypot(fu, fv)
    shape = np.exp(-(((frequency - 1 / (2 * pitch)) / (0.35 / (2 * pitch))) ** 2))
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) * shape
    noise = np.fft.irfft2(spectrum, s=(size, size))
    return noise / noise.std()
