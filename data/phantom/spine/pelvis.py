"""Sacrum and hip bones of a lateral lumbar film.

The sacrum is one wedge whose segments fuse and fade; each hip bone is a curved plate with a thick crest, a
buttress from the sacroiliac joint to the hip, the greater sciatic notch and the femoral head. Both hip bones
have their own depth along the beam, so their lines are drawn apart as the beam and the posture have it.
"""

from __future__ import annotations

import numpy as np

from data.phantom.spine.canvas import Canvas, smooth
from data.phantom.spine.placement import Placement

# mm from the centre of S1: to posterior, to caudal, outwards
_WING = [
    (60, 20, 42), (56, 4, 48), (44, -16, 62), (26, -33, 82), (4, -43, 105), (-20, -42, 122), (-46, -30, 130),
    (-70, -6, 127), (-85, 26, 118), (-82, 42, 112), (-72, 52, 106), (-66, 68, 99), (-60, 84, 95),
    (-54, 116, 88), (-30, 140, 80), (-8, 150, 70), (12, 128, 60), (22, 106, 55), (6, 99, 62), (-6, 86, 66),
    (-9, 72, 66), (-2, 60, 62), (14, 51, 56), (36, 50, 49), (52, 40, 44),
]  # fmt: skip
_BRIM = [
    (22, 2, 48),
    (10, 24, 54),
    (-6, 46, 60),
    (-24, 66, 63),
    (-44, 86, 60),
    (-66, 106, 46),
    (-84, 124, 26),
]
_BUTTRESS = [(24, 14, 50), (6, 40, 60), (-18, 70, 72), (-38, 96, 84)]
_NOTCH = [(46, 47, 47), (30, 50, 50), (12, 52, 56), (-2, 60, 62), (-9, 72, 66), (-6, 86, 66), (6, 98, 62)]
_JOINT = [(2, -4, 40), (16, 2, 42), (30, 16, 42), (40, 34, 40), (40, 46, 38), (28, 46, 40), (14, 30, 42)]
_FOSSA = [(42, 6, 52), (26, -18, 72), (4, -31, 100), (-20, -31, 115), (-44, -20, 121), (-62, 0, 118),
          (-72, 24, 110), (-60, 44, 99), (-40, 52, 86), (-18, 46, 75), (6, 30, 66), (26, 20, 57)]  # fmt: skip
_HIP = (-37, 112, 88)


class _Pelvis:
    """Points of one pelvis on the film."""

    def __init__(self, p: Placement, rng: np.random.Generator) -> None:
        self.frame = p.frames["S1"]
        tilt = np.degrees(np.arctan2(self.frame.axes[1, 0], self.frame.axes[1, 1]))
        turn = np.radians(np.clip(0.55 * (tilt - 38), -16, 16) + rng.normal(0, 4))
        self.turn = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        self.scale = np.array([1.0, 1.0, 1.0]) * rng.normal(1.0, 0.03) * (p.body.trunk_width / 300) ** 0.35
        self.shift = np.array([rng.normal(0, 4), (0.5 - p.body.crest) * 16])

    def at(self, points, side: float) -> np.ndarray:
        """Detector mm, shape (n, 2), of points (n, 3) on the right (1) or left (-1) side."""
        points = np.atleast_2d(np.asarray(points, dtype=float)) * self.scale
        flat = points[:, :2] @ self.turn.T + self.shift
        across = self.frame.axes[2]
        world = np.column_stack([flat, np.zeros(len(flat))]) + side * points[:, 2:3] * across
        z = world[:, 2:3]
        offset = (world[:, :2] - z * self.frame.beam) / (1 + z / self.frame.distance)
        return self.frame.centre + offset * self.frame.magnification


def add_pelvis(canvas: Canvas, p: Placement) -> None:
    """Sacrum and both hip bones."""
    rng = np.random.default_rng([p.body.seed, 37])
    canvas_rng, canvas.rng = canvas.rng, rng
    pelvis = _Pelvis(p, rng)
    wing = np.array(_WING, dtype=float) + rng.normal(0, 2.0, (len(_WING), 3))
    for side in (-1, 1):
        _hip_bone(canvas, pelvis, wing + rng.normal(0, 0.8, wing.shape), side)
    _sacrum(canvas, p)
    canvas.rng = canvas_rng


def _hip_bone(canvas: Canvas, pelvis: _Pelvis, wing: np.ndarray, side: int) -> None:
    m, rng = pelvis.frame.magnification, canvas.rng
    canvas.plate(smooth(pelvis.at(wing, side), each=5), 17.0, shell=0.9, core=2.6, round_off=9 * m,
                 soften=1.1, mottle=0.1, wander=2.2, step=3)  # fmt: skip
    rear = [(60, 20, 42), (44, -14, 62), (22, -28, 80), (14, 0, 62), (10, 30, 56), (28, 48, 50), (52, 40, 44)]
    canvas.plate(smooth(pelvis.at(rear, side)), 15.0, shell=0.2, core=1.6, round_off=26 * m, soften=4.0,
                 mottle=0.14, wander=2.0, step=3)  # fmt: skip
    fossa = smooth(pelvis.at(_FOSSA, side), each=5)
    canvas.plate(fossa, 14.0, shell=0.3, core=2.5, round_off=11 * m, soften=2.0, mottle=0.1, wander=3.0,
                 step=3, sign=-1.0)  # fmt: skip
    buttress = smooth(pelvis.at(_BUTTRESS, side), closed=False)
    canvas.tube(
        buttress, np.linspace(13, 18, len(buttress)), mag=m, shell=0.15, core=0.5, flat=0.5, rough=1.0
    )
    for line, radius, flat in ((_BRIM, 1.4, 2.2), (_NOTCH, 1.6, 1.7)):
        path = smooth(pelvis.at(line, side), closed=False)
        fade = np.sin(np.pi * np.linspace(0.08, 0.95, len(path))) ** 0.6
        canvas.tube(path, radius * (0.25 + 0.75 * fade), mag=m, shell=0.7, core=0.5, flat=flat, rough=0.2)
    joint = smooth(pelvis.at(_JOINT, side))
    fade = 0.25 + 0.5 * (0.5 + 0.5 * np.sin(np.linspace(0, 6 * np.pi, len(joint)) + rng.uniform(0, 6)))
    canvas.tube(joint, 0.9 * fade, mag=m, shell=0.6, flat=1.3, rough=0.8)
    _hip_joint(canvas, pelvis, side)


def _hip_joint(canvas: Canvas, pelvis: _Pelvis, side: int) -> None:
    """Femoral head in its socket."""
    m = pelvis.frame.magnification
    head = pelvis.at(_HIP, side)[0]
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    ring = head + 23 * m * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    canvas.plate(ring, 40, shell=0.35, core=1.3, round_off=22 * m, soften=0.8, mottle=0.2, wander=0.4, step=3)
    roof = head + 27 * m * np.stack([np.cos(angle[13:27]), np.sin(angle[13:27])], axis=1)
    thick = 0.6 + 1.6 * np.sin(np.linspace(0, np.pi, len(roof)))
    canvas.tube(roof, thick, mag=m, shell=0.7, core=1.5, flat=2.0, rough=0.5)


def _segments(p: Placement) -> tuple[np.ndarray, np.ndarray]:
    """Front and back of the sacrum from the promontory to the coccyx, detector mm, shape (n, 2) each."""
    front, back = [], []
    for level in ("S1", "S2", "S3"):
        frame = p.frames[level]
        v = frame.vertebra
        for end in (-1, 1):
            front.append(frame.project(-v.depth, end * v.anterior / 2, 0.0))
            back.append(frame.project(v.depth, end * v.posterior / 2, 0.0))
    frame = p.frames["S3"]
    size = frame.vertebra.anterior * frame.magnification
    heading = np.arctan2(*(front[-1] - front[-2]))
    at, half = (front[-1] + back[-1]) / 2, np.hypot(*(front[-1] - back[-1])) / 2
    for turn, step, narrow in ((0.3, 0.85, 0.8), (0.65, 0.8, 0.62), (1.05, 0.7, 0.42), (1.4, 0.6, 0.25)):
        way = np.array([np.sin(heading - turn), np.cos(heading - turn)])
        at = at + step * size * way
        across = np.array([way[1], -way[0]])
        front.append(at - across * half * narrow)
        back.append(at + across * half * narrow)
    return np.array(front), np.array(back)


def _sacrum(canvas: Canvas, p: Placement) -> None:
    """Wedge of fused segments with its front wall, canal, median crest and the two alae."""
    rng, frame = canvas.rng, p.frames["S1"]
    m = frame.magnification
    front, back = _segments(p)
    # the wedge, without the body of S1, which is a solid of its own
    wedge = np.concatenate([front[1:], back[:0:-1]])
    canvas.plate(smooth(wedge), 30, shell=0.2, core=1.5, round_off=9 * m, soften=0.8, mottle=0.22, wander=1.0)
    wall = smooth(front[[0, 1, 3, 5, 6, 7, 8]], closed=False)
    fade = np.interp(np.linspace(0, 1, len(wall)), [0, 0.1, 0.6, 1], [0.5, 1.1, 0.9, 0.3])
    canvas.tube(wall, fade, mag=m, shell=0.6, core=0.5, flat=4.5, rough=0.5)
    rear = smooth(back[[1, 3, 5, 6, 7]], closed=False)
    canvas.tube(rear, np.linspace(1.0, 0.5, len(rear)), mag=m, shell=0.5, flat=2.5, rough=0.5)
    # median crest and the laminae over the canal
    away = np.gradient(back, axis=0)
    away = np.stack([away[:, 1], -away[:, 0]], axis=1) / np.hypot(*away.T)[:, None]
    depth = m * np.array([15, 17, 17, 16, 14, 13, 10, 7, 4, 2.0])[:, None]
    bump = m * np.array([3, 7, 2, 6, 1.5, 5, 1, 2, 0, 0.0])[:, None] * rng.uniform(0.6, 1.3, (10, 1))
    roof = smooth((back + away * depth)[:9], closed=False)
    canvas.tube(roof, np.linspace(1.6, 0.7, len(roof)), mag=m, shell=0.6, core=0.8, flat=2.6, rough=0.9)
    crest = np.concatenate([(back + away * (depth + bump))[:9], (back + away * (depth - 3 * m))[8::-1]])
    canvas.plate(smooth(crest, each=4), 6.0, shell=0.5, core=1.3, round_off=5.0 * m, soften=0.5, wander=1.0)
    for side in (-1, 1):
        _ala(canvas, p, side)


def _ala(canvas: Canvas, p: Placement, side: int) -> None:
    rng, frame = canvas.rng, p.frames["S1"]
    v, m = frame.vertebra, frame.magnification
    d, h = v.depth, v.anterior
    local = np.array([(-0.45 * d, -0.22 * h), (0.2 * d, -0.48 * h), (1.1 * d, -0.5 * h), (1.7 * d, -0.1 * h),
                      (1.9 * d, 18), (1.6 * d, 46), (0.9 * d, 62), (0.1 * d, 44),
                      (-0.5 * d, 12)])  # fmt: skip
    local = smooth(local + rng.normal(0, 1.5, local.shape))
    canvas.plate(frame.project(local[:, 0], local[:, 1], side * 38.0), 26.0, shell=0.15, core=1.5,
                 round_off=24 * m, soften=3.0, mottle=0.18, wander=1.5, step=3)  # fmt: skip
    top = smooth([(-0.6 * d, -0.05 * h), (-0.1 * d, -0.34 * h), (0.6 * d, -0.5 * h), (1.2 * d, -0.48 * h)],
                 closed=False)  # fmt: skip
    thick = 0.3 + 0.6 * np.sin(np.linspace(0, np.pi, len(top)))
    canvas.tube(
        frame.project(top[:, 0], top[:, 1], side * 32.0), thick, mag=m, shell=0.5, flat=2.2, rough=0.6
    )
    for k in range(2):  # front edges of the upper foramina
        arc = smooth([(0.1 * d, (0.55 + k) * h), (0.6 * d, (0.42 + k) * h), (1.0 * d, (0.6 + k) * h)],
                     closed=False)  # fmt: skip
        canvas.tube(
            frame.project(arc[:, 0], arc[:, 1], side * 16.0), 0.6, mag=m, shell=0.5, flat=1.6, rough=0.8
        )
