"""SPARCC items by their definition, worked out from the solids of the lesions and not from any mask.

A unit is the lower half of the upper vertebra, the disc, and the upper half of the lower one; its quadrants
are the halves of these, before and behind the middle of the body. In each slice:

UA, UP, LA, LP: the quadrant holds at least ``VISIBLE`` square millimetres of oedema.
INT: at least that much is as bright as CSF: ``AS_BRIGHT`` of its signal or more.
DEP: oedema without a gap reaches ``DEEP`` mm or more from the end plate, over at least ``BROAD`` mm.

The area is counted on a lattice of half a millimetre in the vertebra's own axes, as the mean over the
thickness of the slice. The three consecutive slices are those with the most points together; of equals those
nearest to the midline, of these the first from the patient's left. A slice counts where the unit's upper
body is at least half as wide in depth as in the midline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.imaging.spine import LEVELS
from data.phantom.mri.anatomy import UNITS, Placed
from data.phantom.mri.lesions import Lesion, relative_distance
from data.phantom.mri.render import Plan
from data.phantom.mri.shape import inside

VISIBLE, AS_BRIGHT, DEEP, BROAD = 6.0, 0.9, 10.0, 1.5  # mm2, share of CSF's signal, mm, mm
STEP = 0.5  # mm of the lattice
ITEMS = ("UA", "UP", "LA", "LP", "INT", "DEP")
WITHIN = (-0.35, 0.0, 0.35)  # places within the thickness of a slice, in parts of it


@dataclass(frozen=True)
class Evidence:
    """What a unit holds in every slice. area: mm2 of oedema by quadrant, shape (slices, 4). bright: mm2 that
    is as bright as CSF. deep: mm from the end plate that oedema without a gap reaches. brightness: of the
    brightest, relative to CSF. cut: whether the slice cuts the unit."""

    area: np.ndarray
    bright: np.ndarray
    deep: np.ndarray
    brightness: np.ndarray
    cut: np.ndarray

    def points(self) -> np.ndarray:
        """The six items of every slice, shape (slices, 6), 0 or 1; NaN where the unit is not cut."""
        quadrants = self.area >= VISIBLE
        some = quadrants.any(axis=1)
        intense = some & (self.bright >= VISIBLE)
        found = np.column_stack([quadrants, intense, some & (self.deep >= DEEP)]).astype(float)
        found[~self.cut] = np.nan
        return found


def unit_evidence(plan: Plan, unit: str, lesions: tuple[Lesion, ...]) -> Evidence:
    """What the lesions of one visit make of a unit in a stack; fat and what lies behind has no part in it."""
    upper, lower = LEVELS[UNITS.index(unit)], LEVELS[UNITS.index(unit) + 1]
    slices = len(plan.grid.z)
    area, (bright, deep, brightness) = np.zeros((slices, 4)), np.zeros((3, slices))
    found = Evidence(area, bright, deep, brightness, _cut(plan, upper, lower))
    for half, (level, plate) in enumerate(((upper, "lower"), (lower, "upper"))):
        own = [one for one in lesions if one.level == level and one.in_body and not one.fatty]
        for number, z in enumerate(plan.grid.z):
            near = [one for one in own if _reaches(plan, one, float(z))]
            if near:
                _half_slice(found, plan, plan.spine.placed[level], plate, half, number, near)
    return found


def unit_points(plan: Plan, unit: str, lesions: tuple[Lesion, ...]) -> np.ndarray:
    """Items of every slice of a stack by the definition above, shape (slices, 6)."""
    return unit_evidence(plan, unit, lesions).points()


def _reaches(plan: Plan, lesion: Lesion, z: float) -> bool:
    """Whether a lesion can reach into the slice at z; a body leans a little across slices."""
    placed = plan.spine.placed[lesion.level]
    lean = float(np.abs(placed.axes[:2, 2]) @ (placed.vertebra.depth, placed.vertebra.anterior))
    return (
        abs(float(_lateral(placed, 0.0, 0.0, z)) - lesion.lateral) < lesion.wide + plan.grid.thickness + lean
    )


def _half_slice(found: Evidence, plan: Plan, placed: Placed, plate: str, half: int, number: int, own) -> None:
    """Add what one vertebra's half holds in one slice."""
    v = placed.vertebra
    a, h = (np.arange(-reach, reach, STEP) for reach in (v.depth + 2, 0.6 * max(v.anterior, v.posterior)))
    a, h = a[None, :], h[:, None]
    there = np.zeros((h.size, a.size))
    bright = there.copy()
    for part in WITHIN:
        l = _lateral(placed, a, h, plan.grid.z[number] + part * plan.grid.thickness)  # noqa: E741
        where = inside(v, a, h, l)
        body = where.edge(v.corner) > 0
        filled = [(relative_distance(one, v, where, a, l) <= 1) & body for one in own]
        there += np.any(filled, axis=0) / len(WITHIN)
        for lesion, its in zip(own, filled, strict=True):
            np.maximum(bright, its * lesion.brightness, out=bright)
        if part == 0.0:
            depth = np.broadcast_to(where.upper if plate == "upper" else where.lower, there.shape)
    oedema = there >= 0.5
    mine = oedema & (h > 0 if plate == "lower" else h < 0)
    if not mine.any():
        return
    sides = [(mine & side).sum() * STEP * STEP for side in (a < 0, a >= 0)]
    found.area[number, 2 * half : 2 * half + 2] = sides
    found.bright[number] += (mine & (bright >= AS_BRIGHT)).sum() * STEP * STEP
    if max(sides) >= VISIBLE:
        found.deep[number] = max(found.deep[number], _depth(oedema, depth, plate))
    found.brightness[number] = max(found.brightness[number], float(bright[mine].max()))


def _depth(oedema: np.ndarray, depth: np.ndarray, plate: str) -> float:
    """mm from the plate that oedema without a gap reaches over ``BROAD`` mm of it."""
    if plate == "lower":
        oedema, depth = oedema[::-1], depth[::-1]
    body = depth > 1.0
    whole = np.logical_and.accumulate(oedema | ~body, axis=0) & body
    reached = np.sort(np.where(whole, depth, 0).max(axis=0))[::-1]
    return float(reached[round(BROAD / STEP) - 1])


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
    rows: list[tuple[object, ...]] = []
    for unit in units:
        points = unit_points(plan, unit, lesions)
        placed = plan.spine.placed[LEVELS[UNITS.index(unit)]]
        rows += item_rows(unit, points, three_slices(points, plan.grid.z - placed.centre[2]))
    return item_frame(rows)


def item_rows(unit: str, points: np.ndarray, first: int | None) -> list[tuple[object, ...]]:
    """Rows (unit, site, grade, slice) of a unit from the points of all slices and the first of its three."""
    places = [(step, number, item) for step in range(3) for number, item in enumerate(ITEMS)]
    if first is None:
        return [(unit, f"{unit}.s{step + 1}.{item}", pd.NA, pd.NA) for step, _, item in places]
    return [
        (unit, f"{unit}.s{step + 1}.{item}", int(points[first + step, number]), first + step)
        for step, number, item in places
    ]


def item_frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """The rows of ``item_rows`` as a table."""
    frame = pd.DataFrame(rows, columns=["unit", "site", "grade", "slice"])
    return frame.astype({"grade": "Int64", "slice": "Int64"})
