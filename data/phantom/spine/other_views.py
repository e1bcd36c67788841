"""Films that a spine scorer has to refuse: other views, other body parts, films that show nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np

from data.phantom.spine import lumbar, posterior
from data.phantom.spine.body import CERVICAL_LEVELS, LUMBAR_LEVELS, Body, Vertebra
from data.phantom.spine.canvas import Canvas, smooth
from data.phantom.spine.conditions import Conditions
from data.phantom.spine.lesions import State
from data.phantom.spine.placement import Frame, Placement, place


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
    from data.phantom.spine.vertebra import spine_attenuation

    return spine_attenuation(place(body, c), states), None


def _trunk(canvas: Canvas, c: Conditions, width: float, depth: float) -> None:
    x, y = canvas.grid(8)
    u = np.clip((x - c.field[1] / 2) / (width * c.magnification / 2), -1, 1) + 0 * y
    soft = depth * np.power(np.clip(1 - np.abs(u) ** 2.6, 0, 1), 0.6)
    soft *= 1 + 0.02 * canvas.noise(soft.shape, 12, 8)
    canvas.soft += np.maximum(canvas.spread(soft, 8), 0)


def _turned(v: Vertebra, level: str, tilt: float) -> Vertebra:
    """A vertebra seen from the front: width and depth change places, lordosis becomes a tilt to the beam."""
    height = (v.anterior + v.posterior) / 2
    return replace(
        v, level=level, anterior=height, posterior=height, depth=v.width, width=v.depth, lip=0.0,
        waist_anterior=v.waist_side, waist_posterior=v.waist_side, waist_side=v.waist_anterior,
        tilt=tilt, side_tilt=0.6 * v.tilt, axial=0.0, concavity_upper=0.6 * v.concavity_upper,
    )  # fmt: skip


def _frontal(body: Body, c: Conditions) -> Canvas:
    """Anteroposterior spine: the same solids seen from the front, with pedicles, joints and processes."""
    from data.phantom.spine.vertebra import add_vertebral_body

    neck = c.kind == "ap_cervical"
    levels = CERVICAL_LEVELS if neck else LUMBAR_LEVELS
    canvas = Canvas.empty(c)
    rng = canvas.rng
    curve, phase = rng.normal(0, 3.0), rng.uniform(0, 6.28)
    vertebrae = dict(body.vertebrae)
    for i, level in enumerate(levels):
        vertebrae[level] = _turned(body.vertebrae[level], level, curve * np.sin(0.55 * i + phase))
    gaps = {level: 0.75 * gap for level, gap in body.gaps.items()}
    view = "cervical" if neck else "lumbar"
    spine = replace(body, vertebrae=vertebrae, gaps=gaps)
    p = place(spine, replace(c, view=view, centre=(0.5, 0.5), rotation=0.0, sag=1.0, side_tilt=0.0))
    for level, frame in p.frames.items():
        if level not in ("S2", "S3"):
            add_vertebral_body(canvas, p, level, frame, {})
        _frontal_arch(canvas, frame, level)
    if neck:
        _frontal_neck(canvas, c, body, p)
    else:
        _frontal_ribs(canvas, p)
        _frontal_pelvis(canvas, p)
        _trunk(canvas, c, body.trunk_width, body.trunk_depth * 0.92)
        _frontal_abdomen(canvas, p)
    np.clip(canvas.soft, 0, None, out=canvas.soft)
    return canvas


def _frontal_arch(canvas: Canvas, frame: Frame, level: str) -> None:
    """Pedicle rings, transverse processes, joints, laminae and the spinous process of one level."""
    v, m, rng = frame.vertebra, frame.magnification, canvas.rng
    w, h = v.depth, v.anterior
    size = h / 27.0

    def at(points):
        points = np.asarray(points, dtype=float)
        return frame.project(points[:, 0], points[:, 1], 0.0)

    if level in ("S1", "S2", "S3"):
        crest = [(rng.normal(0, 1), -0.3 * h), (rng.normal(0, 1), 0.35 * h)]
        canvas.tube(at(crest), 2.2, mag=m, shell=0.7, core=1.0, flat=2.0, rough=0.6)
        return
    for side in (-1, 1):
        angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        ring = np.stack(
            [side * 0.62 * w + 3.6 * size * np.cos(angle), -0.14 * h + 5.8 * size * np.sin(angle)], 1
        )
        canvas.plate(at(ring), 13 * size, shell=0.8, core=0.8, round_off=3.0, soften=0.3, step=1, wander=0.5)
        reach = w + rng.uniform(14, 26) * size
        wing = [(side * 0.7 * w, -0.2 * h), (side * reach, -0.25 * h + rng.normal(0, 2)),
                (side * (reach + 1), -0.05 * h), (side * 0.75 * w, 0.1 * h)]  # fmt: skip
        canvas.plate(smooth(at(wing)), 6 * size, shell=0.5, core=1.4, round_off=4.0, soften=0.5, wander=0.8)
        joint = [(side * 0.45 * w, -0.75 * h), (side * 0.72 * w, -0.7 * h), (side * 0.7 * w, 0.2 * h),
                 (side * 0.5 * w, 0.85 * h), (side * 0.3 * w, 0.7 * h),
                 (side * 0.3 * w, 0.1 * h)]  # fmt: skip
        canvas.plate(smooth(at(joint)), 9 * size, shell=0.4, core=2.0, round_off=6.0, soften=0.7)
    drop = [(0, -0.05 * h), (2.4 * size, 0.25 * h), (3.4 * size, 0.6 * h),
            (0, 0.78 * h), (-3.4 * size, 0.6 * h), (-2.4 * size, 0.25 * h)]  # fmt: skip
    moved = np.add(drop, [rng.normal(0, 1.2), 0])
    canvas.plate(smooth(at(moved)), 16 * size, shell=0.9, core=1.0, round_off=3.0, soften=0.3, wander=0.6)


def _frontal_ribs(canvas: Canvas, p: Placement) -> None:
    for level, long in (("T9", 150), ("T10", 140), ("T11", 120), ("T12", 75)):
        frame = p.frames[level]
        for side in (-1, 1):
            t = np.linspace(0, 1, 30)
            reach = long * canvas.rng.normal(1, 0.05)
            a = side * (frame.vertebra.depth * 0.8 + reach * np.sin(1.35 * t))
            h = -8 + 0.62 * reach * t**1.5 + 8 * t
            thick = np.interp(t, [0, 0.2, 0.75, 1], [3.5, 4.8, 5.2, 1.2 if level in ("T11", "T12") else 4.5])
            canvas.tube(frame.project(a, h, 0.0), thick, mag=frame.magnification, shell=0.6, core=0.9,
                        flat=0.7, rough=0.35)  # fmt: skip


def _frontal_pelvis(canvas: Canvas, p: Placement) -> None:
    """Iliac wings with sacroiliac joints, and the sacrum with its foramina."""
    frame, rng = p.frames["S1"], canvas.rng
    m, middle = frame.magnification, frame.centre
    sacrum = [(0, -18), (26, -16), (52, -14), (58, 6), (48, 40), (30, 74), (10, 96), (0, 98)]
    whole = np.array(sacrum + [(-x, y) for x, y in sacrum[-2:0:-1]], dtype=float)
    canvas.plate(
        smooth(middle + whole * m), 34, shell=0.4, core=1.2, round_off=16 * m, mottle=0.2, wander=1.5
    )
    for side in (-1, 1):
        wing = np.array([(42, -6), (60, -34), (92, -52), (122, -40), (138, -8), (132, 24), (112, 52),
                         (96, 92), (66, 112), (58, 86), (62, 62), (50, 34)], dtype=float)  # fmt: skip
        wing = (wing + rng.normal(0, 2, wing.shape)) * [side, 1]
        canvas.plate(smooth(middle + wing * m), 13, shell=0.8, core=2.0, round_off=9 * m, soften=0.6,
                     mottle=0.15, wander=1.5)  # fmt: skip
        inner = np.array(
            [(64, -22), (92, -40), (116, -30), (126, -4), (104, 34), (76, 40), (62, 10)], dtype=float
        )
        canvas.plate(smooth(middle + inner * [side, 1] * m), 10, shell=0.3, core=2.0, round_off=12 * m,
                     soften=2.0, sign=-1.0, mottle=0.1)  # fmt: skip
        joint = smooth(
            middle + np.array([(45, -8), (52, 12), (48, 36), (42, 54)]) * [side, 1] * m, closed=False
        )
        canvas.tube(joint, 1.3, mag=m, shell=0.6, core=0.6, flat=2.0, rough=0.6)
        for k, (x, y) in enumerate(((19, 10), (16, 30), (13, 50))):
            hole = middle + m * np.array([side * x, y])
            ring = np.linspace(0, 6.1, 16)
            hole = hole + (5 - k) * m * np.stack([np.cos(ring), np.sin(ring)], axis=1)
            canvas.plate(hole, 7.0, shell=0.2, core=1.2, round_off=4 * m, soften=0.5, sign=-1.0)


def _frontal_abdomen(canvas: Canvas, p: Placement) -> None:
    """Psoas on both sides and gas in the colon."""
    c, rng, step = p.conditions, canvas.rng, 4
    x, y = canvas.grid(step)
    top, low = p.frames["T12"].centre[1], p.frames["S1"].centre[1]
    t = np.clip((y - top) / (low - top), 0, 1.3)
    centre = p.frames["L3"].centre[0]
    psoas = np.zeros(np.broadcast(x, y).shape, np.float32)
    for side in (-1, 1):
        q = (side * (x - centre) / c.magnification - 18 - 12 * t) / (8 + 26 * t)
        psoas += (4 + 15 * t) * np.clip(1 - q * q, 0, 1) ** 0.6 * (y > top)
    gas = np.zeros_like(psoas)
    lump = canvas.noise(gas.shape, 5.0, step)
    for _ in range(6):
        start = np.array([c.field[1] * rng.uniform(0.1, 0.9), rng.uniform(top + 30, low + 60)])
        size = rng.uniform(7, 16) * c.magnification
        pouch = lumbar.colon(rng, x, y, start, size, int(rng.integers(2, 13)))
        gas = np.maximum(gas, size * rng.uniform(0.5, 1.4) * np.clip(pouch + 0.3 * lump, 0, 1.3) ** 0.75)
    canvas.soft += canvas.spread(psoas - gas, step)
    streaks = 1.2 * canvas.tissue(psoas.shape, step)
    canvas.soft += canvas.spread(streaks, step) * np.clip(canvas.soft / 150, 0, 1)


def _frontal_neck(canvas: Canvas, c: Conditions, body: Body, p: Placement) -> None:
    """Neck with its airway, jaw above, shoulders and lung tips below."""
    m = c.magnification
    x, y = canvas.grid(6)
    middle, chin, base = c.field[1] / 2, p.frames["C3"].centre[1], p.frames["C7"].centre[1] + 14 * m
    spread = 1 / (1 + np.exp(-(y - base) / (9 * m)))
    half = m * (58 * body.bulk + 150 * spread)
    neck = 118 * np.sqrt(np.clip(1 - ((x - middle) / half) ** 2, 0, 1)) + 60 * spread + 0 * x
    jaw = 120 / (1 + np.exp((y - chin) / (5 * m))) * np.clip(1 - ((x - middle) / (75 * m)) ** 4, 0, 1)
    trachea = 16 * np.sqrt(np.clip(1 - ((x - middle) / (8.5 * m)) ** 2, 0, 1)) + 0 * y
    tips = 0.0
    for side in (-1, 1):
        q = ((x - middle - side * 52 * m) / (40 * m)) ** 2 + ((y - base - 75 * m) / (62 * m)) ** 2
        tips = tips + 95 * np.sqrt(np.clip(1 - q, 0, 1))
    canvas.soft += np.maximum(canvas.spread(neck + jaw - trachea - tips, 6), 0)
    canvas.soft += 1.5 * canvas.spread(canvas.tissue(np.broadcast(x, y).shape, 6), 6) * (canvas.soft > 20)
    for side in (-1, 1):
        collar = middle + 0 * side
        points = [(collar + side * 14 * m, base + 34 * m), (collar + side * 60 * m, base + 26 * m),
                  (collar + side * 120 * m, base + 4 * m)]  # fmt: skip
        canvas.tube(smooth(points, closed=False), 5.5, mag=m, shell=0.9, core=1.0, flat=1.0, rough=0.5)


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
    from data.phantom.spine.vertebra import add_vertebral_body

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
        add_vertebral_body(canvas, p, "T10", frame, {})
        del level
    posterior.add_posterior_elements(canvas, p)
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
