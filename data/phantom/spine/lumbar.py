"""What lies around the lumbar spine: soft tissue, lungs, bowel gas, ribs, vessels, clips."""

from __future__ import annotations

import cv2
import numpy as np

from data.phantom.spine.canvas import Canvas
from data.phantom.spine.placement import Placement


def add_soft_tissue(canvas: Canvas, p: Placement) -> None:
    """Trunk as water: width along the beam by height, rounded to skin in front and behind; lungs and gas
    out."""
    body, c, step = p.body, p.conditions, 5
    x, y = canvas.grid(step)
    m = c.magnification
    spine, height = _spine(p)
    level = _level(p, y)
    centre = np.interp(np.clip(level, 1, 9.0), np.arange(len(height)), spine)
    hollow = 16 * np.exp(-((level - 6.3) ** 2) / 5.0)
    seat = 42 / (1 + np.exp(-(level - 10.2) / 0.9))
    back = centre + m * (92 * body.bulk**0.5 - hollow + seat)
    belly = 22 * np.exp(-((level - 7.0) ** 2) / 8.0) - 26 / (1 + np.exp((level - 2.0) / 1.2))
    front = np.mean(spine[3:9]) + 0.35 * (centre - np.mean(spine[3:9])) - m * (body.trunk_depth - 80 + belly)
    wide = max(1.0, 16 * m / (step * canvas.pixel))
    back = cv2.GaussianBlur(
        back.astype(np.float32), (0, 0), sigmaX=1, sigmaY=wide, borderType=cv2.BORDER_REPLICATE
    )
    middle, half = (back + front) / 2, (back - front) / 2
    u = np.clip((x - middle) / half, -1, 1)
    waist = 1.0 - 0.10 * np.exp(-((level - 5.2) ** 2) / 4.0) + 0.26 / (1 + np.exp(-(level - 8.8) / 0.9))
    width = body.trunk_width * waist
    rounding = np.where(u > 0, 0.5, 0.62)  # the back is flatter than the belly
    trunk = width * np.power(np.clip(1 - np.abs(u) ** np.where(u > 0, 2.8, 2.3), 0, 1), rounding)
    trunk += _planes(x, y, centre, level, m, body.bulk, canvas.rng) * np.clip((trunk - 20) / 40, 0, 1)
    trunk -= _lungs(canvas, p, x, y, centre, trunk)
    kidney = _kidneys(canvas, p, x, y, centre)
    trunk *= 1 + 0.010 * canvas.noise(trunk.shape, 16, step)
    canvas.soft += np.maximum(canvas.spread(trunk + kidney, step), 0)
    fx, fy = canvas.grid(3)
    streaks = 2.0 * canvas.tissue(np.broadcast(fx, fy).shape, 3, lean=canvas.rng.normal(0, 0.4))
    canvas.soft += canvas.spread(streaks, 3) * np.clip(canvas.soft / 150, 0, 1)
    _bowel_gas(canvas, p)


def _spine(p: Placement) -> tuple[np.ndarray, np.ndarray]:
    centres = np.array([frame.centre for frame in p.frames.values()])
    return centres[:, 0], centres[:, 1]


def _level(p: Placement, y) -> np.ndarray:
    """Continuous level: 0 at T9, 3 at T12, 8 at L5, 9 at S1."""
    _, height = _spine(p)
    grid = np.arange(len(height))
    step = np.mean(np.diff(height))
    inside = np.interp(y, height, grid)
    beyond = np.where(y > height[-1], grid[-1] + (y - height[-1]) / step, inside)
    return np.where(y < height[0], (y - height[0]) / step, beyond)


def _lungs(canvas: Canvas, p: Placement, x, y, centre, trunk) -> np.ndarray:
    """Air above two domes of the diaphragm; the space behind reaches lowest. Vessels leave it uneven."""
    m, rng, step = p.conditions.magnification, canvas.rng, 5
    top = p.frames["T11"].centre[1] + rng.normal(2, 10)
    vessels = 1 - 0.035 * canvas.noise(trunk.shape, 3.0, step) - 0.04 * canvas.noise(trunk.shape, 10, step)
    air = np.zeros(trunk.shape, np.float32)
    for side in range(2):
        shift = rng.normal(0, 6) - 6 * side
        q = ((centre - x) / m - 46) / 75
        dome = (
            top + shift - m * (26 * (1 - q * q) + 5 * np.sin(2.2 * q + side) - 12 * np.maximum(-q - 0.4, 0))
        )
        above = np.clip((dome - y) / m, 0, 60)
        air += (0.34 - 0.06 * side) * trunk * np.power(above / 60, 0.52 + 0.1 * side)
    return air * np.clip(vessels, 0.5, 1.3)


def _planes(x, y, centre, level, m: float, bulk: float, rng) -> np.ndarray:
    """What fat sets off: erector spinae behind, psoas over the front of the bodies, fat before the spine."""
    behind = (x - centre) / m
    muscle = 16 / (1 + np.exp((behind - 66 * bulk**0.4 + 4 * np.sin(level)) / 2.2))
    muscle = muscle / (1 + np.exp(-(behind - 14) / 9.0))
    belly = np.clip((level - 3.3) / 5.0, 0, 1)
    q = (behind - rng.normal(0, 3)) / (17 + 17 * belly)
    psoas = (7 + 12 * belly) * np.clip(1 - q * q, 0, 1) ** 0.75
    line = np.exp(-(((behind + 36 + 5 * np.sin(0.9 * level + rng.uniform(0, 6))) / 3.0) ** 2))
    return muscle + psoas - 3 * bulk * line * np.clip(level - 1, 0, 1)


def _kidneys(canvas: Canvas, p: Placement, x, y, centre) -> np.ndarray:
    m, rng = p.conditions.magnification, canvas.rng
    fat = np.zeros(np.broadcast(x, y).shape, np.float32)
    _, height = _spine(p)
    for _ in range(2):
        cx, cy = 8 + rng.normal(0, 8), height[5] + rng.normal(0, 12)
        q = ((x - centre) / m - cx) ** 2 / 24**2 + ((y - cy) / m) ** 2 / 52**2
        fat += 9 * np.sqrt(np.clip(1 - q, 0, 1))
    return fat


def _bowel_gas(canvas: Canvas, p: Placement) -> None:
    """Gas in front of the spine: pieces of colon with haustra, small-bowel pockets, mottled stool."""
    step, m, rng = 4, p.conditions.magnification, canvas.rng
    x, y = canvas.grid(step)
    spine, height = _spine(p)
    centre = np.interp(y[:, 0], height, spine)[:, None]
    gas = np.zeros(np.broadcast(x, y).shape, np.float32)
    lump = canvas.noise(gas.shape, 5.0, step)
    fine = canvas.noise(gas.shape, 1.6, step)
    much = rng.uniform(0.25, 0.9)
    for _ in range(int(rng.integers(2, 6))):
        along, off = rng.uniform(height[3], height[-2] + 40), -m * rng.uniform(22, 115)
        start = np.array([np.interp(along, height, spine) + off, along])
        size = rng.uniform(5, 16) * m
        field = colon(rng, x, y, start, size, int(rng.integers(1, 13)))
        inside = np.clip(field + 0.28 * lump + 0.10 * fine, 0, 1.3)
        gas = np.maximum(gas, 1.5 * size / m * much * rng.uniform(0.4, 1.3) * inside**0.75)
    front = np.clip((centre - 20 * m - x) / (22 * m), 0, 1)
    region = np.exp(-(((y - rng.uniform(height[5], height[10])) / (60 * m)) ** 2))
    stool = np.clip(0.8 * lump + 0.75 * fine - 0.35, 0, None)
    gas += 7.0 * much * np.sqrt(stool) * front * region
    canvas.soft -= np.clip(canvas.spread(gas, step), 0, None)
    np.clip(canvas.soft, 0, None, out=canvas.soft)


def colon(rng, x, y, start, size: float, pieces: int) -> np.ndarray:
    """A winding tube with pouches, 1 in its middle, 0 at its wall; folds reach in from one side at a time."""
    field = np.full(np.broadcast(x, y).shape, -9.0, np.float32)
    heading, at, phase = rng.uniform(0, 2 * np.pi), np.array(start, dtype=float), rng.uniform(0, np.pi)
    squash = rng.uniform(0.8, 1.0)
    for k in range(pieces):
        narrow = abs(np.sin(phase + 0.62 * k))
        radius = size * (0.62 + 0.38 * narrow**0.6) * rng.uniform(0.93, 1.07)
        lean = (1 if int((phase + 0.62 * k) / np.pi) % 2 else -1) * (1 - narrow) * 0.35 * size
        cx, cy = at + lean * np.array([-np.sin(heading), np.cos(heading)])
        field = np.maximum(field, 1 - ((x - cx) / radius) ** 2 - ((y - cy) / (squash * radius)) ** 2)
        heading += rng.normal(0, 0.16)
        at += 0.42 * size * np.array([np.cos(heading), np.sin(heading)])
    return field


# level: how far a rib runs forward and falls, mm; height of its section; share of its length before it thins
_RIBS = {"T9": (175, 92, 6.2, 0.86), "T10": (150, 108, 6.0, 0.82), "T11": (104, 118, 5.4, 0.6),
         "T12": (42, 92, 4.6, 0.5)}  # fmt: skip


def add_ribs(canvas: Canvas, p: Placement) -> None:
    """Ribs 9 to 12 of both sides, each side with its own magnification; the last two end in a point."""
    rng = np.random.default_rng([p.body.seed, 31])
    canvas_rng, canvas.rng = canvas.rng, rng
    steep = rng.normal(1, 0.08)
    for level, (forward, fall, height, whole) in _RIBS.items():
        frame = p.frames[level]
        v = frame.vertebra
        long = rng.normal(1, 0.07) * (rng.uniform(0.55, 1.15) if level == "T12" else 1.0)
        for side in (-1, 1):
            t = np.linspace(0, 1, 34)
            swing = rng.normal(1, 0.06)
            a = v.depth * 0.8 + 26 * np.sin(np.pi * np.clip(t * 1.5, 0, 1)) * swing
            a = a - forward * long * rng.normal(1, 0.03) * np.clip(t - 0.22, 0, 1) ** 1.2
            h = -v.anterior * 0.32 + fall * steep * long * (0.35 * t + 0.65 * t**1.4) * rng.normal(1, 0.04)
            z = side * (v.width + 100 * np.sin(np.pi * 0.5 * np.clip(t * 1.25, 0, 1)))
            tilt = np.radians(-0.75 * _tilt(frame))  # the cage hangs upright whatever the vertebra's tilt
            a, h = a * np.cos(tilt) - h * np.sin(tilt), a * np.sin(tilt) + h * np.cos(tilt)
            path = np.gradient(np.stack([a, h, z], axis=1), axis=0)
            slope = np.linalg.norm(path, axis=1) / np.maximum(np.hypot(path[:, 0], path[:, 1]), 1e-3)
            radius = np.interp(t, [0, 0.1, 0.3, whole, 1], np.array([0.75, 0.85, 1, 0.95, 0.22]) * height)
            canvas.tube(frame.project(a, h, z), radius, mag=frame.magnification, shell=0.62, core=1.2,
                        flat=0.62, slope=np.clip(slope, 1, 2.4), rough=0.3)  # fmt: skip
    canvas.rng = canvas_rng


def _tilt(frame) -> float:
    """Tilt of a vertebra on the film in degrees, caudal end to posterior positive."""
    return float(np.degrees(np.arctan2(frame.axes[1, 0], frame.axes[1, 1])))


def add_aorta(canvas: Canvas, p: Placement) -> None:
    """Flecks and short lines of calcium in the wall of the aorta, in front of L1 to L4."""
    if p.body.aorta < 0.05:
        return
    rng = np.random.default_rng([p.body.seed, 41])
    canvas_rng, canvas.rng = canvas.rng, rng
    m = p.conditions.magnification
    spine, height = _spine(p)
    for wall in (-29, -46):
        for _ in range(int(3 + 14 * p.body.aorta)):
            y0 = rng.uniform(height[4], height[7] + 10)
            length = rng.uniform(1.5, 12) * m
            y = np.linspace(y0, y0 + length, 5)
            x = np.interp(y, height, spine) + m * (wall + rng.normal(0, 1.2)) + rng.normal(0, 0.3, 5)
            path = np.stack([x, y], axis=1)
            canvas.tube(path, rng.uniform(0.4, 1.0), mag=m, shell=2.0, flat=2.5, rough=0.4)
    canvas.rng = canvas_rng


def add_clips(canvas: Canvas, p: Placement) -> None:
    """Metal clips left by an operation, in front of L1 and L2."""
    rng = np.random.default_rng([p.body.seed, 43])
    m = p.conditions.magnification
    middle = p.frames["L1"].centre + m * np.array([-rng.uniform(45, 75), rng.uniform(0, 25)])
    bone, canvas.cortical = canvas.cortical, np.zeros_like(canvas.cortical)
    for _ in range(p.body.clips):
        at, turn = middle + m * rng.normal(0, 7, 2), rng.uniform(0, np.pi)
        step = 2.8 * m * np.array([np.cos(turn), np.sin(turn)])
        canvas.tube(at + np.outer([-1, 1], step), 0.5, mag=m, shell=9.0, rough=0.0)
    canvas.metal += canvas.cortical
    canvas.cortical = bone
