"""Lesions of the marrow as solids: where oedema is, how bright it is, how deep it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from data.phantom.mri.shape import Inside, Plate

CORNER, PLATE, FACET, SPINOUS = "corner", "plate", "facet", "spinous"
EDGE = 0.24  # of the relative distance over which signal falls at the border of a lesion


@dataclass(frozen=True)
class Lesion:
    """One patch of oedema (or, with ``fatty``, of fat after it) in one vertebra.

    kind: at a corner, an end plate, in a facet or a spinous process. plate: of this vertebra.
    place: -1 in front, 1 behind; of a plate where along it the middle lies, in half depths.
    lateral: its middle, mm to the patient's right. along, deep, wide: how far it reaches from the wall (of a
    plate to either side of its middle), from the end plate, and to either side of ``lateral``, in mm.
    brightness: its signal / that of CSF in the fat-suppressed sequence.
    """

    level: str
    kind: str
    plate: Plate
    place: float
    lateral: float
    along: float
    deep: float
    wide: float
    brightness: float
    fatty: bool = False

    @property
    def in_body(self) -> bool:
        """Whether it lies in the vertebral body, where discovertebral units are scored."""
        return self.kind in (CORNER, PLATE)


class HasDepth(Protocol):
    """A vertebra, of which only half its depth in mm is asked."""

    @property
    def depth(self) -> float: ...


def relative_distance(lesion: Lesion, v: HasDepth, where: Inside, a: np.ndarray, l: np.ndarray) -> np.ndarray:  # noqa: E741
    """0 in the middle of a lesion of a body, 1 at its border.

    where: distances inside the body at the local coordinates a, l.
    """
    depth = where.upper if lesion.plate == "upper" else where.lower
    if lesion.kind == CORNER:
        wall, power = (where.front if lesion.place < 0 else where.back), 1.7
    else:
        wall, power = np.abs(a - lesion.place * v.depth), 2.6
    parts = ((wall, lesion.along), (depth, lesion.deep), (np.abs(l - lesion.lateral), lesion.wide))
    total = sum((np.maximum(distance, 0) / np.float32(reach)) ** power for distance, reach in parts)
    return np.asarray(total, np.float32) ** (1 / power)


def strength(distance: np.ndarray) -> np.ndarray:
    """Share of the full signal at a relative distance: one half at the border."""
    return np.clip((1 - distance) / (2 * EDGE) + 0.5, 0, 1)
