"""What the networks' training views are made of: another exposure, sharpness and noise, turns and shifts.

Not torchvision's transforms: those draw from torch's generator, so that a view could not be repeated from the
seed of its epoch alone, and know no grey ramp, no sharpening by an amount and no frame of another size.
"""

from __future__ import annotations

import cv2
import numpy as np


def gamma(grey: np.ndarray, limit: float, rng: np.random.Generator) -> np.ndarray:
    """grey in [0, 1] to a power whose logarithm is uniform within ``limit``."""
    return np.asarray(grey ** np.float32(np.exp(rng.uniform(-limit, limit))))


def contrast(
    grey: np.ndarray, gains: tuple[float, float], offset: float, rng: np.random.Generator
) -> np.ndarray:
    """grey times a gain within ``gains``, plus an offset within ``offset``."""
    gain, added = rng.uniform(*gains), rng.uniform(-offset, offset)
    return np.asarray(grey * np.float32(gain) + np.float32(added))


def sharpened(grey: np.ndarray, sigma: float, amount: float) -> np.ndarray:
    """Unsharp masking at ``sigma`` pixels; a negative amount blurs, -1 is the Gaussian blur itself."""
    soft = cv2.GaussianBlur(grey, (0, 0), sigma)
    return np.asarray(grey + np.float32(amount) * (grey - soft))


def noisy(grey: np.ndarray, limit: float, rng: np.random.Generator) -> np.ndarray:
    """grey with white noise of an SD uniform between 0 and ``limit``."""
    noise = rng.standard_normal(grey.shape, dtype=np.float32)
    return np.asarray(grey + np.float32(rng.uniform(0, limit)) * noise)


def turn(radians: float, scale: float = 1.0) -> np.ndarray:
    """(2, 2) rotation and scale of (x, y)."""
    cos, sin = np.cos(radians), np.sin(radians)
    return np.asarray(scale * np.array([[cos, -sin], [sin, cos]]))


def about(matrix: np.ndarray, centre: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(2, 3) affine map of linear part ``matrix`` (2, 2) that takes ``centre`` to ``target``, (x, y)."""
    return np.concatenate([matrix, (target - matrix @ centre)[:, None]], axis=1)


def moved(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """(n, 2) points (x, y) under a (2, 3) affine map."""
    return np.asarray(points @ affine[:, :2].T + affine[:, 2])
