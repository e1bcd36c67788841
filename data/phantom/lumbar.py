"""What lies around the lumbar spine: soft tissue, lungs, bowel gas, ribs, pelvis, posterior elements."""

from __future__ import annotations

import cv2
import numpy as np

from data.phantom.canvas import Canvas, smooth
from data.phantom.placement import Frame, Placement

# outlines of posterior elements, local (a - half depth, h) in mm for a vertebra 27 mm high
_PEDICLE = [(-3, -10), (3, -9.5), (9, -10.5), (14, -9), (15, -3), (13, 2), (8, 1.5), (3, 3), (-3, 5)]
_SUPERIOR = [(9, -4), (8.5, -12), (9.5, -20), (13, -23.5), (17, -21), (18, -13), (19, -5), (15, 0)]
_INFERIOR = [
    (11, -7),
    (19, -6),
    (24, 2),
    (27, 12),
    (27, 21),
    (24, 27.5),
    (19.5, 27),
    (17.5, 20),
    (17, 11),
    (12, 2),
]
_LAMINA = [(14, -4), (21, -3), (26, 3), (28, 14), (25, 20), (20, 14), (15, 5)]
_SPINOUS = [
    (20, -1),
    (28, 0),
    (38, 2),
    (48, 5),
    (56, 7),
    (60, 13),
    (59, 22),
    (54, 25),
    (46, 23),
    (36, 20),
    (27, 18),
    (21, 12),
]
_SPINOUS_THORACIC = [
    (15, 0),
    (22, 2),
    (30, 10),
    (38, 20),
    (44, 30),
    (43, 36),
    (38, 36),
    (30, 28),
    (22, 20),
    (15, 12),
]


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
    waist = 1.0 - 0.10 * np.exp(-((level - 5.2) ** 2) / 4.0) + 0.16 / (1 + np.exp(-(level - 8.6) / 0.8))
    width = body.trunk_width * waist
    rounding = np.where(u > 0, 0.5, 0.62)  # the back is flatter than the belly
    trunk = width * np.power(np.clip(1 - np.abs(u) ** np.where(u > 0, 2.8, 2.3), 0, 1), rounding)
    muscle = 10 * np.exp(-((((x - centre) / m - 52) / 14) ** 2)) * (level > 1)
    trunk += muscle * (trunk > 40)
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
        air += (0.33 - 0.04 * side) * trunk * np.power(above / 60, 0.42)
    return air * np.clip(vessels, 0.5, 1.3)


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
    """Gas in front of the spine: chains of pouches of the colon, small-bowel pockets, mottled stool."""
    step, m, rng = 3, p.conditions.magnification, canvas.rng
    x, y = canvas.grid(step)
    spine, height = _spine(p)
    centre = np.interp(y[:, 0], height, spine)[:, None]
    gas = np.zeros(np.broadcast(x, y).shape, np.float32)
    lump = canvas.noise(gas.shape, 5.0, step)
    fine = canvas.noise(gas.shape, 1.6, step)
    much = rng.uniform(0.3, 1.2)
    for _ in range(int(rng.integers(2, 6))):
        along, off = rng.uniform(height[3], height[-2] + 40), -m * rng.uniform(22, 110)
        cx, cy, heading = np.interp(along, height, spine) + off, along, rng.uniform(0, 2 * np.pi)
        size = rng.uniform(6, 15) * m
        chain = np.full(gas.shape, -9.0, np.float32)
        for _ in range(int(rng.integers(1, 6))):
            a, b = size * rng.uniform(0.8, 1.25), size * rng.uniform(0.8, 1.25)
            chain = np.maximum(chain, 1 - ((x - cx) / a) ** 2 - ((y - cy) / b) ** 2)
            heading += rng.normal(0, 0.5)
            cx, cy = cx + 1.35 * size * np.cos(heading), cy + 1.35 * size * np.sin(heading)
        inside = np.clip(chain + 0.22 * lump + 0.04 * fine, 0, 1.3)
        gas = np.maximum(gas, 1.7 * size / m * much * rng.uniform(0.5, 1.3) * np.sqrt(inside))
    front = np.clip((centre - 20 * m - x) / (22 * m), 0, 1)
    region = np.exp(-(((y - rng.uniform(height[5], height[10])) / (52 * m)) ** 2))
    stool = np.clip(0.8 * lump + 0.75 * fine - 0.55, 0, None)
    gas += 9.0 * much * np.sqrt(stool) * front * region
    canvas.soft -= np.clip(canvas.spread(gas, step), 0, None)
    np.clip(canvas.soft, 0, None, out=canvas.soft)


def _local_plate(
    canvas: Canvas, frame: Frame, shape, size: float, side: float, thickness: float, **options
) -> None:
    """A posterior element: outline relative to the posterior wall, at lateral position ``side`` mm."""
    local = smooth(np.asarray(shape, dtype=float) * size, each=4)
    points = frame.project(frame.vertebra.depth + local[:, 0], local[:, 1], side)
    canvas.plate(points, thickness, **options)


def add_posterior_elements(canvas: Canvas, p: Placement, only: tuple[str, ...] = ()) -> None:
    """Pedicles, articular processes, laminae, transverse and spinous processes of every level."""
    rng = np.random.default_rng([p.body.seed, 23])
    canvas_rng, canvas.rng = canvas.rng, rng
    for level, frame in p.frames.items():
        v = frame.vertebra
        thoracic = level.startswith("T")
        size = v.anterior / 27.0 * rng.uniform(0.94, 1.06) * (0.7 if level in ("S2", "S3") else 1.0)
        if only and level not in only:
            continue
        wide = v.width * (0.40 if thoracic else 0.50 + 0.05 * (level in ("L5", "S1")))
        for side in (-1, 1):
            jog = rng.normal(0, 1.0, (3, 2))
            common = {"step": 1, "wander": 0.5, "mottle": 0.35}
            bone = {"shell": 0.85, "core": 1.5, "round_off": 4.0, **common}
            _local_plate(canvas, frame, np.add(_PEDICLE, jog[0] * 0.5), size, side * wide, 10 * size, **bone)
            if not level.startswith("S"):
                lower = np.add(_INFERIOR, jog[1])
                _local_plate(canvas, frame, lower, size, side * (wide + 1), 11 * size, **bone)
                sheet = np.add(_LAMINA, jog[1])
                _local_plate(canvas, frame, sheet, size, side * 0.5 * wide, 6 * size, **bone)
            upper = np.add(_SUPERIOR, jog[2])
            _local_plate(canvas, frame, upper, size, side * (wide + 4), 12 * size, **bone)
            at = frame.project(v.depth + 9 * size + jog[0, 0], -3.0 + jog[0, 1], side * (wide + 14))
            tip = [at, at + rng.normal(0, 2, 2)]
            canvas.tube(tip, 4.3 * size, mag=frame.magnification, shell=0.4, core=2.2, flat=1.4, rough=0.5)
        if not level.startswith("S"):
            shape = _SPINOUS_THORACIC if thoracic else _SPINOUS
            _local_plate(
                canvas,
                frame,
                np.add(shape, rng.normal(0, 1.0, (len(shape), 2))),
                size,
                0.0,
                8.5,
                shell=1.0,
                core=1.2,
                round_off=3.0,
                step=1,
                wander=0.5,
                mottle=0.3,
            )
        else:
            bump = [(14, -4), (24, 0), (30, 8), (26, 18), (16, 16)]
            _local_plate(
                canvas,
                frame,
                np.add(bump, rng.normal(0, 1.2, (5, 2))),
                size,
                0.0,
                6.0,
                shell=0.7,
                core=0.7,
                round_off=4.0,
                step=1,
                wander=0.6,
            )
    canvas.rng = canvas_rng


def add_ribs(canvas: Canvas, p: Placement) -> None:
    """Ribs 9 to 12 of both sides, each side with its own magnification."""
    rng = np.random.default_rng([p.body.seed, 31])
    canvas_rng, canvas.rng = canvas.rng, rng
    for level, forward, fall in (("T9", 150, 95), ("T10", 135, 92), ("T11", 108, 82), ("T12", 48, 52)):
        frame = p.frames[level]
        v = frame.vertebra
        for side in (-1, 1):
            t = np.linspace(0, 1, 30)
            swing, tail = rng.normal(1, 0.06), rng.normal(1, 0.10)
            a = v.depth * 0.75 + 30 * np.sin(np.pi * np.clip(t * 1.45, 0, 1)) * swing
            a = a - forward * tail * np.clip(t - 0.3, 0, 1) ** 1.25
            h = -v.anterior * 0.30 + fall * t**1.1 * swing + rng.normal(0, 2)
            z = side * (v.width + 92 * np.sin(np.pi * 0.5 * np.clip(t * 1.3, 0, 1)))
            points = frame.project(a, h, z)
            path = np.gradient(np.stack([a, h, z], axis=1), axis=0)
            slope = np.clip(
                np.linalg.norm(path, axis=1) / np.maximum(np.hypot(path[:, 0], path[:, 1]), 1e-3), 1, 2.6
            )
            radius = np.interp(t, [0, 0.1, 0.7, 1], [3.8, 4.8, 5.6, 3.2])
            canvas.tube(
                points,
                radius,
                mag=frame.magnification,
                shell=0.7,
                core=0.6,
                flat=0.75,
                slope=slope,
                rough=0.35,
            )
    canvas.rng = canvas_rng


# iliac wing, mm from the centre of S1, x to posterior; from the posterior spine over the crest to the front
_ILIUM = [(62, 52), (70, 30), (63, 8), (46, -14), (22, -30), (-6, -38), (-34, -32), (-58, -14), (-74,
12), (-84, 40),
          (-82, 54), (-70, 62), (-62, 84), (-64, 100), (-52, 116), (-30, 132), (-20, 180),
    (-16, 270),
    (60, 270), (34, 190), (26, 132),
          (12, 112), (16, 94), (36, 86), (54, 74)]  # fmt: skip


def add_pelvis(canvas: Canvas, p: Placement) -> None:
    """Iliac wings of both sides over L5-S1, the alae and the back of the sacrum."""
    rng = np.random.default_rng([p.body.seed, 37])
    canvas_rng, canvas.rng = canvas.rng, rng
    m, s1 = p.conditions.magnification, p.frames["S1"].centre
    high = (p.body.crest - 0.5) * 18 - 4
    lean = np.radians(rng.normal(0, 5))
    spin = np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])
    for side in (-1, 1):
        z = side * 100 * (1 + rng.normal(0, 0.05))
        scale = m * (1 - z / 1300)
        shift = np.array([rng.normal(0, 3) + p.conditions.rotation * 1.7 * side, rng.normal(0, 3) + high])
        shift[1] += p.conditions.side_tilt * 1.7 * side
        outline = s1 + (np.array(_ILIUM, dtype=float) @ spin + shift) * scale
        canvas.plate(smooth(outline), 17.0, shell=1.3, core=1.6, round_off=10 * m, mottle=0.3, wander=1.2)
        crest = smooth(outline[1:11], closed=False)
        thick = np.interp(
            np.linspace(0, 1, len(crest)), [0, 0.15, 0.3, 0.8, 0.9, 1], [0.5, 4.5, 2.8, 3.8, 3.2, 0.5]
        )
        canvas.tube(crest, thick, mag=m, shell=0.8, core=1.2, flat=1.1, rough=0.5)
    frame = p.frames["S1"]
    v = frame.vertebra
    for side in (-1, 1):
        local = np.array(
            [(-v.depth * 0.35, -v.anterior * 0.30), (v.depth * 0.7, -v.anterior * 0.52), (v.depth * 1.5, -8),
             (v.depth * 1.75, 16), (v.depth * 1.5, 62), (v.depth * 0.7, 78), (-v.depth * 0.5, 24)]
        )  # fmt: skip
        outline = smooth(frame.project(local[:, 0], local[:, 1], side * 42.0))
        canvas.plate(outline, 24.0, shell=0.5, core=1.5, round_off=13 * m, soften=1.2, mottle=0.3, wander=1.2)
    rear = frame.project(
        v.depth * np.array([1.55, 1.75, 1.72, 1.5, 1.0]), np.array([-10, 12, 36, 62, 86.0]), 0.0
    )
    canvas.tube(smooth(rear, closed=False), 3.0, mag=m, shell=0.9, core=0.6, flat=2.2, rough=0.6)
    canvas.rng = canvas_rng


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
