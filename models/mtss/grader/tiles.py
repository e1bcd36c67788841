"""Tiles for the grader: a square of the film around each scored place, turned and mirrored alike for all.

The bone away from the body points up and the thumb (or big toe) lies on the left, as on a right hand of a PA
film, so left limbs are mirrored. Directions follow from the places alone, so that a tile in training and one
of a film that nobody labelled are cut the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.domain import Box
from core.scores.mtss import MTSS
from models.common.frames import Frame
from models.common.pixels import cut_tile, stretch
from models.mtss.places import Places

TILE = 128  # pixels of a side
MM = 0.19  # a pixel, of most places
WIDE = {"H.RAD": 1.4, "H.RC": 1.4}  # places that need a larger square, and by how much
KINDS = tuple(dict.fromkeys(site.unit[1:] for site in MTSS.sites if site.side == "R"))  # H.IP1 ... F.IP1
KIND_INDEX = {kind: i for i, kind in enumerate(KINDS)}
WRIST = ("MC1", "MUL", "NAV", "LUN", "RAD", "ULN", "CMC3", "CMC4", "CMC5", "MNA", "CNL", "RC")
SLOPE = np.deg2rad(5.0)  # by which the row of MTP joints falls off to the little toe
UP = np.array([0.0, -1.0])

Points = dict[str, np.ndarray]  # joint of one limb -> (x, y), pixels


def limb_points(places: Places, limb: str) -> Points:
    """The places of one limb (``LH``), the names without it."""
    return {
        unit[3:]: np.array([place.x, place.y]) for unit, place in places.units.items() if unit[:2] == limb
    }


def directions(points: Points, limb: str) -> dict[str, np.ndarray]:
    """Joint -> unit vector (x, y) from it away from the body, for each joint of a limb that has a place."""
    return _of_foot(points, limb[0]) if limb[1] == "F" else _of_hand(points)


def _of_hand(points: Points) -> dict[str, np.ndarray]:
    knuckles = [points[f"MCP{i}"] for i in (2, 3, 4, 5) if f"MCP{i}" in points]
    wrist = [points[name] for name in WRIST if name in points]
    axis = _unit(np.mean(knuckles, axis=0) - np.mean(wrist, axis=0)) if knuckles and wrist else UP
    found = dict.fromkeys(points, axis)
    for first, second in (("MC1", "MCP1"), ("MCP1", "IP1"), *((f"MCP{i}", f"PIP{i}") for i in (2, 3, 4, 5))):
        if first in points and second in points:
            along = _unit(points[second] - points[first])
            found[first] = along
            if first != "MC1":
                found[second] = along
    return found


def _of_foot(points: Points, side: str) -> dict[str, np.ndarray]:
    row = [points[f"MTP{i}"] for i in (1, 2, 3, 4, 5) if f"MTP{i}" in points]
    axis = UP
    if len(row) > 1:
        away = _unit(row[-1] - row[0]) * ([1, 1] if side == "R" else [-1, 1])
        across = np.arctan2(away[1], away[0]) - SLOPE
        axis = np.array([np.sin(across), -np.cos(across)]) * ([1, 1] if side == "R" else [-1, 1])
    found = dict.fromkeys(points, axis)
    if "MTP1" in points and "IP1" in points:
        found["MTP1"] = found["IP1"] = _unit(points["IP1"] - points["MTP1"])
    return found


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-6 else UP


def frames(places: Places, *, side: int = TILE) -> dict[str, Frame]:
    """Unit -> how its tile of ``side`` pixels lies on the film (film millimetres)."""
    found: dict[str, Frame] = {}
    for limb in sorted({unit[:2] for unit in places.units}):
        points = limb_points(places, limb)
        for joint, up in directions(points, limb).items():
            kind = f"{limb[1]}.{joint}"
            if kind not in KIND_INDEX:
                continue
            mm = MM * WIDE.get(kind, 1.0)
            along_y = -up * mm
            along_x = np.array([-up[1], up[0]]) * mm * (-1 if limb[0] == "L" else 1)
            centre = points[joint] * places.mm_per_pixel
            found[f"{limb}.{joint}"] = Frame(centre - side / 2 * (along_x + along_y), along_x, along_y)
    return found


def moved(frame: Frame, shift_mm: tuple[float, float]) -> Frame:
    """The same tile (across, down) shifted by millimetres of its own axes."""
    along = np.array(shift_mm) / frame.mm_per_pixel
    return Frame(
        frame.origin + along[0] * frame.along_x + along[1] * frame.along_y, frame.along_x, frame.along_y
    )


def cut(grey: np.ndarray, frames: Sequence[Frame], mm_per_pixel: float, *, side: int = TILE) -> np.ndarray:
    """float32 (n, side, side) in [0, 1] between each tile's own 1 and 99 percent quantiles.

    grey: the film, float32. Outside the film is 0.
    """
    spacing = (mm_per_pixel, mm_per_pixel)
    tiles = [cut_tile(grey, spacing, frame, side, side) for frame in frames]
    return np.stack(tiles) if tiles else np.zeros((0, side, side), np.float32)


def outline(frame: Frame, mm_per_pixel: float, *, side: int = TILE) -> Box:
    """The upright box around a tile, pixels of the film."""
    ends = np.array([[0.0, 0.0], [side, 0.0], [0.0, side], [side, side]])
    corners = frame.to_film(ends) / mm_per_pixel
    low, high = corners.min(axis=0), corners.max(axis=0)
    return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


__all__ = [
    "KINDS", "KIND_INDEX", "MM", "TILE", "cut", "directions", "frames", "limb_points", "moved", "outline",
    "stretch",
]  # fmt: skip
