"""Grey scale from scatterers: pulse and beam as a point spread function, envelope, losses, gain.

Sound is demodulated: a scatterer at depth z and place x has the phase of its way there and back, and the
point spread function is that of the envelope, wider beside the focus. Random scatterers give speckle; smooth
surfaces add their phase along the beam and so are bright where it meets them squarely and weak where it does
not (tendon, bone). Averaging pictures of several angles (compounding) changes both.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from data.phantom.ultrasound.anatomy import Joint
from data.phantom.ultrasound.body import CODE, ECHO, LOSS, Layers
from data.phantom.ultrasound.machines import Machine

DZ, DX = 0.03, 0.08  # mm between samples
SPEED = 1.54  # mm per microsecond
SHOWN = 35.0  # dB below skin that a preset with a range of its own shows black
RING = 0.35  # of the probe itself, right at its face
FACE = 0.03  # of the sound that the probe's face sends back into the body


@dataclass(frozen=True)
class Settings:
    """How one scan is taken. gain: dB beside the preset. tgc: dB at the bottom beside the right
    compensation, and in the middle. probe: mm by which the probe is off the middle of the joint.
    contact: x and width in mm of a gap without gel, NaN for none. synovium: dB by which it differs from the
    usual. mirrored: shown the other way round.
    """

    gain: float
    tgc: tuple[float, float]
    probe: float
    contact: tuple[float, float]
    gel: float
    depth: float
    synovium: float
    soft: float
    mirrored: bool
    seed: int


def grid(machine: Machine, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Depths and places of the samples, mm; x from the middle of the joint."""
    x = np.arange(-machine.width / 2, machine.width / 2, DX) + settings.probe
    return np.arange(DZ / 2, settings.depth, DZ), x


def scan(
    machine: Machine, settings: Settings, joint: Joint, cut: Layers, tissues: np.ndarray, draw: int = 0
) -> np.ndarray:
    """Grey picture, 0 to 1, of the samples of ``grid``. draw: of the noise, another one in each frame."""
    z, x = grid(machine, settings)
    body = np.random.default_rng(settings.seed)
    field = _scatterers(body, settings, tissues)
    surfaces = _surfaces(body, machine, joint, cut, z, x, tissues)
    signal = (field + surfaces) * _losses(machine, settings, tissues, z, x)
    _reverberate(signal, z)
    noise = np.random.default_rng([settings.seed, 1, draw])
    level = 10 ** (machine.noise / 20)
    total = np.zeros(tissues.shape, np.float32)
    for angle in machine.angles:
        total += _one_angle(machine, angle, signal, z, x)
    hiss = noise.standard_normal(tissues.shape, dtype=np.float32)
    power = (
        total / len(machine.angles)
        + level**2 * hiss * hiss
        + (RING * np.exp(-z / 0.12, dtype=np.float32))[:, None] ** 2
    )
    if machine.smoothing:
        power = gaussian_filter(power, (machine.smoothing / DZ, machine.smoothing / DX))
    return _shown(machine, settings, power, z)


def _scatterers(rng: np.random.Generator, settings: Settings, tissues: np.ndarray) -> np.ndarray:
    """Amplitude of random scatterers: each tissue's, uneven in patches, with a few strong ones."""
    level = np.array([ECHO[name] for name in CODE])
    level[CODE["synovium"]] += settings.synovium
    level[CODE["soft tissue"]] += settings.soft
    amplitude = (10 ** (level / 20)).astype(np.float32)[tissues]
    coarse = rng.standard_normal((tissues.shape[0] // 12 + 2, tissues.shape[1] // 14 + 2), dtype=np.float32)
    patches = cv2.resize(coarse, tissues.shape[::-1], interpolation=cv2.INTER_CUBIC)
    fine = rng.standard_normal((tissues.shape[0] // 4 + 2, tissues.shape[1] // 22 + 2), dtype=np.float32)
    strands = cv2.resize(fine, tissues.shape[::-1], interpolation=cv2.INTER_LINEAR)
    uneven = np.array([0.3 if name != "soft tissue" else 0.55 for name in CODE], np.float32)[tissues]
    amplitude *= np.exp(uneven * (0.7 * patches + 0.8 * strands))
    return amplitude * rng.standard_normal(tissues.shape, dtype=np.float32)


def _surfaces(
    rng: np.random.Generator,
    machine: Machine,
    joint: Joint,
    cut: Layers,
    z: np.ndarray,
    x: np.ndarray,
    tissues: np.ndarray,
) -> np.ndarray:
    """Complex reflections of skin, tendon fibres, capsule, septa and bone, each with its exact depth."""
    found = np.zeros(tissues.shape, np.complex64)
    wave = 4 * np.pi * machine.frequency / SPEED

    def add(depth: np.ndarray, strength: np.ndarray | float, rough: float) -> None:
        jitter = gaussian_filter1d(rng.normal(size=len(x)), 1.2) * rough
        exact = depth + jitter
        row = np.floor(np.nan_to_num(exact, nan=-1) / DZ).astype(int)
        here = np.flatnonzero((row >= 0) & (row < len(z)))
        values = np.broadcast_to(np.asarray(strength, float), x.shape)[here]
        found[row[here], here] += values * np.exp(-1j * wave * (exact[here] - z[row[here]]))

    def at(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.interp(x, joint.x, values))

    add(at(cut.skin), 2.2, 0.012)
    add(at(cut.skin) + joint.skin, 0.9, 0.02)
    thick = at(cut.tendon_bottom - cut.tendon_top)
    for place in np.arange(0.02, 1.0, 0.17 / max(float(thick.mean()), 0.3)):
        part = np.clip(gaussian_filter1d(rng.normal(size=len(x)), 14) * 6 + 0.75, 0, 2)
        add(at(cut.tendon_top) + thick * (place + rng.normal(0, 0.02)), 0.95 * part, 0.008)
    add(at(cut.tendon_top), 1.1, 0.01)
    over = np.minimum(at(cut.fluid_top), at(cut.line))
    add(over - 0.12, 0.9 * np.clip(gaussian_filter1d(rng.normal(size=len(x)), 10) * 5 + 0.6, 0, 2), 0.02)
    for _ in range(int(rng.integers(3, 8))):  # septa of what lies under the skin
        start, reach = rng.uniform(x[0], x[-1]), rng.uniform(2, 8)
        depth = (
            at(cut.skin)
            + joint.skin
            + rng.uniform(0.1, 0.9) * np.maximum(at(cut.tendon_top) - at(cut.skin) - joint.skin, 0.1)
        )
        add(depth + rng.normal(0, 0.04) * (x - start), 0.8 * (np.abs(x - start) < reach / 2), 0.02)
    solid = at(cut.solid.astype(float)) > 0.5
    slope = np.gradient(at(cut.bone), x)
    add(at(cut.bone), np.where(solid, 13.0 / (1 + (slope / 0.9) ** 2), 0.0), 0.022)
    cartilage = solid & (at(joint.cartilage) > 0.1)
    add(at(cut.cartilage_top), np.where(cartilage, 0.45, 0.0), 0.01)
    return found


def _losses(
    machine: Machine, settings: Settings, tissues: np.ndarray, z: np.ndarray, x: np.ndarray
) -> np.ndarray:
    """Amplitude left of sound on its way there and back, and nothing but traces under bone."""
    rate = np.array([LOSS[name] for name in CODE], np.float32) * machine.frequency * 2 * DZ / 10
    per_sample = rate[tissues]
    per_sample[tissues == CODE["bone"]] = 1.6 * DZ / 0.1
    lost = np.cumsum(per_sample, axis=0)
    lost[1:], lost[0] = lost[:-1].copy(), 0
    place, width = settings.contact
    if not np.isnan(place):
        lost += (22 * np.exp(-(((x - place) / width) ** 4)))[None].astype(np.float32)
    return np.exp(np.maximum(-lost, -90.0) * np.float32(np.log(10) / 20))


def _reverberate(signal: np.ndarray, z: np.ndarray) -> None:
    """Add what the probe's face sends back into the body once more: at twice the depth."""
    late = cv2.blur(signal.view(np.float32).reshape(*signal.shape, 2), (9, 3)).view(np.complex64)[..., 0]
    late = np.repeat(late[: len(z) // 2], 2, axis=0)
    signal[: len(late)] += late * (FACE * np.exp(-z[: len(late), None] / 14)).astype(np.float32)


def _one_angle(
    machine: Machine, angle: float, signal: np.ndarray, z: np.ndarray, x: np.ndarray
) -> np.ndarray:
    """Power of a picture with the beam at ``angle``."""
    tilt, wave = np.deg2rad(angle), 4 * np.pi * machine.frequency / SPEED
    along = np.exp(-1j * wave * np.cos(tilt) * z).astype(np.complex64)
    across = np.exp(-1j * wave * np.sin(tilt) * x).astype(np.complex64)
    seen = _beam(machine, signal * (along[:, None] * across[None]), z)
    return seen.real**2 + seen.imag**2


def _beam(machine: Machine, signal: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The signal spread by pulse and beam, which is narrowest at the focus."""
    length = SPEED / machine.frequency
    axial = 0.5 * machine.cycles * length / 2.355
    at_focus = 0.9 * machine.f_number * length / 2.355
    near = at_focus * np.sqrt(1 + ((z - machine.focus) / machine.defocus) ** 2)
    widths = np.linspace(near.min(), near.max() + 1e-6, 3)
    weight = np.clip(1 - np.abs(near[:, None] - widths) / (widths[1] - widths[0]), 0, 1).astype(np.float32)
    found = np.zeros(signal.shape, np.complex64)
    planes = np.ascontiguousarray(signal.view(np.float32).reshape(*signal.shape, 2))
    for number, width in enumerate(widths):
        used = np.flatnonzero(weight[:, number])
        first, last = max(used[0] - 12, 0), min(used[-1] + 13, len(z))
        kernel_z, kernel_x = _gaussian(axial / DZ), _gaussian(width / DX)
        spread = cv2.sepFilter2D(planes[first:last], cv2.CV_32F, kernel_x, kernel_z)
        found[first:last] += weight[first:last, number, None] * spread.view(np.complex64)[..., 0]
    return found


def _gaussian(sigma: float) -> np.ndarray:
    """Kernel that keeps the power of white noise."""
    reach = max(int(np.ceil(3 * sigma)), 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 0.3)) ** 2)
    return (kernel / np.sqrt((kernel**2).sum())).astype(np.float32)


def _shown(machine: Machine, settings: Settings, power: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Log compression after gain and time gain compensation."""
    share = z / z[-1]
    compensation = 2 * 0.5 * machine.frequency * z / 10
    compensation = compensation + settings.tgc[0] * share + settings.tgc[1] * np.sin(np.pi * share)
    decibel = 10 * np.log10(power + 1e-12) + compensation[:, None].astype(np.float32)
    grey = (decibel + machine.gain + settings.gain + SHOWN) / machine.dynamic_range
    return np.clip(grey, 0, 1) ** np.float32(machine.gamma)
