"""What frames and overlies a film: collimation, lead marker, foreign objects."""

from __future__ import annotations

import cv2
import numpy as np

from data.phantom.spine.canvas import Canvas
from data.phantom.spine.conditions import Conditions
from data.phantom.spine.placement import lit_field


def field_mask(shape: tuple[int, int], c: Conditions) -> np.ndarray:
    """Share of the beam that passes the collimator: 1 in the field, about 0.002 outside, soft edge."""
    mask = np.full(shape, 0.0, np.float32)
    points = np.round(lit_field(c) / c.spacing * 16).astype(np.int32)
    cv2.fillPoly(mask, [points], 1.0, shift=4)
    if min(c.collimation) <= 0 and max(c.collimation) <= 0:
        mask[:] = 1.0
    mask = cv2.GaussianBlur(mask, (0, 0), 0.9 / c.spacing)
    return 0.002 + 0.998 * mask


def stamp_marker(attenuation: np.ndarray, c: Conditions) -> None:
    """Side markers, usually a little turned."""
    if not c.marker:
        return
    rng = np.random.default_rng([c.draw, 17])
    size = int(34 / c.spacing)
    tile = np.zeros((size, size * 2), np.uint8)
    height = rng.uniform(8, 12) / c.spacing
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX]))
    thick = max(2, int(height * 0.16))
    scale = cv2.getFontScaleFromHeight(font, max(int(height), 8), thick)
    cv2.putText(tile, c.marker, (size // 2, int(size * 0.65)), font, scale, 255, thick, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((size, size / 2), float(rng.normal(0, 7)), 1.0)
    lead = cv2.warpAffine(tile, turn, (size * 2, size)).astype(np.float32) * np.float32(2.6 / 255)
    rows, cols = attenuation.shape
    y, x = int(c.marker_at[1] * rows) - size // 2, int(c.marker_at[0] * cols) - size
    y, x = min(max(y, 0), max(rows - size, 0)), max(x, -size // 2)
    x0, x1 = max(x, 0), min(x + 2 * size, cols)
    if x1 > x0:
        attenuation[y : y + size, x0:x1] += lead[:, x0 - x : x1 - x]


def add_grid_lines(attenuation: np.ndarray, c: Conditions) -> None:
    """Faint upright lines of a stationary grid, about 4 a mm, seen as a slower beat of the pixels."""
    if c.grid_lines <= 0:
        return
    columns = np.arange(attenuation.shape[1], dtype=np.float32) * c.spacing
    attenuation += np.float32(0.012 * c.grid_lines) * np.sin(2 * np.pi * 4.03 * columns)[None, :]


def add_foreign(canvas: Canvas, c: Conditions) -> None:
    """Jewellery, tubes, clips, wires and buttons."""
    rng = np.random.default_rng([c.draw, 19])
    height, width = c.field
    for name in c.foreign:
        bone, canvas.cortical = canvas.cortical, np.zeros_like(canvas.cortical)
        _OBJECTS[name](canvas, rng, height, width)
        canvas.metal += canvas.cortical * 0.5
        canvas.cortical = bone


def _wire(canvas, points, radius) -> None:
    canvas.tube(np.asarray(points), radius, mag=1.1, shell=9.0, rough=0.0)


def _earring(canvas, rng, height, width) -> None:
    x, y = width * rng.uniform(0.42, 0.55), height * rng.uniform(0.1, 0.2)
    for _ in range(2):
        t = np.linspace(0, 2 * np.pi, 40)
        r, squash = rng.uniform(4, 9), rng.uniform(0.3, 1)
        dx, dy = rng.normal(0, 7, 2)
        _wire(canvas, np.stack([x + dx + r * squash * np.cos(t), y + dy + r * np.sin(t)], axis=1), 0.6)


def _necklace(canvas, rng, height, width) -> None:
    x = np.linspace(width * 0.2, width * 0.75, 60)
    y = (
        height * rng.uniform(0.72, 0.8)
        + 14 * np.sin(np.linspace(0, np.pi, 60))
        + 0.6 * np.cos(np.arange(60) * 2.5)
    )
    _wire(canvas, np.stack([x, y], axis=1), 0.5)


def _tube(canvas, rng, height, width) -> None:
    y = np.linspace(0, height, 40)
    x = width * 0.27 + 5 * np.sin(y / 60) + 0.05 * y
    for shift in (-3.5, 3.5):
        _wire(canvas, np.stack([x + shift, y], axis=1), 0.12)


def _button(canvas, rng, height, width) -> None:
    for _ in range(int(rng.integers(1, 4))):
        x, y = width * rng.uniform(0.1, 0.9), height * rng.uniform(0.55, 0.95)
        _wire(canvas, [(x, y), (x + 0.1, y + 0.1)], rng.uniform(3, 5))


def _clip(canvas, rng, height, width) -> None:
    x, y = width * rng.uniform(0.15, 0.4), height * rng.uniform(0.15, 0.5)
    for _ in range(int(rng.integers(2, 6))):
        dx, dy = rng.normal(0, 9, 2)
        t = rng.uniform(0, np.pi)
        step = 2.6 * np.array([np.cos(t), np.sin(t)])
        _wire(canvas, np.array([x + dx, y + dy]) + np.outer([-1, 1], step), 0.45)


def _wire_loop(canvas, rng, height, width) -> None:
    t = np.linspace(0, 1, 50)
    x = width * (rng.uniform(0.1, 0.3) + 0.4 * t)
    y = height * (0.2 + 0.6 * t**2) + 12 * np.sin(7 * t)
    _wire(canvas, np.stack([x, y], axis=1), 0.5)


_OBJECTS = {
    "earring": _earring,
    "necklace": _necklace,
    "tube": _tube,
    "button": _button,
    "clip": _clip,
    "wire": _wire_loop,
}
