"""What lies around the lumbar spine: soft tissue, lungs, bowel gas, ribs, pelvis, posterior elements."""

from __future__ import annotations

import numpy as np

from data.phantom.canvas import Canvas
from data.phantom.placement import Placement


def add_soft_tissue(canvas: Canvas, p: Placement) -> None:
    """Trunk as water: width along the beam by height, rounded to skin in front and behind; lungs and gas out."""
    body, c, step = p.body, p.conditions, 8
    x, y = canvas.grid(step)
    m = c.magnification
    spine, height = _spine(p)
    centre = np.interp(y[:, 0], height, spine)[:, None]
    level = _level(p, y)
    back = centre + m * (
        78 * body.bulk**0.5 + 9 * np.exp(-((level - 8.6) ** 2) / 2.0) - 10 * np.exp(-((level - 5.5) ** 2) / 4)
    )
    front = centre - m * (body.trunk_depth - 80 + 14 * np.exp(-((level - 6.5) ** 2) / 6.0))
    middle, half = (back + front) / 2, (back - front) / 2
    u = np.clip((x - middle) / half, -1, 1)
    waist = 1.0 - 0.11 * np.exp(-((level - 5.4) ** 2) / 3.2) + 0.13 * np.clip(level - 7.2, 0, 2.5) / 2.5
    width = body.trunk_width * waist
    trunk = width * np.power(np.clip(1 - np.abs(u) ** 2.3, 0, 1), 0.62)
    trunk -= _lungs(canvas, p, x, y, centre, trunk)
    trunk *= 1 + 0.012 * canvas.noise(trunk.shape, 14, step) + 0.006 * canvas.noise(trunk.shape, 4, step)
    canvas.soft += np.maximum(canvas.spread(trunk, step), 0)
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
    return np.where(
        y < height[0],
        (y - height[0]) / step,
        np.where(y > height[-1], grid[-1] + (y - height[-1]) / step, inside),
    )


def _lungs(canvas: Canvas, p: Placement, x, y, centre, trunk) -> np.ndarray:
    m = p.conditions.magnification
    top = p.frames["T12"].centre[1] + canvas.rng.normal(-12, 9)
    air = np.zeros(np.broadcast(x, y).shape, np.float32)
    for side in range(2):
        shift = canvas.rng.normal(0, 7)
        forward = (centre - x) / m
        dome = top + shift - m * (0.42 * np.clip(forward, -60, 75) - 0.0028 * np.clip(forward, -60, 150) ** 2)
        depth = np.clip((dome - y) / (38 * m), 0, 1)
        air += 0.30 * trunk * np.sqrt(depth) * (1 - 0.1 * side)
    return air


def _bowel_gas(canvas: Canvas, p: Placement) -> None:
    """Pockets of gas in front of the spine, some over it, with the notched outline of colon; and mottled stool."""
    step, m, rng = 3, p.conditions.magnification, canvas.rng
    x, y = canvas.grid(step)
    spine, height = _spine(p)
    centre = np.interp(y[:, 0], height, spine)[:, None]
    gas = np.zeros(np.broadcast(x, y).shape, np.float32)
    lump = canvas.noise(gas.shape, 5.5, step)
    fine = canvas.noise(gas.shape, 2.2, step)
    for _ in range(rng.integers(3, 9)):
        along = rng.uniform(height[3], height[-2] + 20)
        off = -m * rng.uniform(28, 105)
        cx, cy = np.interp(along, height, spine) + off, along
        a, b, t = rng.uniform(9, 24) * m, rng.uniform(6, 15) * m, rng.uniform(0, np.pi)
        dx, dy = x - cx, y - cy
        u, v = dx * np.cos(t) + dy * np.sin(t), -dx * np.sin(t) + dy * np.cos(t)
        inside = 1 - (u / a) ** 2 - (v / b) ** 2 + 0.33 * lump
        gas += np.sqrt(np.clip(inside, 0, None)) * b / m * rng.uniform(0.7, 1.6)
    front = np.clip((centre - 24 * m - x) / (18 * m), 0, 1)
    stool = np.clip(lump * 0.7 + fine * 0.9 - 0.9, 0, None)
    region = np.exp(-(((y - rng.uniform(height[4], height[8])) / (45 * m)) ** 2))
    gas += 5.0 * rng.uniform(0.2, 1.3) * np.sqrt(stool) * front * region
    canvas.soft -= np.clip(canvas.spread(gas, step), 0, None)
    np.clip(canvas.soft, 0, None, out=canvas.soft)


def add_posterior_elements(canvas: Canvas, p: Placement) -> None:
    """Pedicles, articular processes, laminae, transverse and spinous processes of every level."""
    rng = np.random.default_rng([p.body.seed, 23])
    canvas_rng, canvas.rng = canvas.rng, rng
    for level, frame in p.frames.items():
        v = frame.vertebra
        size = v.anterior / 27.0 * rng.uniform(0.94, 1.06)
        d = v.depth
        thoracic = level.startswith("T")
        wide = v.width * (0.48 if not thoracic else 0.42)
        if level in ("S2", "S3"):
            size *= 0.8
        for side in (-1, 1):
            j = rng.normal(0, 0.8, 12)
            l0 = side * wide
            l1 = side * (wide + 4)
            canvas.bone_tube(
                frame, [(d - 4, -4 * size, l0), (d + 4, -5 * size, l0), (d + 11, -4 * size, l1)],
                np.array([6.6, 5.4, 6.0]) * size, shell=0.8, core=0.8, flat=1.15,
            )  # fmt: skip
            canvas.bone_tube(
                frame,
                [(d + 8 + j[0], -2, l1), (d + 10 + j[1], -11 * size, l1), (d + 12 + j[2], -20 * size + j[3], l1)],
                np.array([5.5, 5.0, 3.6]) * size, shell=1.0, core=0.8, flat=1.5,
            )  # fmt: skip
            canvas.bone_tube(
                frame,
                [(d + 11, -4, l1), (d + 15 + j[4], 6 * size, l1), (d + 19 + j[5], 16 * size, l1 * 0.9),
                 (d + 18 + j[6], 26 * size + j[7], l1 * 0.9)],
                np.array([5.2, 4.2, 5.2, 3.6]) * size, shell=1.0, core=0.7, flat=1.3,
            )  # fmt: skip
            canvas.bone_tube(
                frame, [(d + 8, -4, side * (wide + 6)), (d + 9 + j[8], -4 + j[9], side * (wide + 26))],
                np.array([4.6, 3.4]) * size, shell=0.7, core=0.4, flat=1.0, slope=2.2,
            )  # fmt: skip
        tall = 1.0 if not thoracic else 0.65
        drop = 7 if not thoracic else 20
        reach = (34 if not level.startswith("S") else 16) * size
        canvas.bone_tube(
            frame,
            [(d + 18, 2, 0), (d + 24, 6 * size, 0), (d + 24 + reach * 0.6, (6 + drop * 0.6) * size, 0),
             (d + 24 + reach, (6 + drop) * size, 0)],
            np.array([4.5, 7.0, 8.5, 7.2]) * size * tall, shell=0.9, core=0.6, flat=0.42, rough=0.4,
        )  # fmt: skip
    canvas.rng = canvas_rng


def add_ribs(canvas: Canvas, p: Placement) -> None:
    """Ribs 10 to 12 of both sides, each side with its own magnification."""
    rng = np.random.default_rng([p.body.seed, 31])
    canvas_rng, canvas.rng = canvas.rng, rng
    for level, forward, fall in (("T9", 150, 80), ("T10", 135, 80), ("T11", 100, 78), ("T12", 42, 52)):
        frame = p.frames[level]
        v = frame.vertebra
        for side in (-1, 1):
            t = np.linspace(0, 1, 26)
            swing = rng.normal(1, 0.08)
            tail = rng.normal(1, 0.1)
            a = (
                v.depth * 0.7
                + 34 * np.sin(np.pi * np.clip(t * 1.45, 0, 1)) * swing
                - forward * tail * np.clip(t - 0.3, 0, 1) ** 1.25
            )
            h = -v.anterior * 0.3 + fall * t**1.1 * swing
            z = side * (v.width + 92 * np.sin(np.pi * 0.5 * np.clip(t * 1.3, 0, 1)))
            points = frame.project(a, h, z)
            path = np.gradient(np.stack([a, h, z], axis=1), axis=0)
            flat_length = np.hypot(path[:, 0], path[:, 1])
            slope = np.clip(np.linalg.norm(path, axis=1) / np.maximum(flat_length, 1e-3), 1, 2.6)
            radius = np.interp(t, [0, 0.1, 0.7, 1], [3.8, 4.6, 5.2, 3.4])
            canvas.tube(
                points,
                radius,
                mag=frame.magnification,
                shell=0.75,
                core=0.45,
                flat=0.62,
                slope=slope,
                rough=0.5,
            )
    canvas.rng = canvas_rng


def add_pelvis(canvas: Canvas, p: Placement) -> None:
    """Iliac wings of both sides over L5-S1 and the alae of the sacrum."""
    rng = np.random.default_rng([p.body.seed, 37])
    canvas_rng, canvas.rng = canvas.rng, rng
    m, s1, l5 = p.conditions.magnification, p.frames["S1"].centre, p.frames["L5"].centre
    high = (p.body.extras["iliac"] - 0.5) * 14
    crest = np.array(
        [(66, 44), (52, 18), (30, -14), (4, -33), (-24, -36), (-50, -20), (-66, 6), (-72, 30), (-60, 52), (-44, 70),
         (-34, 100), (-30, 150), (40, 150), (44, 96), (58, 70)], dtype=float,
    )  # fmt: skip
    for side in (-1, 1):
        z = side * 105 * (1 + rng.normal(0, 0.05))
        scale = m * (1 - z / 1400)
        shift = np.array([rng.normal(0, 4), rng.normal(0, 4) + high])
        shear = p.conditions.rotation * 1.6 * side
        outline = s1 + (crest + shift + [shear, 0]) * scale
        outline = _smooth(outline)
        canvas.plate(outline, 15.0, shell=1.0, core=0.45, round_off=9 * m, mottle=0.22)
        edge = _smooth(s1 + (crest[:9] + shift + [shear, 0]) * scale, closed=False)
        canvas.tube(
            edge,
            np.interp(np.linspace(0, 1, len(edge)), [0, 0.3, 0.8, 1], [5, 4.2, 4.5, 3]),
            mag=m,
            shell=1.0,
            core=0.6,
            flat=1.1,
            rough=0.6,
        )
    frame = p.frames["S1"]
    v = frame.vertebra
    for side in (-1, 1):
        local = np.array([(-v.depth * 0.5, -v.anterior * 0.36), (v.depth * 1.1, -v.anterior * 0.5), (v.depth * 1.7, 6), (v.depth * 1.5, 62), (v.depth * 0.6, 74), (-v.depth * 0.6, 20)])  # fmt: skip
        outline = _smooth(frame.project(local[:, 0], local[:, 1], side * 45.0))
        canvas.plate(outline, 24.0, shell=0.6, core=0.35, round_off=14 * m, soften=1.2, mottle=0.2)
    del l5
    canvas.rng = canvas_rng


def _smooth(points: np.ndarray, closed: bool = True, each: int = 8) -> np.ndarray:
    """A smooth curve through points (Catmull-Rom)."""
    points = np.asarray(points, dtype=float)
    n = len(points)
    out = []
    t = np.linspace(0, 1, each, endpoint=False)[:, None]
    for i in range(n if closed else n - 1):
        if closed:
            a, b, c, d = (points[(i + k) % n] for k in (-1, 0, 1, 2))
        else:
            a, b, c, d = (points[min(max(i + k, 0), n - 1)] for k in (-1, 0, 1, 2))
        out.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.concatenate(out)


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
            canvas.tube(
                np.stack([x, y], axis=1), rng.uniform(0.4, 1.0), mag=m, shell=2.0, flat=2.5, rough=0.4
            )
    canvas.rng = canvas_rng
