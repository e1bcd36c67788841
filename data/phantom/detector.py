"""From attenuation to the picture that a digital system shows: beam, scatter, noise, blur, processing."""

from __future__ import annotations

import cv2
import numpy as np

from data.phantom.spine.conditions import Conditions

FULL = 4095


def expose(
    attenuation: np.ndarray, lit: np.ndarray, c: Conditions, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Log signal after scatter, blur and quantum noise, and its value in the bare beam; denser is more.

    attenuation: mean of the spectrum, natural log. lit: 0..1, share of the beam that passes the collimator.
    """
    hardened = attenuation * (1.0 - 0.018 * attenuation)
    primary = np.exp(-hardened, dtype=np.float32) * lit
    scatter = _wide_blur(primary, 32.0 / c.spacing) * (0.9 * (1 - c.grid) + 0.012)
    scatter += _wide_blur(primary, 5.0 / c.spacing) * 0.035
    signal = primary + scatter * (0.25 + 0.75 * lit)
    sigma = c.blur / c.spacing
    if sigma > 0.25:
        signal = cv2.GaussianBlur(signal, (0, 0), sigma)
    if c.motion > 0:
        signal = _smear(signal, c.motion / c.spacing, rng)
    reference = float(np.median(signal[lit > 0.5])) if np.any(lit > 0.5) else 1.0
    quanta = 3000.0 * c.exposure / (c.noise**2) * (c.spacing / 0.175) ** 2
    mean = signal * (quanta / reference)
    sigma_noise = np.sqrt(mean + 60.0)
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.55) * 1.55
    counted = mean + sigma_noise * noise
    ceiling = 3000.0 * 300.0
    np.clip(counted, 1.0, ceiling, out=counted)
    level = float(np.log(3000.0 / reference))
    air = level - float(np.log(min(quanta / reference, ceiling)))
    return (np.float32(level) - np.log(counted)).astype(np.float32), air


def _wide_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    factor = max(1, int(sigma / 4))
    small = cv2.resize(image, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(small, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)


def _smear(image: np.ndarray, length: float, rng: np.random.Generator) -> np.ndarray:
    size = int(np.ceil(length)) * 2 + 3
    kernel = np.zeros((size, size), np.float32)
    angle = rng.uniform(0, np.pi)
    for t in np.linspace(-0.5, 0.5, size * 3):
        kernel[
            round(size // 2 + t * length * np.sin(angle)), round(size // 2 + t * length * np.cos(angle))
        ] += 1
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def process(log_signal: np.ndarray, air: float, lit: np.ndarray, c: Conditions) -> np.ndarray:
    """Multi-scale contrast processing and grey scale: uint16, 12 bits, bone bright."""
    inside = lit > 0.5
    image = log_signal
    bands = []
    level = image
    for _ in range(7):
        smaller = cv2.pyrDown(level)
        bands.append(level - cv2.pyrUp(smaller, dstsize=(level.shape[1], level.shape[0])))
        level = smaller
    gains = np.array([0.95, 1.3, 1.5, 1.45, 1.2, 0.82, 0.55])
    gains[:3] *= 1.0 + np.array([0.25, 0.3, 0.2]) * (c.sharpening - 1)
    soft = np.array([0.05, 0.07, 0.10, 0.14, 0.2, 0.3, 0.4])
    base = level.mean() + (level - level.mean()) * (0.31 / c.equalise)
    level = base
    for band, gain, knee in zip(reversed(bands), reversed(gains), reversed(soft), strict=True):
        level = cv2.pyrUp(level, dstsize=(band.shape[1], band.shape[0]))
        level += gain * _compress(band, knee)
    step = max(1, level.size // 200_000)
    sample = level[inside][::step] if inside.any() else level.ravel()[::step]
    raw = log_signal[inside][::step] if inside.any() else log_signal.ravel()[::step]
    thin, thick = np.quantile(raw, [0.02, 0.99])
    body = sample[raw > thin + min(0.6, 0.2 * (thick - thin))]
    body = sample if body.size < 100 else body
    low, middle, high = np.quantile(body, [0.03, 0.5, 0.985])
    spread = max(high - low, 0.35)
    x = (level - middle) / spread * c.contrast
    grey = 1 / (1 + np.exp(-(4.5 * x - 0.1 + 4 * c.brightness)))
    toe = _toe(log_signal, air, inside)
    grey = grey * toe
    grey = grey * (0.93 if c.shutter == "black" else 0.95) + 0.01
    if c.shutter == "black":
        grey = grey * (lit > 0.35)
    return np.clip(grey * FULL, 0, FULL).astype(np.uint16)


def _toe(log_signal: np.ndarray, air: float, inside: np.ndarray) -> np.ndarray:
    """0.1 where the bare beam hits the detector, 1 behind more than about 8 cm of tissue."""
    seen = log_signal[::16, ::16][inside[::16, ::16]]
    thick = float(np.quantile(seen, 0.98)) if seen.size else air
    knee = min(1.1, 0.22 * max(thick - air, 0.05))
    return 0.12 + 0.88 / (1 + np.exp(-(log_signal - air - knee) * 3.5 / knee))


def _compress(band: np.ndarray, knee: float) -> np.ndarray:
    """Small differences pass, large ones are held back."""
    return band / np.sqrt(1 + (band / (6 * knee)) ** 2)
