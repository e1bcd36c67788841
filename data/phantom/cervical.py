"""What lies around the cervical spine: neck, airway, skull base, jaw, teeth, C1, articular pillars, shoulders."""

from __future__ import annotations

import numpy as np

from data.phantom.canvas import Canvas
from data.phantom.lumbar import _smooth
from data.phantom.placement import Placement, shoulder_line


def _spine(p: Placement) -> tuple[np.ndarray, np.ndarray]:
    centres = np.array([frame.centre for frame in p.frames.values()])
    return centres[:, 0], centres[:, 1]


def add_soft_tissue(canvas: Canvas, p: Placement) -> None:
    """Neck, head and shoulders as water along the beam; pharynx and trachea taken out."""
    body, c, step = p.body, p.conditions, 6
    m = c.magnification
    x, y = canvas.grid(step)
    sx, sy = _spine(p)
    slope = (sx[1] - sx[0]) / (sy[1] - sy[0])
    centre = np.where(y < sy[0], sx[0] + slope * 0.3 * (y - sy[0]), np.interp(y, sy, sx))
    c2, c7 = sy[0], sy[5]
    t = (y - c2) / (c7 - c2)
    bulk = body.bulk**0.6
    chin = c2 + 28 * m
    back = centre + m * (
        52 * bulk
        + 12 * np.exp(-((t + 0.35) ** 2) / 0.12)
        - 5 * np.exp(-((t - 0.35) ** 2) / 0.1)
        + 22 * np.clip(t - 0.75, 0, 2) ** 1.4
    )
    jaw = 1 / (1 + np.exp((y - chin) / (5.0 * m)))
    front = centre - m * (
        44 * bulk + 3 * np.sin(5 * t + body.extras["larynx"] * 3) + 70 * jaw - 30 * np.clip(t - 0.9, 0, 1)
    )
    middle, half = (back + front) / 2, (back - front) / 2
    u = np.clip((x - middle) / half, -1, 1)
    head = 1 / (1 + np.exp((t + 0.05) / 0.10))
    width = (118 * bulk + 22 * head) * np.ones_like(y)
    neck = width * np.power(np.clip(1 - np.abs(u) ** 2.2, 0, 1), 0.6)
    line = shoulder_line(p)
    fall = line - 0.16 * (x - np.interp(line, sy, sx)) + 0.0016 * (x - np.interp(line, sy, sx)) ** 2
    rng = canvas.rng
    bulk_map = np.zeros(neck.shape, np.float32)
    for _ in range(2):
        edge = fall + rng.normal(0, 7) + 0.05 * rng.normal() * (x - middle)
        into = np.clip((y - edge) / (58 * m), 0, 1.4)
        bulk_map += 98 * body.bulk * np.power(into, 0.75)
    neck += bulk_map * (np.abs(u) < 1)
    neck *= 1 + 0.012 * canvas.noise(neck.shape, 10, step) + 0.006 * canvas.noise(neck.shape, 3, step)
    canvas.soft += np.maximum(canvas.spread(neck, step), 0)
    _airway(canvas, p)


def _airway(canvas: Canvas, p: Placement) -> None:
    """Gas column before the spine: nasopharynx to larynx, epiglottis and vocal cords, then trachea."""
    m, step = p.conditions.magnification, 2
    sx, sy = _spine(p)
    front = np.array([p.frames[level].centre[0] - p.frames[level].vertebra.depth * m for level in p.frames])
    x, y = canvas.grid(step)
    t = np.array([-2.4, -1.2, -0.3, 0.4, 1.0, 1.6, 2.3, 2.9, 3.3, 3.7, 4.3, 5.2, 6.5, 8.0])
    space = np.array(
        [8, 6.0, 4.5, 4.2, 4.0, 4.2, 6.5, 10, 12.5, 13.5, 14, 14, 14.5, 15.0]
    )  # prevertebral tissue
    wide = np.array([10, 11, 11, 12, 14, 15, 13, 8, 4.0, 9, 14.5, 16, 16.5, 17.0])  # depth of the air
    deep = np.array([20, 20, 22, 24, 26, 26, 24, 16, 6.0, 13, 16, 16.5, 17, 17.0])  # along the beam
    grid = np.arange(len(sy))
    height = np.interp(t, grid, sy, left=np.nan)
    below = t < 0
    height[below] = sy[0] + t[below] * (sy[1] - sy[0])
    edge = np.interp(np.clip(t, 0, 8), grid, front) + np.where(below, -2.0 * t * m, 0)
    yy = y[:, 0]
    back = np.interp(yy, height, edge - m * space)[:, None]
    width = np.interp(yy, height, wide)[:, None] * m * canvas.rng.uniform(0.85, 1.2)
    depth = np.interp(yy, height, deep)[:, None]
    wobble = 1.0 * m * canvas.noise((len(yy), 1), 9, step)
    u = (back + wobble - x) / width
    air = np.where((u > 0) & (u < 1), depth * np.power(np.clip(4 * u * (1 - u), 0, 1), 0.45), 0)
    tongue = p.frames["C3"].centre
    ex, ey = tongue[0] - m * 31, tongue[1] + m * 4
    leaf = np.exp(-((((x - ex) + 0.35 * (y - ey)) / (2.3 * m)) ** 2) - ((y - ey) / (9 * m)) ** 2)
    air = np.maximum(air - 14 * leaf, 0)
    canvas.soft -= np.clip(canvas.spread(air, step), 0, None)
    np.clip(canvas.soft, 0, None, out=canvas.soft)


def add_posterior_elements(canvas: Canvas, p: Placement) -> None:
    """Articular pillars, pedicles, transverse processes, laminae and spinous processes; C1 and the dens."""
    rng = np.random.default_rng([p.body.seed, 53])
    canvas_rng, canvas.rng = canvas.rng, rng
    long = {"C2": 24, "C3": 18, "C4": 18, "C5": 20, "C6": 27, "C7": 36, "T1": 36, "T2": 34, "T3": 32}
    for level, frame in p.frames.items():
        v = frame.vertebra
        s = v.anterior / 15.2
        d = v.depth
        for side in (-1, 1):
            j = rng.normal(0, 0.5, 10)
            lat = side * 19.0
            canvas.bone_tube(
                frame, [(d + 4 + j[0], -8 * s, lat), (d + 8 + j[1], 0, lat), (d + 13 + j[2], 8.5 * s, lat)],
                np.array([4.2, 5.6, 4.2]) * s, shell=0.8, core=0.9, flat=1.15,
            )  # fmt: skip
            canvas.bone_tube(
                frame,
                [(d - 2, -1.5, side * 9.0), (d + 5, -1.0, lat)],
                np.array([3.4, 3.6]) * s,
                shell=0.6,
                flat=1.0,
            )
            canvas.bone_tube(
                frame,
                [(-0.25 * d + j[3], 0.5 + j[4], side * 17), (0.3 * d, 2.0, side * 22), (d, 1.5, lat)],
                np.array([2.6, 3.0, 3.0]) * s, shell=0.55, core=0.5, flat=0.8,
            )  # fmt: skip
            canvas.bone_tube(
                frame, [(d + 10, 2, lat * 0.8), (d + 19, 4 + j[5], side * 9), (d + 24, 6, side * 2)],
                np.array([3.8, 4.4, 3.6]) * s, shell=0.7, core=0.6, flat=0.8,
            )  # fmt: skip
        reach = long[level]
        drop = 7 + 0.28 * reach
        canvas.bone_tube(
            frame,
            [(d + 21, 4, 0), (d + 26, 7, 0), (d + 24 + reach * 0.7, 4 + drop * 0.8, 0), (d + 24 + reach, 4 + drop, 0)],
            np.array([3.2, 3.6, 3.6, 4.2]) * s * (1.35 if level == "C2" else 1.0), shell=0.8, core=0.6, flat=0.75,
        )  # fmt: skip
    _atlas(canvas, p)
    canvas.rng = canvas_rng


def _atlas(canvas: Canvas, p: Placement) -> None:
    frame = p.frames["C2"]
    v = frame.vertebra
    top = -v.anterior / 2
    canvas.bone_tube(
        frame, [(0, top + 4, 0), (-0.5, top - 6, 0), (0.3, top - 14, 0), (1.5, top - 21, 0)],
        np.array([6.6, 5.0, 5.6, 3.6]), shell=0.9, core=0.9, flat=0.95, rough=0.12,
    )  # fmt: skip
    canvas.bone_tube(
        frame,
        [(-9.5, top - 17, 0), (-9.8, top - 8, 0)],
        np.array([3.4, 3.6]),
        shell=1.1,
        core=0.8,
        flat=1.3,
        rough=0.15,
    )
    for side in (-1, 1):
        canvas.bone_tube(
            frame,
            [(-3, top - 8, side * 17), (5, top - 9, side * 19)],
            np.array([6.5, 6.0]),
            shell=0.7,
            core=0.8,
            flat=1.0,
        )
        canvas.bone_tube(
            frame, [(6, top - 10, side * 19), (22, top - 9, side * 16), (36, top - 7, side * 4)],
            np.array([3.2, 2.8, 3.6]), shell=0.8, core=0.5, flat=1.1,
        )  # fmt: skip
    canvas.bone_tube(frame, [(35, top - 7, 0), (40, top - 5, 0)], np.array([4.2, 3.8]), shell=1.0, core=0.5)


def add_head(canvas: Canvas, p: Placement) -> None:
    """Skull base with occiput, both halves of the mandible, teeth and fillings, hyoid."""
    rng = np.random.default_rng([p.body.seed, 59])
    canvas_rng, canvas.rng = canvas.rng, rng
    m = p.conditions.magnification
    origin = p.frames["C2"].project(0.0, -p.frames["C2"].vertebra.anterior / 2 - 18, 0.0)
    turn = np.radians(rng.normal(0, 4) - 0.4 * p.conditions.in_plane)
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])

    def at(points, z=0.0):
        scale = m * (1 - z / 1500)
        return origin + np.asarray(points, dtype=float) @ spin * scale

    base = [
        (-62, -34),
        (-40, -18),
        (-22, -12),
        (-6, -10),
        (6, -6),
        (20, -2),
        (38, 6),
        (56, 8),
        (72, -6),
        (84, -30),
        (92, -70),
        (60, -95),
        (-60, -95),
    ]
    canvas.plate(_smooth(at(base)), 34.0, shell=3.0, core=0.3, round_off=13 * m, soften=0.8, mottle=0.12)
    canvas.tube(
        _smooth(at([(8, -5), (20, -2), (38, 6), (56, 8), (72, -6), (84, -30), (92, -70)]), closed=False),
        3.0,
        mag=m,
        shell=1.4,
        flat=4.0,
        rough=0.7,
    )
    for side in (-1, 1):
        z = side * 42
        mastoid = [(-6, -18), (2, -2), (8, 8), (14, 6), (20, -6), (16, -24)]
        canvas.plate(_smooth(at(mastoid, z)), 16, shell=0.8, core=0.35, round_off=7 * m, mottle=0.4)
        j = rng.normal(0, 1.2, 2)
        ramus = np.array(
            [
                (-22, -22),
                (-17, 0),
                (-18, 20),
                (-26, 33),
                (-48, 40),
                (-76, 46),
                (-92, 46),
                (-96, 36),
                (-92, 26),
                (-72, 24),
                (-52, 18),
                (-44, 4),
                (-42, -22),
            ],
            dtype=float,
        )
        canvas.plate(_smooth(at(ramus + j, z)), 9, shell=1.6, core=0.6, round_off=5 * m, mottle=0.3)
        lower = _smooth(
            at(np.array([(-18, 18), (-26, 33), (-48, 40), (-76, 46), (-92, 46)], dtype=float) + j, z),
            closed=False,
        )
        canvas.tube(lower, 2.0, mag=m, shell=1.6, flat=1.6, rough=0.4)
    filled = set(rng.choice(14, size=min(p.body.fillings, 14), replace=False).tolist())
    for row, (y0, sign) in enumerate(((20, -1), (15, 1))):
        for k in range(7):
            x0 = -50 - 6.8 * k
            root = at(
                [
                    (x0 - rng.normal(0, 0.6), y0 - sign * 1.0),
                    (x0, y0 - sign * -0.5),
                    (x0 + rng.normal(1.5, 1), y0 - sign * 15),
                ]
            )
            canvas.tube(root, np.array([4.0, 4.2, 1.8]), mag=m, shell=1.6, core=2.4, flat=1.8, rough=0.15)
            if row * 7 + k in filled:
                spot = at([(x0 - 2.0, y0 - sign * -0.6), (x0 + 2.0, y0 + rng.normal(0, 1))])
                path_mask = np.zeros_like(canvas.cortical)
                keep, canvas.cortical = canvas.cortical, path_mask
                canvas.tube(spot, rng.uniform(1.5, 2.6), mag=m, shell=3.0, flat=1.0, rough=0.3)
                canvas.metal += canvas.cortical * 0.8
                canvas.cortical = keep
    hyoid = p.frames["C4"].centre + m * np.array([-44.0, -14.0])
    for side in (-1, 1):
        horn = hyoid + m * np.array([(0, 0), (8, -1.5 + side), (18, -4 + side), (27, -9 + 2 * side)])
        canvas.tube(
            _smooth(horn, closed=False),
            np.linspace(2.2, 1.2, 24),
            mag=m,
            shell=0.7,
            core=0.5,
            flat=1.1,
            rough=0.3,
        )
    canvas.tube(
        hyoid + m * np.array([(-1.5, -3), (0, 0), (-0.5, 5)]),
        2.6,
        mag=m,
        shell=0.9,
        core=0.5,
        flat=2.0,
        rough=0.3,
    )
    canvas.rng = canvas_rng


def add_shoulder_girdle(canvas: Canvas, p: Placement) -> None:
    """Clavicles and humeral heads, far from the middle and so larger and softer."""
    rng = canvas.rng
    m = p.conditions.magnification
    line = shoulder_line(p)
    sx, sy = _spine(p)
    for side in (-1, 1):
        scale = m * (1 - side * 0.10)
        base = np.array([np.interp(line, sy, sx), line]) + rng.normal(0, 8, 2)
        head = base + scale * np.array([rng.normal(4, 10), rng.normal(44, 8)])
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        ring = head + scale * 24 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        canvas.plate(ring, 40, shell=1.0, core=0.35, round_off=20 * scale, soften=2.0, mottle=0.1, step=4)
        collar = base + scale * np.array([(-62, 52), (-40, 40), (-14, 30), (12, 30), (30, 26)])
        canvas.tube(_smooth(collar, closed=False), 5.5, mag=scale, shell=1.4, core=0.4, flat=1.5, rough=0.5)
