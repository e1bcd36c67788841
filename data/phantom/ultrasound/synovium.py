"""Synovial hypertrophy as a shape in the joint, and its grade by measurement (OMERACT-EULAR 2017).

A shape is drawn from a severity, but its grade is measured on what was drawn, against the line that joins the
bone surfaces: 0 less than a rim, 1 up to the line, 2 beyond it with a flat or concave upper surface, 3 beyond
it and convex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from data.phantom.ultrasound.anatomy import STEP, Joint

RIM = 0.7  # mm2: less is what a healthy joint may have
THIN = 0.35  # mm: as thick somewhere
TOLERANCE = 0.12  # mm: beyond the line
CONVEX = 0.30  # mm: by which the middle of the upper surface stands above its flanks
RECESS = 1.3  # mm below the line to which synovium fills a cleft


@dataclass(frozen=True)
class Synovium:
    """Synovium of a joint. top, bottom: depth, mm, by ``Joint.x``; none where top is not above.

    effusion: mm of fluid that lie on it, by ``Joint.x``.
    """

    top: np.ndarray
    bottom: np.ndarray
    effusion: np.ndarray

    @property
    def thickness(self) -> np.ndarray:
        return np.maximum(self.bottom - self.top, 0.0)

    @property
    def area(self) -> float:
        """mm2."""
        return float(self.thickness.sum() * STEP)


@dataclass(frozen=True)
class Measures:
    """What the grade of grey scale rests on. beyond: mm above the line, negative where it stays below it;
    convex: mm by which its middle stands above its flanks."""

    area: float
    thickest: float
    beyond: float
    convex: float

    @property
    def grade(self) -> int:
        if self.area < RIM or self.thickest < THIN:
            return 0
        if self.beyond <= TOLERANCE:
            return 1
        return 3 if self.convex >= CONVEX else 2

    @property
    def value(self) -> float:
        """The grade and, behind the point, how far it is on the way to the next one."""
        on_its_way = (
            min(self.area / RIM, self.thickest / THIN) ** 2,
            1 + min(self.beyond, 0.0) / RECESS,
            0.5 * (self.beyond - TOLERANCE) + 0.5 * self.convex / CONVEX,
            1.5 * (self.convex - CONVEX),
        )
        return self.grade + float(np.clip(on_its_way[self.grade], 0.0, 0.95))


def measure(joint: Joint, synovium: Synovium) -> Measures:
    """Measures of a drawn shape."""
    thick = synovium.thickness
    beyond = np.where(thick > 0, joint.line - synovium.top, -np.inf)
    highest = float(beyond.max()) if thick.any() else 0.0
    return Measures(synovium.area, float(thick.max()), highest, convexity(beyond))


def convexity(beyond: np.ndarray) -> float:
    """Mean height of the middle fifth of what lies beyond the line, less that of its flanks, mm."""
    over = np.flatnonzero(beyond > TOLERANCE)
    if len(over) < 10:
        return 0.0
    heights = np.maximum(beyond[over[0] : over[-1] + 1], 0.0)
    place = np.linspace(0, 1, len(heights))
    middle = heights[(place > 0.4) & (place < 0.6)].mean()
    flanks = [heights[(place > 0.1) & (place < 0.25)].mean(), heights[(place > 0.75) & (place < 0.9)].mean()]
    return float(middle - np.mean(flanks))


def draw_synovium(rng: np.random.Generator, joint: Joint, severity: float, effusion: float) -> Synovium:
    """Synovium of a severity (1 to 2: below the line, 3 and more: convex), under ``effusion`` mm of fluid.

    How high and how round it comes varies, so that grades of equal severity differ.
    """
    x = joint.x
    low, high = joint.reach[0] * rng.uniform(0.6, 1.0), joint.reach[1] * rng.uniform(0.6, 1.0)
    middle, half = (low + high) / 2 + rng.normal(0, 0.3), (high - low) / 2
    across = (x - middle) / half
    wave = gaussian_filter1d(rng.normal(size=len(x)), 0.7 / STEP) * 0.07 * np.sqrt(2 * 0.7 / STEP * 1.77)
    size = {"MCP": 1.0, "WR": 1.15, "PIP": 0.75, "DIP": 0.6}[joint.kind]
    if severity < 2:
        height = -0.95 + 0.95 * (severity - 1) + rng.normal(0, 0.06)
        up = height * size + wave * 0.6
    else:
        rise = (0.12 + 1.25 * (severity - 2) + rng.normal(0, 0.12)) * size
        round_ = np.clip(rng.normal(0.22 + 0.55 * np.clip(severity - 2.55, 0, 1), 0.16), -0.25, 1.0)
        flat = np.exp(-(np.abs(across) ** 6)) * (1 + min(round_, 0) * 1.2 * np.exp(-((across / 0.4) ** 2)))
        dome = np.clip(1 - across**2, 0, None)
        up = max(rise, 0.0) * ((1 - max(round_, 0)) * flat + max(round_, 0) * dome) + wave
    inside = np.abs(across) < 1
    bottom = np.minimum(joint.cleft - joint.cartilage, joint.line + RECESS * size)
    top = np.where(inside, joint.line - up, np.inf)
    if severity < 0.8:
        top = np.full(len(x), np.inf)
    fluid = np.where(inside, effusion * np.clip(1 - across**2, 0, None), 0.0)
    return Synovium(np.minimum(top, bottom), bottom, fluid)
