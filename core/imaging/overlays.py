"""A film as a grey picture of eight bits: for reports and crops; pages draw in the browser."""

from __future__ import annotations

import numpy as np


def film_grey(pixels: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """The film as uint8, same shape: ``window[0]`` and below black, ``window[1]`` and above white."""
    low, high = window
    scaled = (pixels.astype(np.float32) - low) * (255.0 / max(1.0, high - low))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
