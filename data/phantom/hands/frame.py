"""Placed bones, joints, and the way from the frame of a limb to the film."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from data.phantom.hands.skeleton.bones import Bone


@dataclass(frozen=True)
class Placed:
    """A long bone in the frame of its limb: origin (3,) of its base, axes (3, 3) with rows u, v, w."""

    bone: Bone
    origin: np.ndarray
    axes: np.ndarray

    def point(self, u: float, v: float = 0.0, w: float = 0.0) -> np.ndarray:
        return self.origin + np.array([u, v, w]) @ self.axes

    @property
    def tip(self) -> np.ndarray:
        return self.point(self.bone.length)


@dataclass(frozen=True)
class Joint:
    """A joint or bone that is scored, or one that only looks like it (``scored`` False: DIP).

    centre: mm in the frame of the limb. box: width and height in mm. bones: proximal, distal (or the bone).
    gap_mm: joint space in the middle; 0 where grown together, negative where bones overlap.
    """

    unit: str
    centre: np.ndarray
    box: tuple[float, float]
    bones: tuple[str, ...]
    gap_mm: float
    scored: bool = True
    along: np.ndarray | None = None  # direction (3,) from the proximal to the distal bone


@dataclass
class Skeleton:
    """A hand or foot in its own frame. flat: outlines (n, 2) of carpals and the like, by name."""

    limb: str
    long: dict[str, Placed] = field(default_factory=dict)
    flat: dict[str, np.ndarray] = field(default_factory=dict)
    joints: list[Joint] = field(default_factory=list)
    fused: list[tuple[str, str]] = field(default_factory=list)
    bites: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)  # x, y, radius


@dataclass(frozen=True)
class Placement:
    """Limb frame to film: mirror, roll about the long axis, turn in the plane, magnify, move (mm)."""

    mirror: bool
    roll: float
    turn: float
    magnification: float
    shift: tuple[float, float]

    def matrix(self) -> np.ndarray:
        """Rotation (with mirror) of directions, without magnification."""
        sin, cos = np.sin(self.roll), np.cos(self.roll)
        roll = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
        mirror = np.diag([-1.0 if self.mirror else 1.0, 1, 1])
        sin, cos = np.sin(self.turn), np.cos(self.turn)
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        return turn @ mirror @ roll

    def points(self, xyz: np.ndarray) -> np.ndarray:
        """Detector mm (n, 2) of points (n, 2 or 3) in the limb's frame."""
        xyz = np.atleast_2d(np.asarray(xyz, float))
        if xyz.shape[1] == 2:
            xyz = np.column_stack([xyz, np.zeros(len(xyz))])
        return (xyz @ self.matrix().T)[:, :2] * self.magnification + np.array(self.shift)


def axes_of(angle: float, tilt: float, roll: float) -> np.ndarray:
    """Axes of a bone: ``angle`` degrees clockwise from -y, ``tilt`` of its head to the palm, ``roll``."""
    a, f, r = np.radians([angle, tilt, roll])
    u = np.array([np.sin(a) * np.cos(f), -np.cos(a) * np.cos(f), np.sin(f)])
    v = np.array([np.cos(a), np.sin(a), 0.0])
    w = np.cross(u, v)
    return np.stack([u, v * np.cos(r) + w * np.sin(r), -v * np.sin(r) + w * np.cos(r)])
