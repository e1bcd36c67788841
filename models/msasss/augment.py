"""Training views of a sample: small shifts, turns and scales, exposure, blur and noise. Never a flip.

The networks see anterior on the left only; a mirrored film is turned around before it is shown to them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.training import augment


@dataclass(frozen=True)
class Strength:
    """How far a view may differ. shift_pixels and degrees are limits of uniform draws, scale is a log
    limit.
    """

    shift_pixels: float
    degrees: float
    scale: float
    noise: float = 0.06
    blur: float = 1.1
    gamma: float = 0.45


SMEAR_MM = (6.0, 13.0)  # a patient who moved this far: nobody can read the film, nothing is to be found on it
SMEAR_SHARE = 0.05
FINDER = Strength(shift_pixels=24, degrees=7, scale=0.16)
TILE = Strength(shift_pixels=9, degrees=6, scale=0.09)
NONE = Strength(shift_pixels=0, degrees=0, scale=0, noise=0, blur=0, gamma=0)


def view(
    image: np.ndarray,
    labels: np.ndarray,
    rows: int,
    columns: int,
    strength: Strength,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """A view of (rows, columns) of a uint8 sample and its labels; boxes whose centre leaves the view are
    dropped.

    labels: (n, 5) class, centre x, y, width, height in pixels. Returns float32 in [0, 1] and labels in view
    pixels.
    """
    angle = np.deg2rad(rng.uniform(-strength.degrees, strength.degrees))
    scale = float(np.exp(rng.uniform(-strength.scale, strength.scale)))
    shift = rng.uniform(-strength.shift_pixels, strength.shift_pixels, size=2)
    centre = np.array([image.shape[1], image.shape[0]]) / 2
    affine = augment.about(augment.turn(angle, scale), centre, np.array([columns, rows]) / 2 + shift)
    of_middles = affine.copy()  # of pixels, whose middle is half a pixel on
    of_middles[:, 2] = affine[:, 2] + affine[:, :2] @ [0.5, 0.5] - 0.5
    seen = cv2.warpAffine(
        image, of_middles, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    moved = labels.astype(np.float32).copy()
    moved[:, 1:3] = augment.moved(labels[:, 1:3], affine)
    moved[:, 3:5] = labels[:, 3:5] * scale
    inside = ((moved[:, 1:3] > 2) & (moved[:, 1:3] < np.array([columns, rows]) - 2)).all(axis=1)
    return expose(seen.astype(np.float32) / 255, strength, rng), moved[inside]


def smear(
    image: np.ndarray, labels: np.ndarray, mm_per_pixel: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Now and then the picture as if the patient had moved, and then without labels."""
    if rng.random() >= SMEAR_SHARE:
        return image, labels
    length = rng.uniform(*SMEAR_MM) / mm_per_pixel
    size = int(np.ceil(length)) | 1
    angle = rng.uniform(0, np.pi)
    half = (np.array([np.cos(angle), np.sin(angle)]) * length / 2 * 16).astype(int)
    middle = np.array([size // 2, size // 2]) * 16
    first, last = [tuple(int(v) for v in middle + sign * half) for sign in (-1, 1)]
    kernel = np.zeros((size, size), np.float32)
    cv2.line(kernel, first, last, 1.0, 1, cv2.LINE_AA, shift=4)
    moved = cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(moved, (0, 0), max(0.3, float(rng.uniform(0.6, 1.3)) / mm_per_pixel))
    stretched = cv2.normalize(soft, None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]
    return np.asarray(stretched, dtype=np.uint8), labels[:0]


def expose(grey: np.ndarray, strength: Strength, rng: np.random.Generator) -> np.ndarray:
    """Another exposure of the same picture: gamma, contrast, a grey ramp, blur or sharpening, noise."""
    if strength.gamma > 0:
        grey = augment.gamma(grey, strength.gamma, rng)
        grey = _ramp(augment.contrast(grey, (0.75, 1.2), 0.1, rng), rng)
    if strength.blur > 0 and rng.random() < 0.5:
        sigma = float(rng.uniform(0.3, strength.blur))
        soft = rng.random() < 0.6
        grey = cv2.GaussianBlur(grey, (0, 0), sigma) if soft else _sharper(grey, sigma, rng)
    if strength.noise > 0 and rng.random() < 0.6:
        grey = augment.noisy(grey, strength.noise, rng)
    return np.clip(grey, 0, 1)


def _sharper(grey: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    return augment.sharpened(grey, sigma, rng.uniform(0.3, 1.0))


def _ramp(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With a grey ramp from edge to edge, down or across."""
    axis = int(rng.integers(2))
    ramp = np.linspace(-1, 1, grey.shape[axis], dtype=np.float32) * np.float32(rng.uniform(-0.12, 0.12))
    return grey + (ramp[:, None] if len(ramp) == grey.shape[0] else ramp[None, :])
