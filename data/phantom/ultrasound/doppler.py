"""Blood flow in the synovium, its grade by measurement, and the colour that a machine makes of it.

The grade is that of the vessels drawn inside the synovium (OMERACT-EULAR 2017): 1 up to three single spots,
one confluent with up to two single, or two confluent; 2 more, up to half of the area; 3 more than half.
Colour is something else: it blooms beyond the vessels, weak flow is missed, and there is some where no
synovium is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from data.phantom.ultrasound.body import CODE
from data.phantom.ultrasound.machines import Machine

CELL = 0.07  # mm, sides of the pixels in which flow is drawn
SPECK, SINGLE, CONFLUENT = 0.02, 0.25, 1.1  # mm2: least that counts, most of a single and of a confluent spot
HALF = 0.5  # of the area of the synovium


@dataclass(frozen=True)
class Flow:
    """What the grade of power Doppler rests on. singles, confluents, larger: spots by their area;
    share: of the area of the synovium."""

    singles: int
    confluents: int
    larger: int
    share: float

    @property
    def grade(self) -> int:
        if not self.singles + self.confluents + self.larger:
            return 0
        if self.share > HALF and self.confluents + self.larger:
            return 3
        few = (
            (self.confluents == 0 and self.singles <= 3)
            or (self.confluents == 1 and self.singles <= 2)
            or (self.confluents == 2 and self.singles == 0)
        )
        return 1 if few and not self.larger else 2

    @property
    def value(self) -> float:
        """The grade and, behind the point, how far it is on the way to the next one."""
        on_its_way = (
            0.0,
            (self.singles + 2.5 * self.confluents) / 6.0,
            self.share / HALF,
            2.0 * (self.share - HALF),
        )
        return self.grade + float(np.clip(on_its_way[self.grade], 0.0, 0.95))


def measure_flow(blood: np.ndarray, synovium: np.ndarray) -> Flow:
    """Flow of vessels in the synovium; both masks of pixels with sides of ``CELL``."""
    inside = blood & synovium
    labels, count = ndimage.label(inside, np.ones((3, 3)))
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:] * CELL**2
    areas = areas[areas >= SPECK]
    share = float(areas.sum() / max(synovium.sum() * CELL**2, 1e-9))
    return Flow(
        int((areas <= SINGLE).sum()),
        int(((areas > SINGLE) & (areas <= CONFLUENT)).sum()),
        int((areas > CONFLUENT).sum()),
        share,
    )


def draw_blood(rng: np.random.Generator, synovium: np.ndarray, severity: float) -> np.ndarray:
    """Vessels in the synovium by severity: 1 to 2 spots, from 2 a growing share of the area."""
    blood = np.zeros(synovium.shape, bool)
    if severity < 1 or not synovium.any():
        return blood
    if severity >= 2:
        share = np.clip(0.08 + 0.42 * (severity - 2) + rng.normal(0, 0.04), 0.05, 0.9)
        return _branches(rng, synovium, float(share))
    kind = rng.random()
    singles, confluents = (
        (1 + int(rng.integers(0, 3)), 0)
        if kind < 0.6
        else (int(rng.integers(0, 3)), 1)
        if kind < 0.9
        else (0, 2)
    )
    rows, columns = np.nonzero(synovium)
    for number in range(singles + confluents):
        place = int(rng.integers(len(rows)))
        radius = rng.uniform(1.6, 3.2)
        long = radius * (rng.uniform(1.8, 2.6) if number >= singles else 1.0)
        cv2.ellipse(
            canvas := np.zeros(synovium.shape, np.uint8), (int(columns[place]), int(rows[place])),
            (round(long), round(radius)), float(rng.uniform(-30, 30)), 0, 360, 1, -1,
        )  # fmt: skip
        blood |= canvas.astype(bool)
    return blood & synovium


def _branches(rng: np.random.Generator, synovium: np.ndarray, share: float) -> np.ndarray:
    """Vessels that wind through the synovium and fill a share of it."""
    rows, columns = np.nonzero(synovium)
    top, left = rows.min(), columns.min()
    size = (rows.max() - top + 1, columns.max() - left + 1)
    fine = ndimage.gaussian_filter(rng.normal(size=size), (2.2, 3.2))
    coarse = ndimage.gaussian_filter(rng.normal(size=size), (6, 11))
    lines = -np.abs(fine / fine.std()) + 0.55 * coarse / max(coarse.std(), 1e-9)
    inside = synovium[top : top + size[0], left : left + size[1]]
    threshold = np.quantile(lines[inside], 1 - share)
    found = np.zeros(synovium.shape, bool)
    found[top : top + size[0], left : left + size[1]] = inside & (lines > threshold)
    return found


@dataclass(frozen=True)
class FlowSettings:
    """How flow is shown. gain: dB beside the preset. box: of the colour, in parts of the picture
    (x0, y0, x1, y1). flash: strength of motion, 0 for none. vessels: in the tissues around.
    mirror: whether bone mirrors flow.
    """

    gain: float
    box: tuple[float, float, float, float]
    flash: float
    vessels: int
    mirror: bool
    seed: int


def colour_power(
    machine: Machine, settings: FlowSettings, blood: np.ndarray, tissues: np.ndarray, draw: int = 0
) -> np.ndarray:
    """Power of the colour shown, 0 (none) to 1, by pixels of ``CELL``. draw: of what changes from frame to
    frame: pulse, flash and specks."""
    rng = np.random.default_rng(settings.seed)
    frame = np.random.default_rng([settings.seed, 2, draw])
    flow = blood * _uneven(rng, blood.shape, 0.45)
    sheath = tissues == CODE["tendon sheath"]
    if sheath.any() and rng.random() < 0.5:
        flow = np.maximum(flow, _branches(rng, sheath, rng.uniform(0.1, 0.4)) * 0.8)
    flow = np.maximum(flow, _outside(rng, settings, tissues))
    if settings.mirror:
        flow = flow + _mirrored(flow, tissues)
    pulse = 0.8 + 0.35 * np.sin(2 * np.pi * (draw / 9.0 + rng.random()))
    power = ndimage.gaussian_filter(flow * pulse, machine.bloom / CELL)
    if settings.flash > 0 and (draw == 0 or frame.random() < 0.25):
        power = power + settings.flash * _flash(frame, blood.shape)
    specks = _uneven(frame, blood.shape, 0.55, 1.0) * 0.06 * machine.doppler_noise
    power = (power + specks * 10 ** (settings.gain / 30)) * 10 ** (
        (machine.doppler_gain + settings.gain) / 20
    )
    shown = _in_cells(power, machine.doppler_cell / CELL)
    level = np.clip((20 * np.log10(shown + 1e-6) + 12.0) / 13.0, 0, 1)
    return np.where(level > 0.0, 0.15 + 0.85 * level, 0.0) * _boxed(settings, blood.shape)


def _uneven(
    rng: np.random.Generator, shape: tuple[int, int], spread: float, sigma: float = 4.0
) -> np.ndarray:
    field = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma)
    return np.exp(spread * field / max(float(field.std()), 1e-9))


def _outside(rng: np.random.Generator, settings: FlowSettings, tissues: np.ndarray) -> np.ndarray:
    """Small vessels of fat and of the soft tissue over the bones, which are nobody's synovitis."""
    flow = np.zeros(tissues.shape, np.float32)
    rows, columns = np.nonzero((tissues == CODE["fat"]) | (tissues == CODE["soft tissue"]))
    if not len(rows):
        return flow
    for _ in range(settings.vessels):
        place = int(rng.integers(len(rows)))
        cv2.ellipse(
            flow, (int(columns[place]), int(rows[place])),
            (int(rng.integers(2, 14)), int(rng.integers(2, 5))), float(rng.uniform(-20, 20)), 0, 360,
            float(rng.uniform(0.5, 1.3)), -1,
        )  # fmt: skip
    flow[(tissues == CODE["synovium"]) | (tissues == CODE["bone"])] = 0
    return flow


def _mirrored(flow: np.ndarray, tissues: np.ndarray) -> np.ndarray:
    """Flow over a bone once more under it, weaker."""
    bone = tissues == CODE["bone"]
    surface = np.where(bone.any(0), bone.argmax(0), -1)
    found = np.zeros_like(flow)
    rows = np.arange(flow.shape[0])
    for column in np.flatnonzero(surface > 0):
        image = 2 * surface[column] - rows
        usable = bone[:, column] & (image >= 0)
        found[usable, column] = 0.5 * flow[image[usable], column]
    return found


def _flash(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Colour of motion: a wide soft cloud."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    row, column = rng.uniform(0.1, 0.6) * shape[0], rng.uniform(0.1, 0.9) * shape[1]
    high, wide = rng.uniform(0.06, 0.18) * shape[0], rng.uniform(0.10, 0.35) * shape[1]
    cloud = np.exp(-(((rows - row) / high) ** 2) - ((columns - column) / wide) ** 2)
    return np.asarray(cloud * _uneven(rng, shape, 0.8, 6.0) * 0.5)


def _in_cells(power: np.ndarray, cell: float) -> np.ndarray:
    """Power in the cells of the colour, smooth between them."""
    size = (max(round(power.shape[1] / cell), 2), max(round(power.shape[0] / cell), 2))
    coarse = cv2.resize(power.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, power.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _boxed(settings: FlowSettings, shape: tuple[int, int]) -> np.ndarray:
    x0, y0, x1, y1 = settings.box
    inside = np.zeros(shape, bool)
    inside[round(y0 * shape[0]) : round(y1 * shape[0]), round(x0 * shape[1]) : round(x1 * shape[1])] = True
    return inside
