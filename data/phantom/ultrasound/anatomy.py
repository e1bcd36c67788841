"""The healthy joint in the longitudinal dorsal plane, in mm: x from proximal to distal, z down from skin.

Bones are surfaces as seen from the probe. The line that joins the bone surfaces, against which synovial
hypertrophy is graded, is their upper hull. Measures are orders of size drawn by eye (not verified here).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

KINDS = ("MCP", "PIP", "DIP", "WR")
STEP = 0.05  # mm between columns in which the joint is described
HALF = 24.0  # mm on either side of the middle of the joint

# Bone surfaces, proximal first: (x, depth below the level of the joint).
_BONES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "MCP": (
        (
            (-40, 1.3), (-16, 1.4), (-11, 1.6), (-8, 1.25), (-5.6, 0.3), (-4, 0.0), (-2.6, 0.3),
            (-1.5, 1.1), (-0.8, 2.2), (-0.65, 3.4),
        ),
        ((0.7, 3.4), (0.85, 1.7), (1.4, 0.7), (2.3, 0.2), (3.3, 0.3), (5.2, 0.95), (9, 1.6), (40, 2.2)),
    ),
    "PIP": (
        (
            (-40, 1.0), (-12, 1.0), (-7, 0.95), (-4.4, 0.4), (-2.9, 0.0), (-1.8, 0.2), (-1.0, 0.8),
            (-0.5, 1.6), (-0.4, 2.5),
        ),
        ((0.45, 2.5), (0.6, 1.2), (1.0, 0.5), (1.8, 0.12), (2.7, 0.25), (4.4, 0.75), (8, 1.1), (40, 1.6)),
    ),
    "DIP": (
        (
            (-40, 1.0), (-9, 0.9), (-5, 0.75), (-3.2, 0.25), (-2.2, 0.0), (-1.4, 0.2), (-0.7, 0.75),
            (-0.4, 1.8),
        ),
        ((0.4, 1.8), (0.5, 0.75), (0.9, 0.2), (1.5, 0.05), (2.6, 0.35), (4.2, 0.9), (8, 1.4), (40, 2.0)),
    ),
    "WR": (
        ((-40, 0.5), (-14, 0.3), (-9.5, 0.0), (-7.4, 0.0), (-6.2, 0.5), (-5.6, 1.8), (-5.4, 3.4)),
        ((-4.4, 3.4), (-4.2, 1.8), (-3.4, 0.9), (-1.8, 0.5), (0, 0.6), (1.4, 1.2), (2.0, 2.2), (2.1, 3.4)),
        ((3.0, 3.4), (3.2, 2.2), (4.2, 1.3), (6.2, 0.8), (9, 1.1), (14, 1.3), (40, 1.0)),
    ),
}  # fmt: skip
# Depth of the bones, reach of the capsule to each side of the middle, thickness of the extensor tendon.
_DEPTH = {"MCP": 5.6, "PIP": 4.1, "DIP": 3.3, "WR": 7.0}
_REACH = {"MCP": (-8.5, 4.0), "PIP": (-5.2, 3.2), "DIP": (-4.0, 2.8), "WR": (-8.0, 6.8)}
_TENDON = {"MCP": 1.15, "PIP": 0.8, "DIP": 0.6, "WR": 1.9}


def kind_of(joint: str) -> str:
    """MCP, PIP, DIP or WR of a joint such as MCP2."""
    return joint.rstrip("0123456789")


@dataclass(frozen=True)
class Joint:
    """One healthy joint. Arrays have a value for each of ``x``, depths in mm.

    bone: surface, NaN in the clefts. cleft: bottom of what sound reaches (bone, or the bottom of a cleft).
    line: that joins the bone surfaces. reach: x between which the capsule lies.
    cartilage: thickness. tendon: thickness of the extensor tendon; lift: mm between it and the line.
    skin, fat: thickness of skin, and how much of what lies under it is fat (the rest is softer).
    erosions: (x, width, depth) of gaps in a bone's surface.
    """

    kind: str
    x: np.ndarray
    bone: np.ndarray
    cleft: np.ndarray
    line: np.ndarray
    reach: tuple[float, float]
    cartilage: np.ndarray
    tendon: float
    lift: float
    skin: float
    erosions: tuple[tuple[float, float, float], ...]


def make_joint(rng: np.random.Generator, kind: str, *, eroded: int = 0) -> Joint:
    """A joint of a person; eroded: how many gaps its bones have."""
    x = np.arange(-HALF, HALF + STEP / 2, STEP)
    size, deep = rng.normal(1.0, 0.08), rng.uniform(0.85, 1.25)
    level = _DEPTH[kind] * rng.normal(1.0, 0.12)
    bone, cleft = np.full(len(x), np.nan), np.full(len(x), np.nan)
    drop = 3.4 if kind in ("MCP", "WR") else 2.2
    for points in _BONES[kind]:
        at = np.array(points, float) * [size, deep]
        at[1:-1] += rng.normal(0, 1, (len(at) - 2, 2)) * [0.05, 0.06]
        at[:, 0] = np.maximum.accumulate(at[:, 0] + np.arange(len(at)) * 1e-3)
        inside = (x >= at[0, 0]) & (x <= at[-1, 0])
        bone[inside] = PchipInterpolator(at[:, 0] + np.arange(len(at)) * 1e-6, at[:, 1])(x[inside])
    erosions = tuple(_erosion(rng, kind, size) for _ in range(eroded))
    for where, width, depth in erosions:
        bone = bone + depth * np.exp(-(((x - where) / width) ** 4))
    cleft = np.where(np.isnan(bone), drop * deep, np.minimum(np.nan_to_num(bone, nan=9.0), 9.0))
    tilt = np.deg2rad(np.clip(rng.normal(0, 4.0), -9, 9))
    ramp = level + np.tan(tilt) * x + rng.normal(0, 0.15) * (x / 10) ** 2
    bone, cleft = bone + ramp, cleft + ramp
    reach = (_REACH[kind][0] * size, _REACH[kind][1] * size)
    thick = np.where(np.isnan(bone), 0, rng.uniform(0.25, 0.55) * (0.75 if kind in ("PIP", "DIP") else 1))
    thick = thick * np.exp(-(((x - (reach[0] * 0.3)) / (abs(reach[0]) * 0.45)) ** 4))
    return Joint(
        kind, x, bone, cleft, _hull(x, bone, reach), reach, thick,
        _TENDON[kind] * rng.uniform(0.8, 1.25), rng.uniform(0.35, 0.9), rng.uniform(0.9, 1.5), erosions,
    )  # fmt: skip


def _erosion(rng: np.random.Generator, kind: str, size: float) -> tuple[float, float, float]:
    low, high = _REACH[kind]
    where = rng.uniform(low * 0.75, high * 0.8) * size
    return float(where), float(rng.uniform(0.5, 1.1)), float(rng.uniform(0.5, 1.3))


def _hull(x: np.ndarray, bone: np.ndarray, reach: tuple[float, float]) -> np.ndarray:
    """Least depth that a taut string over the bones has; beyond the capsule the bone itself."""
    near = (x >= reach[0] - 1) & (x <= reach[1] + 1) & ~np.isnan(bone)
    kept: list[tuple[float, float]] = []
    for point in zip(x[near], bone[near], strict=True):
        while len(kept) > 1 and _below(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    at = np.array(kept)
    line = np.interp(x, at[:, 0], at[:, 1])
    outside = (x < at[0, 0]) | (x > at[-1, 0])
    line[outside] = bone[outside]
    return line


def _below(one: tuple[float, float], two: tuple[float, float], three: tuple[float, float]) -> bool:
    """Whether the middle point lies deeper than the string between the others."""
    return (three[1] - one[1]) * (two[0] - one[0]) <= (two[1] - one[1]) * (three[0] - one[0])
