"""Films that a spine scorer has to refuse: other views, other body parts, films that show nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np

from data.phantom import lumbar
from data.phantom.body import Body
from data.phantom.canvas import Canvas, smooth
from data.phantom.conditions import Conditions
from data.phantom.lesions import State


def wrong_attenuation(body: Body, states: Mapping[str, State], c: Conditions) -> tuple[Canvas, None]:
    """What the beam passes on a film of ``c.kind``; there are no labels."""
    drawn = {
        "ap_lumbar": _frontal,
        "ap_cervical": _frontal,
        "chest": _chest,
        "hand": _hand,
        "lateral_thoracic": _thoracic,
        "blank": _blank,
    }.get(c.kind)
    if drawn is not None:
        return drawn(body, c), None
    from data.phantom.placement import place
    from data.phantom.render import spine_attenuation

    return spine_attenuation(place(body, c), states), None


def _trunk(canvas: Canvas, c: Conditions, width: float, depth: float) -> None:
    x, y = canvas.grid(8)
    u = np.clip((x - c.field[1] / 2) / (width * c.magnification / 2), -1, 1) + 0 * y
    soft = depth * np.power(np.clip(1 - np.abs(u) ** 2.6, 0, 1), 0.6)
    soft *= 1 + 0.02 * canvas.noise(soft.shape, 12, 8)
    canvas.soft += np.maximum(canvas.spread(soft, 8), 0)


def _frontal(body: Body, c: Conditions) -> Canvas:
    """Anteroposterior spine: boxes of vertebrae with pedicles and spinous processes in the middle."""
    neck = c.kind == "ap_cervical"
    canvas = Canvas.empty(c)
    m, rng = c.magnification, canvas.rng
    middle = c.field[1] / 2 + rng.normal(0, 6)
    levels = (
        ("C3", "C4", "C5", "C6", "C7", "T1", "T2", "T3")
        if neck
        else ("T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
    )
    y = c.field[0] * (0.22 if neck else 0.04)
    bend = rng.normal(0, 5)
    for i, level in enumerate(levels):
        v = body.vertebrae[level]
        height = v.anterior * m
        y += height / 2 + 0.5 * body.gaps.get(level, 4) * m
        x = middle + bend * np.sin(i * 0.5)
        w, waist = v.width * m, v.waist_side * m
        side = np.linspace(-1, 1, 9)
        edge = w - waist * (1 - side**2)
        outline = np.concatenate(
            [
                np.stack([x - edge, y + side * height / 2], 1),
                np.stack([x + edge, y + side * height / 2], 1)[::-1],
            ]
        )
        canvas.plate(outline, 1.7 * v.depth, shell=0.5, core=0.9, round_off=3.0, mottle=0.3)
        for sign in (-1, 1):
            top = [
                (x - w, y + sign * height / 2),
                (x, y + sign * (height / 2 - 1.5)),
                (x + w, y + sign * height / 2),
            ]
            canvas.tube(top, 0.8, mag=m, shell=0.8, flat=12.0, rough=0.2)
            at = (x + sign * 0.62 * w, y - 0.12 * height)
            ring = [(at[0], at[1] - 3 * m), (at[0], at[1] + 3 * m)]
            canvas.tube(ring, 3.6 if not neck else 2.5, mag=m, shell=0.9, core=0.4, flat=2.2)
            canvas.tube(
                [(x + sign * w, y), (x + sign * (w + 22 * m * (0.5 if neck else 1)), y - 3)],
                3.5,
                mag=m,
                shell=0.6,
                core=0.4,
            )
        canvas.tube(
            [(x, y), (x + rng.normal(0, 1), y + 0.5 * height)], 3.5, mag=m, shell=1.2, core=0.6, flat=3.0
        )
        if level.startswith("T"):
            for sign in (-1, 1):
                t = np.linspace(0, 1, 16)
                rib = np.stack([x + sign * m * (w / m + 120 * np.sin(t * 1.6)), y - 12 + 110 * m * t**1.6], 1)
                canvas.tube(rib, 5.0, mag=m, shell=0.8, core=0.4, flat=0.8, rough=0.5)
        y += height / 2 + 0.5 * body.gaps.get(level, 4) * m
    if neck:
        _trunk(canvas, c, 115 * body.bulk, 120)
        x, yy = canvas.grid(6)
        trachea = 17 * np.sqrt(np.clip(1 - ((x - middle) / (9 * m)) ** 2, 0, 1)) + 0 * yy
        wide = np.clip((yy - 0.62 * c.field[0]) / 60, 0, 1) * 90 + 0 * x
        canvas.soft += canvas.spread(wide - trachea, 6)
    else:
        for sign in (-1, 1):
            wing = np.array(
                [(24, -8), (60, -46), (105, -50), (128, -10), (110, 50), (70, 90), (30, 60)], dtype=float
            ) * [sign, 1]
            canvas.plate(
                smooth(np.array([middle, y + 14]) + wing * m),
                12,
                shell=1.4,
                core=0.4,
                round_off=8 * m,
            )
        sacrum = np.array([(-50, -6), (50, -6), (36, 50), (8, 100), (-8, 100), (-36, 50)], dtype=float)
        canvas.plate(
            smooth(np.array([middle, y + 12]) + sacrum * m),
            40,
            shell=0.8,
            core=0.4,
            round_off=14 * m,
            mottle=0.35,
        )
        _trunk(canvas, c, body.trunk_width, body.trunk_depth * 0.92)
        _gas(canvas, c)
    np.clip(canvas.soft, 0, None, out=canvas.soft)
    return canvas


def _gas(canvas: Canvas, c: Conditions) -> None:
    x, y = canvas.grid(4)
    lump = canvas.noise(np.broadcast(x, y).shape, 7, 4)
    ring = np.exp(-(((np.abs(x - c.field[1] / 2) - 0.32 * c.field[1]) / 25) ** 2)) * (y > 0.3 * c.field[0])
    canvas.soft -= canvas.spread(28 * np.sqrt(np.clip(lump - 0.7, 0, None)) * ring, 4)


def _chest(body: Body, c: Conditions) -> Canvas:
    """Frontal chest: two lungs, heart, ribs."""
    canvas = Canvas.empty(c)
    _trunk(canvas, c, 330, 215)
    x, y = canvas.grid(6)
    height, width = c.field
    air = np.zeros(np.broadcast(x, y).shape, np.float32)
    for sign in (-1, 1):
        dx = (x - width / 2 - sign * 0.24 * width) / (0.19 * width)
        dy = (y - 0.45 * height) / (0.34 * height)
        dome = np.clip((0.76 * height - y - 18 * dx**2) / 12, 0, 1)
        air += 105 * np.sqrt(np.clip(1 - dx**2 - np.abs(dy) ** 3, 0, 1)) * dome
    heart = np.clip(
        1 - ((x - 0.54 * width) / (0.16 * width)) ** 2 - ((y - 0.62 * height) / (0.16 * height)) ** 2, 0, 1
    )
    air = np.clip(air - 110 * np.sqrt(heart), 0, None)
    air *= 1 - 0.08 * canvas.noise(air.shape, 5, 6)
    canvas.soft -= canvas.spread(air, 6)
    np.clip(canvas.soft, 4, None, out=canvas.soft)
    for i in range(9):
        for sign in (-1, 1):
            t = np.linspace(0, 1, 20)
            px = width / 2 + sign * (12 + 0.4 * width * np.sin(1.55 * t))
            py = height * (0.1 + 0.075 * i) - 20 * np.sin(np.pi * t) + 60 * t**2
            canvas.tube(np.stack([px, py], 1), 5.0, mag=1.1, shell=0.8, core=0.5, flat=0.8, rough=0.5)
    spine = [(width / 2, 0), (width / 2, height)]
    canvas.tube(spine, 14, mag=1.1, shell=2, core=0.9)
    return canvas


def _hand(body: Body, c: Conditions) -> Canvas:
    """Hand, palm down: metacarpals and phalanges as shafts with heads, a mass of carpal bones."""
    canvas = Canvas.empty(c)
    height, width = c.field
    base = np.array([width / 2, height * 0.72])
    x, y = canvas.grid(4)
    soft = np.zeros(np.broadcast(x, y).shape, np.float32)
    for k, (angle, length) in enumerate(((-46, 62), (-16, 92), (-3, 100), (9, 94), (22, 78))):
        turn = np.radians(angle + canvas.rng.normal(0, 2))
        way = np.array([np.sin(turn), -np.cos(turn)])
        start = base + np.array([(k - 2) * 13.0, 6 if k else 22.0])
        pieces = (0.42, 0.27, 0.18, 0.13) if k else (0.5, 0.3, 0.2)
        at = start
        for n, share in enumerate(pieces):
            long = share * length * 1.75
            end = at + way * long
            thick = (5.2, 4.4, 3.8, 3.2)[n]
            points = at + np.linspace(0.03, 0.95, 7)[:, None] * (end - at)
            canvas.tube(
                points,
                thick * np.array([1.35, 1.0, 0.82, 0.78, 0.85, 1.05, 1.2]),
                mag=1.02,
                shell=1.3,
                core=0.7,
                rough=0.2,
            )
            at = end
        q = np.clip(((x - start[0]) * way[0] + (y - start[1]) * way[1]) / (length * 1.85), 0, 1)
        d = np.hypot(x - start[0] - q * way[0] * length * 1.85, y - start[1] - q * way[1] * length * 1.85)
        soft = np.maximum(soft, 2 * np.sqrt(np.clip(10.5**2 - d**2, 0, None)))
    palm = np.clip(1 - ((x - base[0]) / 48) ** 4 - ((y - base[1] + 22) / 62) ** 4, 0, 1)
    wrist = np.clip(1 - ((x - base[0]) / 32) ** 4, 0, 1) * (y > base[1] + 10)
    soft = np.maximum(soft, 26 * np.sqrt(np.maximum(palm, wrist)))
    for k in range(8):
        at = base + np.array([-24 + 15 * (k % 4), 14 + 14 * (k // 4)]) + canvas.rng.normal(0, 1.5, 2)
        canvas.tube([at, at + canvas.rng.normal(0, 4, 2)], 8.0, mag=1.02, shell=0.9, core=0.9, rough=0.6)
    for dx, r in ((-14, 11), (16, 7)):
        canvas.tube(
            [np.add(base, (dx, 44)), np.add(base, (dx, 140))], r, mag=1.02, shell=2.2, core=0.6, rough=0.2
        )
    canvas.soft += canvas.spread(cv2.GaussianBlur(soft.astype(np.float32), (0, 0), 1.5), 4)
    np.clip(canvas.soft, 0, None, out=canvas.soft)
    return canvas


def _thoracic(body: Body, c: Conditions) -> Canvas:
    """Lateral thoracic spine: the same machinery, kyphotic, behind lungs and ribs."""
    from data.phantom.placement import place
    from data.phantom.render import _body

    vertebrae = dict(body.vertebrae)
    gaps = dict(body.gaps)
    for i, level in enumerate(("T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5", "S1", "S2", "S3")):
        v, scale = vertebrae["T10"], 0.86 + 0.025 * i
        vertebrae[level] = replace(
            v, level=level, anterior=v.anterior * scale, posterior=v.posterior * scale * 1.03,
            depth=v.depth * scale, width=v.width * scale, tilt=32 - 5.2 * i, texture=v.texture + i,
        )  # fmt: skip
        gaps[level] = 0.2 * v.anterior * scale
    spine = replace(body, vertebrae=vertebrae, gaps=gaps)
    p = place(spine, replace(c, view="lumbar", centre=(0.6, 0.5)))
    canvas = Canvas.empty(c)
    for level, frame in p.frames.items():
        _body(canvas, p, "T10", frame, {})
        del level
    lumbar.add_posterior_elements(canvas, p)
    for frame in p.frames.values():
        for side in (-1, 1):
            t = np.linspace(0, 1, 22)
            a = (
                frame.vertebra.depth * 0.8
                + 28 * np.sin(np.pi * np.clip(1.5 * t, 0, 1))
                - 150 * np.clip(t - 0.25, 0, 1) ** 1.2
            )
            points = frame.project(
                a, 85 * t**1.1, side * (20 + 90 * np.sin(np.pi / 2 * np.clip(1.3 * t, 0, 1)))
            )
            canvas.tube(
                points, 4.8, mag=frame.magnification, shell=0.8, core=0.5, flat=0.7, slope=1.4, rough=0.5
            )
    x, y = canvas.grid(8)
    u = np.clip((x - c.field[1] * 0.45) / (0.62 * c.field[1]), -1, 1) + 0 * y
    soft = 330 * np.power(np.clip(1 - np.abs(u) ** 2.4, 0, 1), 0.6)
    lung = (
        0.62 * np.clip((0.8 * c.field[0] - y - 0.3 * x) / 40, 0, 1) * np.clip(1 - np.abs(u * 1.15) ** 4, 0, 1)
    )
    canvas.soft += np.maximum(
        canvas.spread(soft * (1 - lung) * (1 + 0.03 * canvas.noise(u.shape, 8, 8)), 8), 0
    )
    return canvas


def _blank(body: Body, c: Conditions) -> Canvas:
    """A film without a patient."""
    canvas = Canvas.empty(c)
    canvas.soft += 10 + 0.3 * canvas.rng.random()
    return canvas
