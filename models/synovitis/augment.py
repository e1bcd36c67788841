"""Views of a picture to train on: what another hand on the probe or another setting of the machine gives.

Never upside down: depth has a meaning (bone lies below). A mirrored picture is that of a probe turned round;
it is mirrored whole, a marker of the probe's side with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.training.augment import about, sharpened, turn


@dataclass(frozen=True)
class Strength:
    """Limits. radians, scale (of its logarithm), shift (share of the side): where it lies. gain, by_depth (of
    the logarithm, in all and between top and bottom), gamma: how bright. soft: of sharpening and blur.
    """

    radians: float = 0.10
    scale: float = 0.12
    shift: float = 0.08
    gain: float = 0.25
    by_depth: float = 0.25
    gamma: float = 0.2
    soft: float = 0.6


def view(picture: np.ndarray, rng: np.random.Generator, strength: Strength | None = None) -> np.ndarray:
    """(rows, columns, 3) uint8 -> the same, from elsewhere and otherwise set; what it does not show is
    black.
    """
    limits = strength or Strength()
    moved = _moved(picture, rng, limits)
    if rng.random() < 0.5:
        moved = moved[:, ::-1]
    bright = _otherwise_bright(moved.astype(np.float32) / 255, rng, limits)
    soft = sharpened(bright, 1.0, rng.uniform(-limits.soft, limits.soft))
    return np.round(255 * np.clip(soft, 0, 1)).astype(np.uint8)


def _moved(picture: np.ndarray, rng: np.random.Generator, limits: Strength) -> np.ndarray:
    rows, columns = picture.shape[:2]
    centre = np.array([columns - 1, rows - 1]) / 2
    linear = turn(rng.uniform(-limits.radians, limits.radians), np.exp(rng.uniform(-1, 1) * limits.scale))
    to = centre + rng.uniform(-1, 1, 2) * limits.shift * np.array([columns, rows])
    return cv2.warpAffine(picture, about(linear, centre, to), (columns, rows), flags=cv2.INTER_LINEAR)


def _otherwise_bright(values: np.ndarray, rng: np.random.Generator, limits: Strength) -> np.ndarray:
    """Values (rows, columns, 3) at another gain, another one by depth, and another curve; hues stay."""
    top, bottom = rng.uniform(-limits.by_depth, limits.by_depth, 2)
    gain = np.asarray(np.exp(rng.uniform(-limits.gain, limits.gain) + np.linspace(top, bottom, len(values))))
    light = values.max(axis=2, keepdims=True)
    curve = np.maximum(light, 1 / 255) ** np.float32(np.expm1(rng.uniform(-limits.gamma, limits.gamma)))
    return np.asarray(values * gain.astype(np.float32)[:, None, None] * curve, np.float32)
