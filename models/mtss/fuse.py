"""Finger joints that two kinds of network saw, under one name each: detectors' boxes and the finder's places.

The detectors (Sci Rep 2024;14:7696) see joints and their special findings but no names; the site finder
sees named places. A joint that both put at the same spot takes the middle of the two; where their names
contradict each other nobody knows which joint it is, so it is not scored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.domain import Abstained
from models.mtss.detectors.ensemble import Joints
from models.mtss.detectors.joints import UNITS
from models.mtss.detectors.naming import Named
from models.mtss.places import Place, Places

GATE_MM = 7.0  # a box whose middle is farther from a place shows another joint
DISAGREE = "the joint detectors and the site finder name it differently"


@dataclass(frozen=True)
class Fused:
    """places: of all units, finger joints from both kinds of network. boxes: unit -> index of its joint."""

    places: Places
    boxes: dict[str, int]


def fuse(joints: Joints, named: Named | Abstained, places: Places) -> Fused:
    """Boxes and places of one film of both hands (pixels of the film) put together."""
    middles = (joints.boxes[:, :2] + joints.boxes[:, 2:]) / 2
    near = nearest(middles, places)
    by_shape = {} if isinstance(named, Abstained) else named.units
    doubtful = contradictions(near, by_shape, middles, places)
    boxes = {unit: box for unit, box in (by_shape | near).items() if unit not in doubtful}
    units, missing = dict(places.units), dict(places.missing)
    for unit in doubtful:
        units.pop(unit, None)
        missing[unit] = DISAGREE
    for unit, box in boxes.items():
        units[unit] = _between(units.get(unit), middles[box], float(joints.scores[box]))
        missing.pop(unit, None)
    return Fused(replace(places, units=units, missing=missing), boxes)


def nearest(middles: np.ndarray, places: Places) -> dict[str, int]:
    """Finger joint -> index of the box (n, 2 middles) that lies on its place, each box given once."""
    units = [unit for unit in UNITS if unit in places.units]
    if not units or not len(middles):
        return {}
    at = np.array([[places.units[unit].x, places.units[unit].y] for unit in units])
    away = np.linalg.norm(at[:, None] - middles[None], axis=2) * places.mm_per_pixel
    rows, columns = linear_sum_assignment(np.minimum(away, GATE_MM))
    pairs = zip(rows, columns, strict=True)
    return {units[row]: int(column) for row, column in pairs if away[row, column] < GATE_MM}


def contradictions(
    near: dict[str, int], by_shape: dict[str, int], middles: np.ndarray, places: Places
) -> set[str]:
    """Units whose box by the shape of the hand is another one than that on their place, or that lie far from
    it.
    """
    owner = {box: unit for unit, box in near.items()}
    found = set()
    for unit, box in by_shape.items():
        if near.get(unit, box) != box or owner.get(box, unit) != unit:
            found |= {unit, owner.get(box, unit)}
        elif unit in places.units and unit not in near:
            place = places.units[unit]
            if np.hypot(place.x - middles[box][0], place.y - middles[box][1]) * places.mm_per_pixel > GATE_MM:
                found.add(unit)
    return found


def _between(place: Place | None, middle: np.ndarray, score: float) -> Place:
    if place is None:
        return Place(float(middle[0]), float(middle[1]), score)
    return Place((place.x + middle[0]) / 2, (place.y + middle[1]) / 2, max(place.confidence, score))
