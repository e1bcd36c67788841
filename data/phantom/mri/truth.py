"""SPARCC items by their definition, worked out from the solids of the lesions and not from any mask.

A unit is the lower half of the upper vertebra, the disc, and the upper half of the lower one; its quadrants
are the halves of these, before and behind the middle of the body. In each slice:

UA, UP, LA, LP: the quadrant holds at least ``VISIBLE`` square millimetres of oedema.
INT: at least that much of it is as bright as CSF (``AS_BRIGHT`` of its signal, as nobody sees less).
DEP: oedema without a gap reaches ``DEEP`` mm or more from the end plate, over at least ``BROAD`` mm.

The area is counted on a lattice of half a millimetre in the vertebra's own axes, as the mean over the
thickness of the slice. The three consecutive slices are those with the most points together; of equals those
nearest to the midline, of these the first from the patient's left. A slice counts where the unit's upper
body is at least half as wide in depth as in the midline.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.phantom.mri.anatomy import LEVELS, UNITS, Placed
from data.phantom.mri.lesions import Lesion, relative_distance
from data.phantom.mri.render import Plan
from data.phantom.mri.shape import inside

VISIBLE, AS_BRIGHT, DEEP, BROAD = 6.0, 0.9, 10.0, 1.5  # mm2, share of CSF's signal, mm, mm
STEP = 0.5  # mm of the lattice
ITEMS = ("UA", "UP", "LA", "LP", "INT", "DEP")
WITHIN = (-0.35, 0.0, 0.35)  # places within the thickness of a slice, in parts of it


def unit_points(plan: Plan, unit: str, lesions: tuple[Lesion, ...]) -> np.ndarray:
    """Points of every slice of a stack, shape (slices, 6 items), 0 or 1; NaN where the unit is not cut.

    lesions: of one visit; fat and what lies behind the bodies has no part in it.
    """
    upper, lower = LEVELS[UNITS.index(unit)], LEVELS[UNITS.index(unit) + 1]
    points = np.zeros((len(plan.grid.z), len(ITEMS)))
    for half, (level, plate) in enumerate(((upper, "lower"), (lower, "upper"))):
        own = [one for one in lesions if one.level == level and one.in_body and not one.fatty]
        if own:
            _half_unit(points, plan, level, plate, half, own)
    points[~_cut(plan, upper, lower)] = np.nan
    return points


def _half_unit(points: np.ndarray, plan: Plan, level: str, plate: str, half: int, own: list[Lesion]) -> None:
    """Add the points of one vertebra's half to those of the unit."""
    placed = plan.spine.placed[level]
    v = placed.vertebra
    a, h = (np.arange(-reach, reach, STEP) for reach in (v.depth + 2, 0.6 * max(v.anterior, v.posterior)))
    a, h = a[None, :], h[:, None]
    mine = h > 0 if plate == "lower" else h < 0
    for number, z in enumerate(plan.grid.z):
        bright = np.zeros(np.broadcast_shapes(a.shape, h.shape))
        there = bright.copy()
        for part in WITHIN:
            l = _lateral(placed, a, h, z + part * plan.grid.thickness)  # noqa: E741
            where = inside(v, a, h, l)
            body = where.edge(v.corner) > 0
            for lesion in own:
                filled = (relative_distance(lesion, v, where, a, l) <= 1) & body
                there = np.maximum(there, 0) + filled * (1 / len(WITHIN))
                bright = np.maximum(bright, filled * lesion.brightness)
        oedema = (there >= 0.5) & mine
        if not oedema.any():
            continue
        area = STEP * STEP
        for item, side in ((2 * half, a < 0), (2 * half + 1, a >= 0)):
            points[number, item] = max(points[number, item], float((oedema & side).sum() * area >= VISIBLE))
        if points[number, 2 * half : 2 * half + 2].any():
            intense = (oedema & (bright >= AS_BRIGHT)).sum() * area >= VISIBLE
            points[number, 4] = max(points[number, 4], float(intense))
            points[number, 5] = max(points[number, 5], float(_deep(placed, plate, a, h, z, there >= 0.5)))


def _deep(placed: Placed, plate: str, a, h, z: float, oedema: np.ndarray) -> bool:
    """Whether oedema without a gap reaches ``DEEP`` from the plate over ``BROAD`` mm."""
    v = placed.vertebra
    where = inside(v, a, h, _lateral(placed, a, h, z))
    depth = where.upper if plate == "upper" else where.lower
    depth = np.broadcast_to(depth, oedema.shape)
    order = oedema if plate == "upper" else oedema[::-1]
    from_plate = depth if plate == "upper" else depth[::-1]
    body = from_plate > 1.0
    whole = np.logical_and.accumulate(order | ~body, axis=0) & body
    reached = np.where(whole, from_plate, 0).max(axis=0)
    return float((reached >= DEEP).sum() * STEP) >= BROAD


def _lateral(placed: Placed, a, h, z) -> np.ndarray:
    """l of the points (a, h) of a vertebra that lie in the plane z of the stack."""
    e_a, e_h, e_l = placed.axes[:, 2]
    return np.asarray((z - placed.centre[2] - a * e_a - h * e_h) / e_l)


def _cut(plan: Plan, upper: str, lower: str) -> np.ndarray:
    """Which slices cut both bodies of a unit where the image shows it."""
    there = np.ones(len(plan.grid.z), bool)
    for level in (upper, lower):
        placed = plan.spine.placed[level]
        y = placed.centre[1]
        there &= bool(plan.grid.y[0] < y < plan.grid.y[-1])
        there &= np.abs(_lateral(placed, 0.0, 0.0, plan.grid.z)) < 0.86 * placed.vertebra.width
    return there


def three_slices(points: np.ndarray, lateral: np.ndarray) -> int | None:
    """First of the three consecutive slices with the most points; None where no three in a row are cut.

    lateral: distance of each slice from the midline of the unit in mm.
    """
    total = points.sum(axis=1)
    starts = [i for i in range(len(total) - 2) if np.isfinite(total[i : i + 3]).all()]
    if not starts:
        return None
    return min(starts, key=lambda i: (-total[i : i + 3].sum(), round(abs(float(lateral[i + 1])), 3), i))


def sparcc_items(plan: Plan, units: tuple[str, ...], lesions: tuple[Lesion, ...]) -> pd.DataFrame:
    """Items of the units that a stack scores: site (``T7T8.s2.UA``), grade (0, 1 or NA), slice (index)."""
    rows = []
    for unit in units:
        points = unit_points(plan, unit, lesions)
        placed = plan.spine.placed[LEVELS[UNITS.index(unit)]]
        first = three_slices(points, plan.grid.z - placed.centre[2])
        for step in range(3):
            for number, item in enumerate(ITEMS):
                grade = pd.NA if first is None else int(points[first + step, number])
                at = pd.NA if first is None else first + step
                rows.append((unit, f"{unit}.s{step + 1}.{item}", grade, at))
    frame = pd.DataFrame(rows, columns=["unit", "site", "grade", "slice"])
    return frame.astype({"grade": "Int64", "slice": "Int64"})
