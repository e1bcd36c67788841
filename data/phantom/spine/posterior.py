"""Posterior elements of the trunk's vertebrae: pedicles, facets, laminae, transverse and spinous processes.

Every part of every level and side is a little other in place, turn and size, so that the parts overlap into
a soft mesh; both pedicles leave the body without an edge of their own and bound the foramina.
"""

from __future__ import annotations

import numpy as np

from data.phantom.spine.canvas import Canvas, smooth
from data.phantom.spine.placement import Frame, Placement

# outlines, local (a - half depth, h) in mm for a vertebra 27 mm high
_PEDICLE = [(-3.5, -10.5), (0, -9), (7, -9.5), (13, -9), (15, -4), (13, 1.5), (7, 0.5), (0, 2), (-3.5, 5)]
_SUPERIOR = [(9, -3), (8.5, -11), (9, -18), (12, -22.5), (16.5, -21), (18.5, -14), (20, -6), (16, 0)]
_INFERIOR = [(11, -7), (18, -7), (24, 1), (27.5, 11), (27.5, 20), (24.5, 26), (20, 26), (17.5, 19), (16, 10),
             (12, 2)]  # fmt: skip
_LAMINA = [(14, -5), (21, -4), (27, 3), (30, 13), (27, 21), (21, 16), (15, 5)]
_TRANSVERSE = [(6, -9), (11, -11), (17, -9), (19, -4), (16, 0), (9, 0), (5, -4)]
_SPINOUS = [(19, -2), (28, -1), (38, 1), (48, 4), (55, 6), (60, 12), (59, 21), (54, 25), (46, 23), (36, 20),
            (27, 18), (20, 12)]  # fmt: skip
_SPINOUS_THORACIC = [(13, -1), (22, 2), (30, 10), (38, 20), (44, 30), (43, 36), (38, 36), (30, 28), (22, 20),
                     (13, 12)]  # fmt: skip
_LENGTH = {"L1": 0.93, "L2": 1.0, "L3": 1.05, "L4": 0.97, "L5": 0.72}


def add_posterior_elements(canvas: Canvas, p: Placement) -> None:
    """All levels of the film but the sacral ones, which ``pelvis`` draws."""
    rng = np.random.default_rng([p.body.seed, 23])
    canvas_rng, canvas.rng = canvas.rng, rng
    joint = rng.uniform(0.9, 1.15)  # how thick the facets of this patient are
    for level, frame in p.frames.items():
        if level.startswith("S") and level != "S1":
            continue
        size = frame.vertebra.anterior / 27.0 * rng.uniform(0.94, 1.06)
        for side in (-1, 1):
            _half(canvas, frame, level, size, side, joint * rng.uniform(0.85, 1.2))
        if level != "S1":
            _spinous(canvas, frame, level, size)
    canvas.rng = canvas_rng


def _half(canvas: Canvas, frame: Frame, level: str, size: float, side: int, joint: float) -> None:
    """One side of one level."""
    v, rng = frame.vertebra, canvas.rng
    thoracic = level.startswith("T")
    wide = v.width * (0.42 if thoracic else 0.5 + 0.06 * (level in ("L5", "S1")))
    if level != "S1":
        _part(canvas, frame, _PEDICLE, size, side * wide, 8.5 * size, 0.4, shell=0.75, core=2.2,
              round_off=4.5, soften=0.2, wander=0.5)  # fmt: skip
        _part(canvas, frame, _INFERIOR, size * joint, side * (wide + 1), 11.5 * size, 1.1, shell=0.85,
              core=2.6, round_off=5.5, soften=0.3, wander=1.1)  # fmt: skip
        _part(canvas, frame, _LAMINA, size, side * 0.5 * wide, 7.5 * size, 1.2, shell=0.8, core=2.2,
              round_off=5.5, soften=0.45, wander=1.1)  # fmt: skip
    _part(canvas, frame, _SUPERIOR, size * joint, side * (wide + 4), 12 * size, 1.0, shell=0.85, core=2.6,
          round_off=5.5, soften=0.3, wander=1.0)  # fmt: skip
    if not thoracic and level != "S1":
        _part(canvas, frame, _TRANSVERSE, size * rng.uniform(0.6, 1.0), side * (wide + 20), 17 * size, 1.5,
              shell=0.4, core=1.4, round_off=7.0, soften=0.8, wander=1.0)  # fmt: skip
    # subchondral line of the joint, seen nearly along its plane
    along = np.array([(11.5, -20), (12.5, -13), (14.5, -6)]) * size * joint + rng.normal(0, 0.8, 2)
    line = frame.project(v.depth + along[:, 0], along[:, 1], side * (wide + 3))
    canvas.tube(line, np.array([0.3, 0.8, 0.4]), mag=frame.magnification, shell=0.8,
                flat=rng.uniform(1.0, 3.0), rough=0.4)  # fmt: skip


def _spinous(canvas: Canvas, frame: Frame, level: str, size: float) -> None:
    rng = canvas.rng
    thoracic = level.startswith("T")
    shape = np.array(_SPINOUS_THORACIC if thoracic else _SPINOUS, dtype=float)
    behind = np.clip(shape[:, 0] - 20, 0, None)
    shape[:, 0] += behind * (_LENGTH.get(level, 1.0) * rng.normal(1, 0.08) - 1)
    shape[:, 1] += behind * rng.normal(0.02, 0.07)
    shape += rng.normal(0, 0.9, shape.shape)
    _part(canvas, frame, shape, size, rng.normal(0, 1.0), 8.0, 0.8, shell=1.0, core=2.0, round_off=3.5,
          soften=0.35, wander=0.9)  # fmt: skip


def _part(
    canvas: Canvas, frame: Frame, shape, size: float, side: float, thickness: float, jog: float, **look: float
) -> None:
    """A posterior element: outline behind the posterior wall at lateral position ``side`` mm; ``jog``: mm by
    which place and form differ from one to the next."""
    rng = canvas.rng
    shape = np.asarray(shape, dtype=float)
    middle = shape.mean(axis=0)
    turn, scale = rng.normal(0, 0.07 * jog), 1 + rng.normal(0, 0.06 * jog, 2)
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    shape = middle + ((shape - middle) * scale) @ spin + rng.normal(0, jog, 2)
    local = smooth(shape * size, each=4)
    points = frame.project(frame.vertebra.depth + local[:, 0], local[:, 1], side)
    canvas.plate(points, thickness, step=1, mottle=0.2, **look)
