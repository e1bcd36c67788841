"""The solid of a vertebral body: distances in mm from its walls and end plates at local coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.phantom.spine.body import Vertebra
from data.phantom.spine.placement import half_height, wall

Plate = str  # "upper" or "lower"
TAPER = 0.35
HOLLOW = 0.75  # of the hollows that a film shows, whose rims stand out


@dataclass(frozen=True)
class Node:
    """A Schmorl node: disc pressed into a plate. a, l: its middle; radius and depth in mm."""

    plate: Plate
    a: float
    l: float  # noqa: E741 - the field's axis name
    radius: float
    depth: float


@dataclass(frozen=True)
class Inside:
    """Distances in mm, positive inside the body: from the wall in front, behind and at the side, and from
    the upper and the lower end plate."""

    front: np.ndarray
    back: np.ndarray
    side: np.ndarray
    upper: np.ndarray
    lower: np.ndarray

    def wall(self) -> np.ndarray:
        return np.minimum(np.minimum(self.front, self.back), self.side)

    def plates(self) -> np.ndarray:
        return np.minimum(self.upper, self.lower)

    def edge(self, corner: float) -> np.ndarray:
        """Distance from the surface, whose edges between wall and plate are rounded by ``corner`` mm."""
        r = np.float32(corner)
        wall_, plate = self.wall(), self.plates()
        short = np.hypot(np.maximum(r - wall_, 0), np.maximum(r - plate, 0))
        return np.where((wall_ < r) & (plate < r), r - short, np.minimum(wall_, plate))


def plate_height(v: Vertebra, plate: Plate, a: np.ndarray, l: np.ndarray) -> np.ndarray:  # noqa: E741
    """h of an end plate: a wedge with a hollow, deepest a little behind the middle."""
    r2 = ((a - 0.12 * v.depth) / v.depth) ** 2 + (l / v.width) ** 2
    hollow = HOLLOW * np.maximum(1 - r2, 0)
    if plate == "upper":
        return -half_height(v, a) + v.concavity_upper * hollow - v.saddle * 0.3 * (l / v.width) ** 2
    return half_height(v, a) - v.concavity_lower * hollow


def half_depths(v: Vertebra, h: np.ndarray, l: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # noqa: E741
    """Depth of the front and of the back wall at height and lateral place; an end plate is a kidney."""
    front, back, _ = wall(v, 2 * h / (0.5 * (v.anterior + v.posterior)))
    across = np.clip(np.abs(l) / v.width, 0, 1)
    round_ = np.sqrt(np.maximum(1 - across**2.4, 0))
    if v.level.startswith("S"):  # the sacrum narrows from above downwards
        front = front * (1 - TAPER * (2 * h / (v.anterior + v.posterior) + 0.25))
    return front * round_, back * (1 - 0.16 * (1 - across**2)) * np.sqrt(np.maximum(1 - across**5, 0))


def inside(
    v: Vertebra,
    a: np.ndarray,
    h: np.ndarray,
    l: np.ndarray,  # noqa: E741
    nodes: tuple[Node, ...] = (),
) -> Inside:
    """How far points lie inside the body."""
    front, back = half_depths(v, h, l)
    _, _, side = wall(v, 2 * h / (0.5 * (v.anterior + v.posterior)))
    upper = h - plate_height(v, "upper", a, l)
    lower = plate_height(v, "lower", a, l) - h
    for node in nodes:
        dent = node.depth * np.exp(-((((a - node.a) ** 2 + (l - node.l) ** 2) / node.radius**2) ** 2))
        if node.plate == "upper":
            upper = upper - dent
        else:
            lower = lower - dent
    return Inside(a + front, back - a, side - np.abs(l), upper, lower)
