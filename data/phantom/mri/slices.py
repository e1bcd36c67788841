"""What lesions make of each slice of a stack, worked out from their solids: area and brightness of oedema.

Image-level truth without rendering; a mask has the same area but for voxels that are partly covered.
"""

from __future__ import annotations

import numpy as np

from core.imaging.spine import LEVELS
from data.phantom.mri.anatomy import Placed
from data.phantom.mri.drawing.posterior import depth_in, ends_of, holds, rods
from data.phantom.mri.lesions import Lesion, relative_distance
from data.phantom.mri.render import Plan
from data.phantom.mri.shape import inside
from data.phantom.mri.truth import WITHIN

STEP = 0.75  # mm of the lattice


def oedema_of_slices(plan: Plan, lesions: tuple[Lesion, ...]) -> tuple[np.ndarray, np.ndarray]:
    """mm2 of oedema in each slice, and the brightness of the brightest lesion in it relative to CSF."""
    area, bright = np.zeros((2, len(plan.grid.z)))
    for level in LEVELS:
        placed = plan.spine.placed[level]
        own = [one for one in lesions if one.level == level and not one.fatty]
        if not own or not plan.grid.y[0] < placed.centre[1] < plan.grid.y[-1]:
            continue
        behind = 60.0 if any(not one.in_body for one in own) else 2.0
        a = np.arange(-placed.vertebra.depth - 2, placed.vertebra.depth + behind, STEP)[None, :]
        h = np.arange(-34.0, 40.0, STEP)[:, None]
        for number, z in enumerate(plan.grid.z):
            there = np.zeros((h.size, a.size))
            for part in WITHIN:
                filled = _filled(placed, own, a, h, z + part * plan.grid.thickness)
                there += np.any(filled, axis=0) / len(WITHIN)
                seen = [one.brightness for one, its in zip(own, filled, strict=True) if its.any()]
                bright[number] = max([bright[number], *seen])
            area[number] += (there >= 0.5).sum() * STEP * STEP
    return area, np.where(area > 0, bright, 0.0)


def _filled(placed: Placed, own: list[Lesion], a: np.ndarray, h: np.ndarray, z: float) -> list[np.ndarray]:
    """Where each lesion of a level is in the plane z, on the lattice a, h."""
    e_a, e_h, e_l = placed.axes[:, 2]
    l = (z - placed.centre[2] - a * e_a - h * e_h) / e_l  # noqa: E741
    v = placed.vertebra
    if any(one.in_body for one in own):
        where = inside(v, a, h, l)
        body = where.edge(v.corner) > 0
    found = []
    for one in own:
        if one.in_body:
            found.append((relative_distance(one, v, where, a, l) <= 1) & body)
            continue
        found.append(_behind(placed, one, a, h, l))
    return found


def _behind(placed: Placed, lesion: Lesion, a: np.ndarray, h: np.ndarray, l: np.ndarray) -> np.ndarray:  # noqa: E741
    """Where a lesion of a process is: near its tip, in whatever bone of the level lies there."""
    parts = rods(placed)
    bone = np.any([depth_in(placed, rod, a, h, l) > 0 for rod in parts], axis=0)
    near = np.zeros(bone.shape, bool)
    for rod in parts:
        if holds(lesion, rod):
            end = ends_of(placed, rod)[1]
            aside = np.abs(l - rod.lateral) < rod.wide + 2
            near |= aside & (np.hypot(a - end[0], h - end[1]) <= lesion.deep)
    return bone & near
