"""From attenuation to a stored film of hands or feet: beam, scatter and noise as for the spine, then the
nearly straight grey scale that devices use for extremities."""

from __future__ import annotations

import cv2
import numpy as np

from data.phantom.detector import expose
from data.phantom.hands.conditions import GREYS, LimbConditions
from data.phantom.hands.paint import Canvas

# attenuation per mm at about 50 kV: water, and what bone adds to the water that it replaces
WATER, CORTICAL, TRABECULAR, METAL = 0.023, 0.112, 0.036, 1.2


def attenuation_of(canvas: Canvas, c: LimbConditions) -> np.ndarray:
    """Attenuation (natural log) of everything on the canvas at the film's kilovolt."""
    harder = np.float32((52.0 / c.kilovolt) ** 1.6)
    total = canvas.soft * np.float32(WATER * (52.0 / c.kilovolt) ** 0.4)
    total += canvas.cortical * np.float32(CORTICAL * harder)
    total += canvas.trabecular * np.float32(TRABECULAR * harder)
    total += canvas.metal * np.float32(METAL)
    return total


def develop(attenuation: np.ndarray, lit: np.ndarray, c: LimbConditions, seed: int) -> np.ndarray:
    """uint16 picture, 10 bits, bone bright."""
    rng = np.random.default_rng([seed, 5])
    signal, _ = expose(attenuation, lit, c, rng)
    inside = lit > 0.5
    sharp = _sharpened(signal, c)
    thin = sharp[::8, ::8][inside[::8, ::8]]
    air, dense = np.quantile(thin, [0.10, 0.996 if c.view == "hands" else 0.955]) if thin.size else (0.0, 1.0)
    x = (sharp - air) / max(dense - air, 0.3) * 0.92 * c.contrast
    grey = _look_up(x, c)
    if c.shutter == "black":
        grey = grey * (lit > 0.35)
    return np.clip(grey * GREYS, 0, GREYS).astype(np.uint16)


def _look_up(x: np.ndarray, c: LimbConditions) -> np.ndarray:
    """Grey (0 to 1) of the scaled signal through a table of 4096 steps from -0.5 to 2."""
    value = np.linspace(-0.5, 2.0, 4096, dtype=np.float32)
    curve = c.air + (0.97 - c.air) * _shoulder(np.maximum(value, 0) ** c.gamma) + np.minimum(value, 0) * 0.3
    index = np.clip((x + np.float32(0.5)) * np.float32(4095 / 2.5), 0, 4095).astype(np.uint16)
    return curve.astype(np.float32)[index]


def _shoulder(x: np.ndarray) -> np.ndarray:
    """Straight up to 0.75, then bending towards 1."""
    over = np.maximum(x - 0.75, 0)
    return np.minimum(x, 0.75) + 0.25 * (1 - np.exp(-over / 0.25))


def _sharpened(signal: np.ndarray, c: LimbConditions) -> np.ndarray:
    """Unsharp masking at two scales, and less of what is broad where the device does so."""
    fine = signal - cv2.GaussianBlur(signal, (0, 0), 0.45 / c.spacing)
    small = cv2.resize(signal, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    rows, cols = signal.shape
    middle = _back(cv2.GaussianBlur(small, (0, 0), max(0.5, 2.2 / (8 * c.spacing))), rows, cols)
    broad = _back(cv2.GaussianBlur(small, (0, 0), 16.0 / (8 * c.spacing)), rows, cols)
    return (
        signal
        + np.float32(0.7 * c.sharpening) * fine
        + np.float32(0.35 * c.sharpening) * (signal - middle)
        - np.float32(0.42 * c.equalise) * broad
    )


def _back(small: np.ndarray, rows: int, cols: int) -> np.ndarray:
    return cv2.resize(small, (cols, rows), interpolation=cv2.INTER_LINEAR)
