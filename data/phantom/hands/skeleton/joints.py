"""How two long bones meet: joint space, deviation, luxation, erosions at the margins, fusion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.phantom.hands import ray_kernels as k
from data.phantom.hands.body import Look
from data.phantom.hands.frame import Placed, axes_of
from data.phantom.hands.skeleton.bones import Bone
from data.phantom.hands.state import ANKYLOSIS, LUXATION, SUBLUXATION, JointState, space_share


def articulate(
    proximal: Placed, bone: Bone, state: JointState, look: Look, gap: float, angle: float, tilt: float,
    roll: float,
) -> tuple[Placed, np.ndarray, float]:  # fmt: skip
    """The distal bone in place, the middle of the joint (3,), and the space that is left in mm.

    gap: healthy space in mm. angle, tilt, roll: direction of the distal bone, see ``frame.axes_of``.
    """
    space = gap * space_share(state.jsn)
    if state.finding == ANKYLOSIS:
        space = 0.12 * gap
    axes = axes_of(angle, tilt, roll)
    tilted = _slanted(bone, state, look, gap)
    turn = proximal.tip - proximal.axes[0] * proximal.bone.turn
    base = turn + axes[0] * (proximal.bone.turn + space - tilted.cup - _notch(proximal.bone))
    lateral, back, palm = luxation(state, look, bone)
    origin = base + proximal.axes[1] * lateral - axes[0] * back + proximal.axes[2] * palm
    placed = Placed(tilted, origin, axes)
    middle = 0.5 * (proximal.point(proximal.bone.length - _notch(proximal.bone)) + placed.point(tilted.cup))
    left = 0.0 if state.finding == ANKYLOSIS else space - back
    return placed, middle, float(left)


def _notch(bone: Bone) -> float:
    return float(max(bone.parameters[k.NOTCH], 0.0))


def luxation(state: JointState, look: Look, bone: Bone) -> tuple[float, float, float]:
    """Shift of the distal bone to the side, back over the proximal one, and to the palm, in mm."""
    wide = 2 * bone.base_width
    if state.finding == SUBLUXATION:
        return look.lean * wide * (0.26 + 0.2 * state.degree), 0.8 + 2.2 * state.degree, 0.15 * wide
    if state.finding == LUXATION:
        return look.lean * wide * (0.52 + 0.35 * state.degree), 4.0 + 6.0 * state.degree, 0.45 * wide
    return 0.0, 0.0, 0.0


def _slanted(bone: Bone, state: JointState, look: Look, gap: float) -> Bone:
    """Early narrowing is focal: the space closes on one side first."""
    early = np.interp(state.jsn, [0.6, 1.3, 2.2, 3.2], [0.0, 0.38, 0.24, 0.0])
    if early <= 0:
        return bone
    parameters = bone.parameters.copy()
    parameters[k.SLANT] += early * gap * look.narrow_side
    return replace(bone, parameters=parameters)


def erosion_bites(
    proximal: Bone, distal: Bone, erosion: float, look: Look
) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """Bites at the bare areas of both bones for an erosion severity of 0 to below 6."""
    first = look.share > 0.4
    main, other = (proximal, distal) if first else (distal, proximal)
    rows = side_bites(main, erosion, look, at_head=first)
    small = max(0.0, erosion - 2.6) * 0.75
    others = side_bites(other, small, look, at_head=not first)
    return (rows, others) if first else (others, rows)


def side_bites(bone: Bone, erosion: float, look: Look, *, at_head: bool) -> list[tuple[float, ...]]:
    """Bites of one end of one bone. Severity 1 is discrete, 3 crosses the midline, 5 is collapse."""
    if erosion < 0.35:
        return []
    width = bone.head_width if at_head else bone.base_width
    depth = np.interp(erosion, [0.35, 1, 1.99, 2.99, 3.9, 5.0, 6.0], [0.1, 0.30, 0.52, 0.82, 1.25, 1.7, 2.2])
    rows = [_bite(bone, at_head, look.side, look.palmar, depth * width, look, 0)]
    for i, (side, palmar, share) in enumerate(look.bites):
        start = 1.45 + 0.85 * i
        if erosion > start:
            size = share * width * np.interp(erosion - start, [0, 1, 3], [0.18, 0.45, 0.95])
            rows.append(_bite(bone, at_head, side if i else -look.side, palmar, size, look, i + 1))
    if erosion >= 4.6:
        rows.append(_collapse(bone, at_head, width, erosion, look))
    return rows


def _bite(bone: Bone, at_head: bool, side: float, palmar: float, size: float, look: Look, number: int):
    width = bone.head_width if at_head else bone.base_width
    recess = 0.62 * width if at_head else 0.22 * width
    if bone.parameters[k.BALL] and at_head:
        recess = 0.85 * width
    u = bone.length - recess if at_head else recess
    row = bone.at(u)
    v = side * (row[k.A] - 0.25 * min(size, width)) + row[k.OV]
    along = size * (0.9 + 0.25 * np.sin(look.phase + number))
    return (
        float(u), float(v), float(palmar * 0.5 * row[k.B]), float(min(along, 1.1 * width)), float(size),
        float(max(0.9 * size, 0.8 * row[k.B])), float(look.sclerosis), float(look.phase + 1.7 * number),
    )  # fmt: skip


def _collapse(bone: Bone, at_head: bool, width: float, erosion: float, look: Look):
    """Most of the articular end is gone."""
    deep = width * (0.55 + 0.35 * (erosion - 4.6))
    u = bone.length if at_head else 0.0
    return (u, 0.15 * width * look.side, 0.0, deep, 1.5 * width, 2.0 * width, 0.0, look.phase)
