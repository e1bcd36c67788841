"""Where on a film of hands or feet the finding at one joint shows: what would look different without it.

The same bones are rendered with the joint's state and with a part of it taken away, free of noise, and
compared around the joint. Unlike the label boxes this is the finding itself: the missing bone of an erosion,
the edges that came closer, the bone that grew across, the ends that slipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from data.phantom.hands.body import HandBody
from data.phantom.hands.conditions import LimbConditions
from data.phantom.hands.frame import Placement, Skeleton
from data.phantom.hands.limbs import build
from data.phantom.hands.paint import Canvas, add_flat_bones, add_long_bones
from data.phantom.hands.processing import CORTICAL, TRABECULAR
from data.phantom.hands.render import place
from data.phantom.hands.state import HEALTHY, NONE, JointState

LEAST = 0.25  # of the largest change in attenuation: weaker changes are not drawn as part of the finding
AROUND = (
    1.2  # of the joint's label box: a slipped or narrowed joint moves the whole finger, which is no finding
)

WITHOUT: Mapping[str, Callable[[JointState], JointState]] = {  # feature -> the joint without it
    "erosion": lambda state: replace(state, erosion=0.0, distal_erosion=0.0),
    "jsn": lambda state: replace(state, jsn=0.0, finding=NONE),
    "finding": lambda state: replace(state, finding=NONE),
}


def changed_by(
    body: HandBody, conditions: LimbConditions, states: Mapping[str, JointState], unit: str, feature: str
) -> np.ndarray:
    """The finding at a joint (``RH.PIP2``) as a boolean mask of the film, (rows, columns); all False where
    there is none.

    feature: ``erosion``, ``jsn``, or ``finding`` for ankylosis, subluxation and luxation.
    """
    limb = unit[:2]
    with_it = build(body, limb, states, conditions)
    placement = place(conditions, limb, with_it, body)
    healthier = {**states, unit: WITHOUT[feature](states.get(unit, HEALTHY))}
    without = build(body, limb, healthier, conditions)
    change = np.abs(
        _bone(with_it, placement, body, conditions) - _bone(without, placement, body, conditions)
    ) * _around(with_it, placement, unit, conditions)
    top = float(change.max())
    return change >= LEAST * top if top > 1e-6 else np.zeros(change.shape, dtype=bool)


def _shape(c: LimbConditions) -> tuple[int, int]:
    return round(c.field[0] / c.spacing), round(c.field[1] / c.spacing)


def _bone(skeleton: Skeleton, placement: Placement, body: HandBody, c: LimbConditions) -> np.ndarray:
    """Attenuation of the bones of one limb."""
    canvas = Canvas.empty(_shape(c), c.spacing)
    beam = (c.field[1] / 2, c.field[0] * 0.45, c.source_distance)
    add_long_bones(canvas, skeleton, placement, beam, body.seed)
    add_flat_bones(canvas, skeleton, placement, body.mineral, 0.0, body.seed)
    return np.asarray(canvas.cortical * CORTICAL + canvas.trabecular * TRABECULAR)


def _around(skeleton: Skeleton, placement: Placement, unit: str, c: LimbConditions) -> np.ndarray:
    """True around the joint."""
    joint = next(one for one in skeleton.joints if one.unit == unit)
    x, y = placement.points(joint.centre[None])[0] / c.spacing - 0.5
    across, down = AROUND * np.array(joint.box) * placement.magnification / c.spacing / 2
    rows, columns = _shape(c)
    near_y = np.abs(np.arange(rows) - y) <= down
    near_x = np.abs(np.arange(columns) - x) <= across
    return np.asarray(near_y[:, None] & near_x[None, :])
