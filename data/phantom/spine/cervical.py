"""What lies around the cervical spine: soft tissue, airway, skull, jaw and teeth, C1, pillars, shoulders."""

from __future__ import annotations

import numpy as np

from data.phantom.spine.canvas import Canvas, smooth
from data.phantom.spine.placement import Frame, Placement, shoulder_line

# posterior elements, mm behind the posterior wall and caudal of the centre of a body 15.2 mm high
_PILLAR = [(3, -9.5), (7.5, -7.5), (12.5, -3.5), (15, 3.5), (15.8, 11), (10.5, 9), (5.5, 5), (3.5, -2)]
_PEDICLE = [(-2, -5), (3, -6), (7, -5), (7, 2), (2, 1.5), (-2, 1)]
_PROCESS = [(-9, -2.5), (-4, -3.5), (3, -3), (6, 1), (2, 5), (-5, 4.5), (-9.5, 2)]
_LAMINA = [(12, -1), (18, -4), (22, -3.5), (24, 4), (22.5, 9.5), (17, 11), (13, 9)]
_LENGTH = {"C2": 20, "C3": 13, "C4": 13, "C5": 16, "C6": 24, "C7": 33, "T1": 34, "T2": 32, "T3": 30}


def _spine(p: Placement) -> tuple[np.ndarray, np.ndarray]:
    centres = np.array([frame.centre for frame in p.frames.values()])
    return centres[:, 0], centres[:, 1]


def add_soft_tissue(canvas: Canvas, p: Placement) -> None:
    """Neck, head and shoulders as water along the beam; pharynx and trachea taken out."""
    body, c, step = p.body, p.conditions, 5
    m = c.magnification
    x, y = canvas.grid(step)
    sx, sy = _spine(p)
    slope = (sx[1] - sx[0]) / (sy[1] - sy[0])
    low = np.minimum(y, sy[5])
    centre = np.where(y < sy[0], sx[0] + slope * 0.3 * (y - sy[0]), np.interp(low, sy, sx))
    c2, c7 = sy[0], sy[5]
    t = (y - c2) / (c7 - c2)
    bulk = body.bulk**0.6
    chin = c2 + 30 * m
    nape = 16 * np.exp(-((t + 0.5) ** 2) / 0.2) - 5 * np.exp(-((t - 0.35) ** 2) / 0.1)
    back = centre + m * (52 * bulk + nape + 210 * np.logaddexp(0, (t - 1.0) / 0.1) * 0.1)
    jaw = 1 / (1 + np.exp((y - chin) / (6.0 * m)))
    throat = 3.5 * np.exp(-((t - 0.62 - 0.1 * body.larynx) ** 2) / 0.01) - 5 * np.exp(
        -((t - 0.95) ** 2) / 0.06
    )
    chest = 260 * np.logaddexp(0, (t - 1.16) / 0.08) * 0.08
    front = centre - m * (46 * bulk + throat + 75 * jaw + chest)
    middle, half = (back + front) / 2, (back - front) / 2
    u = np.clip((x - middle) / half, -1, 1)
    head = 1 / (1 + np.exp((t + 0.05) / 0.10))
    width = 112 * bulk + 30 * head + 60 * np.clip(t - 1.0, 0, 1)
    neck = width * np.power(np.clip(1 - np.abs(u) ** 2.2, 0, 1), np.where(u > 0, 0.5, 0.6))
    neck += _shoulders(canvas, p, x, y)
    neck *= 1 + 0.012 * canvas.noise(neck.shape, 12, step)
    canvas.soft += np.maximum(canvas.spread(neck, step), 0)
    fx, fy = canvas.grid(3)
    streaks = 1.5 * canvas.tissue(
        np.broadcast(fx, fy).shape, 3, lean=canvas.rng.normal(0.15, 0.2), longest=30
    )
    canvas.soft += canvas.spread(streaks, 3) * np.clip(canvas.soft / 70, 0, 1)
    _airway(canvas, p)


def _shoulders(canvas: Canvas, p: Placement, x, y) -> np.ndarray:
    """Two rounded masses across the beam; their upper edge is what hides C7 and T1."""
    rng, m, bulk = canvas.rng, p.conditions.magnification, p.body.bulk
    sx, sy = _spine(p)
    line = shoulder_line(p)
    total = np.zeros(np.broadcast(x, y).shape, np.float32)
    uneven = 0.10 * canvas.noise(total.shape, 22, 5)
    for side in (-1, 1):
        scale = m * (1 - 0.11 * side)
        across, down = rng.uniform(120, 175) * scale, rng.uniform(90, 125) * scale
        cx = np.interp(line, sy, sx) + rng.normal(8, 22)
        cy = line + rng.normal(0, 6) + down
        tilt = rng.normal(-0.08, 0.12)
        yy = y + tilt * (x - cx)
        inside = (
            1
            - np.abs((x - cx) / across) ** 2.0
            - np.abs((np.minimum(yy, cy) - cy) / down) ** 2.0
            + uneven * 0.5
        )
        total += 125 * bulk * np.power(np.clip(inside, 0, 1), 0.75)
    return total


def _airway(canvas: Canvas, p: Placement) -> None:
    """Gas column before the spine: nasopharynx to larynx, epiglottis and vocal cords, then trachea."""
    m, step, rng = p.conditions.magnification, 2, canvas.rng
    _, sy = _spine(p)
    front = np.array([f.centre[0] - f.vertebra.depth * f.axes[0, 0] * m for f in p.frames.values()])
    x, y = canvas.grid(step)
    t = np.array([-3.2, -2.4, -1.2, -0.3, 0.4, 1.0, 1.6, 2.3, 2.9, 3.4, 3.7, 4.3, 5.2, 6.5, 8.0])
    space = np.array([16, 9, 5.5, 4.0, 3.6, 3.6, 3.8, 6.5, 10.5, 12.5, 13.0, 13.5, 14, 14.5, 15])  # tissue
    wide = np.array([16, 12, 9, 10, 11, 13, 14, 12, 8, 4.5, 8, 13.5, 15.5, 16, 16.5])  # depth of the air
    deep = np.array([16, 17, 16, 20, 22, 24, 24, 20, 12, 5.0, 10, 15.5, 16.5, 17, 17])  # along the beam
    space = space * np.clip(rng.normal(1, 0.08), 0.85, 1.2)
    wide = wide * rng.uniform(0.8, 1.15) * np.exp(rng.normal(0, 0.07, len(wide)))
    larynx = rng.normal(0, 0.25)
    grid = np.arange(len(sy))
    at = np.where(t > 1.5, t + larynx, t)
    height = np.where(at < 0, sy[0] + at * (sy[1] - sy[0]), np.interp(np.clip(at, 0, 8), grid, sy))
    edge = np.interp(np.clip(at, 0, 8), grid, front) + np.where(at < 0, -1.5 * at * m, 0)
    yy = y[:, 0]
    fine = np.linspace(height[0], height[-1], 400)
    kernel = np.hanning(25) / np.hanning(25).sum()

    def along(values):
        padded = np.pad(np.interp(fine, height, values), 12, mode="edge")
        return np.interp(yy, fine, np.convolve(padded, kernel, "valid"))[:, None]

    back = along(edge - m * space) + 0.7 * m * canvas.noise((len(yy), 1), 7, step)
    width = along(wide) * m + 0.8 * m * canvas.noise((len(yy), 1), 6, step)
    u = (back - x) / np.maximum(width, 1.0)
    air = np.where((u > 0) & (u < 1), along(deep) * np.power(np.clip(4 * u * (1 - u), 0, 1), 0.5), 0)
    tongue = p.frames["C3"].centre
    ex, ey = tongue[0] - m * rng.uniform(27, 33), tongue[1] + m * rng.uniform(0, 7)
    leaf = np.exp(-((((x - ex) + 0.35 * (y - ey)) / (1.8 * m)) ** 2) - ((y - ey) / (8 * m)) ** 2)
    air = np.maximum(air * (1 - 0.75 * leaf), 0)
    hollow = 6 * np.exp(-(((x - ex + 7 * m) / (4 * m)) ** 2) - ((y - ey - 4 * m) / (5 * m)) ** 2)  # vallecula
    canvas.soft -= np.clip(canvas.spread(air + hollow, step), 0, None)
    np.clip(canvas.soft, 0, None, out=canvas.soft)


def _plate(canvas: Canvas, frame: Frame, shape, size, side, thickness, **options) -> None:
    local = smooth(np.asarray(shape, dtype=float) * size, each=4)
    points = frame.project(frame.vertebra.depth + local[:, 0], local[:, 1], side)
    canvas.plate(points, thickness, **{"step": 1, "wander": 0.45, "mottle": 0.28, "soften": 0.35, **options})


def _spinous(length: float) -> list[tuple[float, float]]:
    """Outline of a spinous process that reaches ``length`` behind the laminae."""
    end = 22 + length
    fall = 3 + 0.28 * length
    return [(20, -2), (25, 1), (0.55 * end + 9, 1 + 0.45 * fall), (end - 3, fall - 1), (end, fall + 3),
    (end - 2, fall + 7),
            (end - 7, fall + 6), (0.5 * end + 9, 6 + 0.5 * fall), (26, 8), (21, 7)]  # fmt: skip


def add_posterior_elements(canvas: Canvas, p: Placement) -> None:
    """Articular pillars, pedicles, transverse processes, laminae and spinous processes; C1 and the dens."""
    rng = np.random.default_rng([p.body.seed, 53])
    canvas_rng, canvas.rng = canvas.rng, rng
    for level, frame in p.frames.items():
        v = frame.vertebra
        s = v.anterior / 15.2 * (1.0 if level[0] == "C" else 0.9)
        for side in (-1, 1):
            lat = side * 19.0
            jog = rng.normal(0, 0.5, (4, 2))
            if level != "C2":
                _plate(
                    canvas, frame, np.add(_PILLAR, jog[0]), s, lat, 9.5, shell=0.3, core=2.1, round_off=4.0
                )
            else:
                upper = [
                    (-5, -12),
                    (3, -14),
                    (9, -11),
                    (12, -3),
                    (14.5, 5),
                    (15.5, 11),
                    (10, 8.5),
                    (5, 3),
                    (-2, -3),
                ]
                _plate(
                    canvas, frame, np.add(upper, jog[0]), s, lat * 0.9, 10, shell=0.4, core=1.6, round_off=5.0
                )
            _plate(
                canvas, frame, np.add(_PEDICLE, jog[1]), s, side * 11, 5, shell=0.4, core=1.6, round_off=3.0
            )
            _plate(
                canvas,
                frame,
                np.add(_PROCESS, jog[2]),
                s,
                side * 21,
                5.5,
                shell=0.3,
                core=0.9,
                round_off=3.0,
                wander=0.7,
            )
            _plate(
                canvas,
                frame,
                np.add(_LAMINA, jog[3]),
                s,
                side * 10,
                3.6,
                shell=0.6,
                core=0.8,
                round_off=2.5,
                wander=0.5,
            )
        wall = frame.project(v.depth + np.array([20.5, 22.5, 23.5]) * s, np.array([-4, 1, 7]) * s, 0.0)
        canvas.tube(wall, np.array([0.5, 1.0, 0.6]), mag=frame.magnification, shell=0.7, flat=1.6, rough=0.5)
        shape = np.add(_spinous(_LENGTH[level]), rng.normal(0, 0.7, (10, 2)))
        _plate(
            canvas, frame, shape, s, 0.0, 7.0 if level == "C2" else 5.5, shell=0.65, core=1.2, round_off=3.0
        )
    _atlas(canvas, p)
    canvas.rng = canvas_rng


def _atlas(canvas: Canvas, p: Placement) -> None:
    frame = p.frames["C2"]
    v, m = frame.vertebra, frame.magnification
    top = -v.anterior / 2
    dens = [(-6, 6), (-5, -4), (-5.5, -12), (-3.5, -19), (0.5, -21.5), (4, -18), (5, -11), (4.5, -4), (6, 6)]

    def outline(points, side=0.0):
        local = smooth(np.asarray(points, dtype=float), each=5)
        return frame.project(local[:, 0], top + local[:, 1], side)

    canvas.plate(outline(dens), 11, shell=0.5, core=1.6, round_off=4.0, soften=0.3, step=1, wander=0.4)
    arch = [(-12.5, -18), (-9, -19.5), (-7.4, -14), (-7.6, -8.5), (-10, -6.5), (-13, -10)]
    canvas.plate(outline(arch), 11, shell=0.9, core=1.0, round_off=2.4, step=1, wander=0.3)
    ring = np.linspace(0, 2 * np.pi, 28)
    harris = frame.project(1.5 + 5.8 * np.cos(ring), top + 2 + 6.4 * np.sin(ring), 0.0)
    canvas.tube(harris, 0.7, mag=m, shell=0.6, flat=1.3, rough=0.5)
    for side in (-1, 1):
        mass = [(-6, -15), (2, -17), (9, -14), (10, -6), (3, -3), (-5, -5)]
        canvas.plate(outline(mass, side * 18), 12, shell=0.5, core=1.1, round_off=4.5, step=1, wander=0.6)
        rear = [
            (7, -13),
            (18, -12.5),
            (30, -12),
            (40, -11),
            (43, -7),
            (40, -3),
            (34, -4),
            (26, -7.5),
            (16, -7.5),
            (8, -7),
        ]
        canvas.plate(
            outline(np.add(rear, [0, side * 0.6]), side * 8), 4.5, shell=0.7, core=0.8, round_off=2.4, step=1
        )


def add_head(canvas: Canvas, p: Placement) -> None:
    """Skull base with occiput, both halves of the mandible, teeth and fillings, hyoid."""
    rng = np.random.default_rng([p.body.seed, 59])
    canvas_rng, canvas.rng = canvas.rng, rng
    m = p.conditions.magnification
    top = p.frames["C2"].vertebra.anterior / 2 + 20
    origin = p.frames["C2"].project(0.0, -top, 0.0)
    turn = np.radians(rng.normal(0, 4) - 0.4 * p.conditions.in_plane)
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])

    def at(points, z=0.0):
        return origin + np.asarray(points, dtype=float) @ spin * m * (1 - z / 1500)

    _vault(canvas, m, at)
    for side in (-1, 1):
        jog = rng.normal(0, 1.5, 2)
        _temporal_bone(canvas, m, at, side * 38, jog)
        _mandible(canvas, m, at, side * 38, jog)
    _upper_jaw(canvas, m, at)
    _teeth(canvas, p, at, rng)
    _hyoid(canvas, p)
    canvas.rng = canvas_rng


def _vault(canvas: Canvas, m: float, at) -> None:
    """Skull with the thick squama of the occiput."""
    vault = [(-70, -48), (-34, -30), (-14, -12), (-4, -6), (8, -5), (22, -1), (38, 5), (54, 6), (70, -6),
             (82, -28), (90, -66), (84, -110), (-70, -110)]  # fmt: skip
    canvas.plate(
        smooth(at(vault)), 13.0, shell=3.2, core=0.9, round_off=16 * m, soften=0.7, mottle=0.25, wander=1.6
    )
    squama = smooth(at([(14, -4), (28, 1), (44, 6), (58, 5), (70, -5), (82, -28), (90, -66)]), closed=False)
    thick = np.interp(np.linspace(0, 1, len(squama)), [0, 0.45, 0.6, 1], [1.6, 3.0, 4.4, 3.0])
    canvas.tube(squama, thick, mag=m, shell=0.9, core=1.5, flat=1.8, rough=0.5)


def _temporal_bone(canvas: Canvas, m: float, at, z: float, jog) -> None:
    """Petrous bone of one side, and the occipital condyle."""
    petrous = np.array([(-26, -16), (-10, -10), (4, -3), (14, 3), (22, 4), (27, -4), (28, -20), (14, -30),
                        (-8, -34), (-28, -28)])  # fmt: skip
    canvas.plate(
        smooth(at(petrous + jog, z)), 17, shell=0.35, core=1.9, round_off=16 * m, mottle=0.22, soften=2.5,
        wander=2.5,
    )  # fmt: skip
    condyle = np.array([(-10, -8), (2, -6), (8, 0), (2, 4), (-6, 2)])
    canvas.plate(
        smooth(at(condyle + jog * 0.4, z * 0.4)), 12, shell=0.7, core=1.1, round_off=5 * m, wander=0.8
    )


def _mandible(canvas: Canvas, m: float, at, z: float, jog) -> None:
    """One half of the mandible, with the dense line of its lower border."""
    ramus = np.array([(-24, -22), (-18, -6), (-17, 8), (-19, 20), (-27, 33), (-48, 41), (-72, 46), (-92, 48),
                      (-97, 38), (-93, 26), (-72, 24), (-54, 19), (-47, 6), (-44, -8), (-48, -20), (-40, -14),
                      (-33, -10), (-28, -14)], dtype=float)  # fmt: skip
    canvas.plate(
        smooth(at(ramus + jog, z)), 7.5, shell=1.3, core=0.9, round_off=5 * m, mottle=0.3, wander=1.0
    )
    border = np.array([(-18, 14), (-21, 24), (-28, 33), (-48, 41), (-72, 46), (-92, 48)], dtype=float)
    lower = smooth(at(border + jog - [0, 1.2], z), closed=False)
    canvas.tube(lower, 1.5, mag=m, shell=0.8, core=1.0, flat=1.3, rough=0.35)


def _upper_jaw(canvas: Canvas, m: float, at) -> None:
    """Palate and the bone that carries the upper teeth."""
    palate = smooth(at([(-24, 2), (-44, 3), (-70, 1), (-92, 0)]), closed=False)
    canvas.tube(palate, 1.4, mag=m, shell=0.7, core=0.8, flat=2.0, rough=0.45)
    jawbone = [(-46, 2), (-70, 0), (-96, -2), (-97, 12), (-74, 15), (-50, 13)]
    canvas.plate(smooth(at(jawbone)), 24, shell=0.8, core=0.7, round_off=7 * m, mottle=0.35, wander=1.5)


def _teeth(canvas: Canvas, p: Placement, at, rng) -> None:
    """Seven teeth a quadrant, both sides one over the other; some crowns are filled with metal."""
    m = p.conditions.magnification
    filled = set(rng.choice(28, size=min(p.body.fillings, 14), replace=False).tolist())
    for side in (-1, 1):
        for row, (edge, sign) in enumerate(((18.5, -1), (19.5, 1))):
            for k in range(7):
                x0 = -50 - 6.6 * k + rng.normal(0, 0.7)
                y0 = edge + rng.normal(0, 0.5) - 0.012 * (x0 + 70) ** 2 * 0.1
                wide = (4.6 if k < 3 else 3.4) * rng.uniform(0.92, 1.08)
                z = side * (26 - 1.5 * k)
                crown = at([(x0, y0 + sign * 1.2), (x0, y0 + sign * 5.5)], z)
                canvas.tube(
                    crown, np.array([wide, wide * 0.85]), mag=m, shell=1.3, core=3.0, flat=1.0, rough=0.12
                )
                for tine in (-1, 1) if k < 3 else (0,):
                    root = at(
                        [
                            (x0 + 1.8 * tine, y0 + sign * 6),
                            (x0 + 2.4 * tine + rng.normal(0.6, 0.5), y0 + sign * 18),
                        ],
                        z,
                    )
                    canvas.tube(
                        root,
                        np.array([2.6 - 0.6 * abs(tine), 0.9]),
                        mag=m,
                        shell=0.9,
                        core=2.0,
                        flat=1.0,
                        rough=0.12,
                    )
                if (side + 1) * 7 + row * 7 + k in filled:
                    keep, canvas.cortical = canvas.cortical, np.zeros_like(canvas.cortical)
                    spot = at([(x0 - 1.6, y0 + sign * 1.6), (x0 + 1.6, y0 + sign * rng.uniform(1.2, 3))], z)
                    canvas.tube(spot, rng.uniform(1.1, 2.2), mag=m, shell=3.0, flat=1.0, rough=0.35)
                    canvas.metal += canvas.cortical * 0.7
                    canvas.cortical = keep


def _hyoid(canvas: Canvas, p: Placement) -> None:
    m, rng = p.conditions.magnification, canvas.rng
    at = p.frames["C4"].centre + m * (np.array([-42.0, -16.0]) + rng.normal(0, 3, 2))
    for side in (-1, 1):
        horn = smooth(
            at + m * np.array([(0, 0), (8, -1.0 + side), (18, -3 + 1.5 * side), (27, -8 + 2 * side)]),
            closed=False,
        )
        canvas.tube(horn, np.linspace(2.0, 1.1, len(horn)), mag=m, shell=0.5, core=0.7, flat=1.0, rough=0.3)
    front = at + m * np.array([(-1.5, -3.5), (-0.5, 0), (-1.0, 5)])
    canvas.tube(front, np.array([1.6, 2.4, 1.8]), mag=m, shell=0.7, core=0.7, flat=2.0, rough=0.3)


def add_shoulder_girdle(canvas: Canvas, p: Placement) -> None:
    """Clavicles, first ribs and humeral heads, far from the middle and so larger and softer."""
    rng = canvas.rng
    m = p.conditions.magnification
    line = shoulder_line(p)
    sx, sy = _spine(p)
    for side in (-1, 1):
        scale = m * (1 - side * 0.10)
        base = np.array([np.interp(line, sy, sx), line]) + rng.normal(0, 8, 2)
        head = base + scale * np.array([rng.normal(0, 10), rng.normal(56, 8)])
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        ring = head + scale * 24 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        canvas.plate(ring, 40, shell=0.8, core=0.6, round_off=20 * scale, soften=1.5, mottle=0.15, step=3)
        collar = base + scale * np.array([(-66, 58), (-44, 46), (-18, 36), (6, 36), (24, 34)])
        canvas.tube(smooth(collar, closed=False), 5.0, mag=scale, shell=1.0, core=0.6, flat=1.3, rough=0.4)
    frame = p.frames["T1"]
    for side in (-1, 1):
        t = np.linspace(0, 1, 16)
        a = frame.vertebra.depth + 10 * np.sin(np.pi * t) - 58 * t**1.3
        points = frame.project(a, -4 + 26 * t, side * (12 + 46 * np.sin(np.pi * np.clip(t, 0, 1) * 0.75)))
        canvas.tube(points, 4.2, mag=frame.magnification, shell=0.7, core=0.6, flat=0.8, rough=0.3)
