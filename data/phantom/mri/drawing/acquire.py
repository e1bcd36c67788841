"""From signals to pictures: coil, fat suppression, chemical shift, ghosts, k-space, Rician noise."""

from __future__ import annotations

import cv2
import numpy as np

from data.phantom.mri.conditions import Scan

BITS = 12


def shading(scan: Scan, from_back: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sensitivity of the posterior coil, 1 at the depth of the bodies; shape of ``from_back``."""
    rng = np.random.default_rng([scan.draw, 1])
    depth = np.maximum(from_back, 0.0)
    gain = 1.9 / (1 + (depth / np.float32(scan.reach)) ** 2)
    period = rng.uniform(70, 110)
    along = 1 + scan.ripple * np.sin(2 * np.pi * y / period + rng.uniform(0, 6))
    half = (y[-1] - y[0]) / 2
    fall = 1 - rng.uniform(0.05, 0.3) * np.abs((y - y.mean()) / half) ** 3
    gain = gain * (along * fall).astype(np.float32)[None, :, None]
    return np.asarray(gain ** np.float32(1 - scan.normalised), np.float32)


def residual_fat(scan: Scan, from_back: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Share of the fat's signal that is left, by voxel: little in the middle, more at the edges of the field
    and in patches where the field is uneven."""
    rng = np.random.default_rng([scan.draw, 2])
    rows = np.abs((y - y.mean()) / (np.ptp(y) / 2)) ** 5
    columns = np.abs((x - x.mean()) / (np.ptp(x) / 2)) ** 5
    left = rows[:, None] * rng.uniform(0.3, 1.0) + columns[None, :] * rng.uniform(0.2, 0.8)
    centre = rng.uniform(-0.35, 0.35) * np.ptp(y), rng.uniform(0.1, 0.4) * np.ptp(x)
    wide = rng.uniform(20, 45)
    patch = np.exp(
        -((y[:, None] - y.mean() - centre[0]) ** 2 + (x[None, :] - x.mean() - centre[1]) ** 2) / wide**2
    )
    left = scan.residual + scan.failure * np.clip(left + rng.uniform(0, 0.8) * patch, 0, 1.2)
    skin = 0.25 * scan.failure * np.exp(-np.maximum(from_back, 0) / 6)
    return np.asarray(left[None] + skin, np.float32)


def saturation(scan: Scan, front: np.ndarray) -> np.ndarray:
    """What a saturation band in front of the spine leaves. front: mm in front of the bodies."""
    return np.asarray(1 - (1 - scan.band_left) / (1 + np.exp(-(front - scan.band) / 4.5)), np.float32)


def picture(
    water: np.ndarray, fat: np.ndarray, gain: np.ndarray, scan: Scan, *, noise: float, number: int
) -> np.ndarray:
    """Magnitude images of one sequence, before they are stored. number: of the sequence, for its draw."""
    rng = np.random.default_rng([scan.draw, 10 + number])
    moved = _moved(fat, scan.shift_fat, scan.phase) if number else fat
    image = (water + moved) * gain
    image = _ghosts(image, scan, rng)
    return _through_k_space(image, scan, noise, rng)


def _moved(image: np.ndarray, pixels: float, phase: int) -> np.ndarray:
    """Shifted along the frequency axis by a share of a pixel or more."""
    shift = (pixels, 0.0) if phase == 0 else (0.0, pixels)
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    size = image.shape[2], image.shape[1]
    return np.stack([cv2.warpAffine(one, matrix, size, flags=cv2.INTER_LINEAR) for one in image])


def _ghosts(image: np.ndarray, scan: Scan, rng) -> np.ndarray:
    """Faint repeats along the phase direction, of the brightest most."""
    out = image.copy()
    size = image.shape[1 + scan.phase]
    for order in (1, -1, 2):
        step = int(size * rng.uniform(0.09, 0.3) * order)
        strength = np.float32(scan.ghost * rng.uniform(-1, 1) / abs(order))
        out += strength * np.roll(image, step, axis=1 + scan.phase)
    return np.abs(out)


def _through_k_space(image: np.ndarray, scan: Scan, noise: float, rng) -> np.ndarray:
    """The picture as its measured spatial frequencies show it, with noise of both channels."""
    from scipy import fft

    _, rows, columns = image.shape
    window = _window(rows, scan.resolution if scan.phase == 0 else 0.95)[:, None]
    window = window * _window(columns, scan.resolution if scan.phase == 1 else 0.95)[None, :]
    noise = noise / float(np.sqrt((window**2).mean()))
    out = np.empty_like(image)
    for number, one in enumerate(image):
        draw = rng.standard_normal((2, rows, columns), dtype=np.float32) * np.float32(noise)
        spectrum = fft.fft2(one + draw[0] + 1j * draw[1])
        out[number] = np.abs(fft.ifft2(spectrum * window))
    return out


def _window(size: int, share: float) -> np.ndarray:
    """Frequencies up to a share of the highest, the last quarter of them softened."""
    from scipy import fft

    at = np.abs(fft.fftfreq(size)) * 2 / share
    return np.asarray(np.clip((1.0 - at) / 0.25, 0, 1) ** 0.6 * (at < 1), np.float32)


def stored(image: np.ndarray, scan: Scan) -> np.ndarray:
    """As unsigned integers of 12 bits."""
    highest = 2**BITS - 1
    return np.clip(np.rint(image * scan.scale), 0, highest).astype(np.uint16)
