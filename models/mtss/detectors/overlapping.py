"""Joints that lie over each other, told apart by the hand model: beyond Sci Rep 2024;14:7696.

Suppression from IoU 0.15 leaves one of two joints that overlap, as crossed thumbs and fingers do, and a
joint that is doubtful between two calls has neither above 0.9. So where the hand model says that a joint is
missing, boxes that were suppressed or less sure are looked at again. A finding still needs a call above 0.9.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import linear_sum_assignment

from core.domain import Abstained
from models.common.boxes import overlap, suppress
from models.mtss.detectors.detections import CONFIDENCE, MOST, Detections, confident
from models.mtss.detectors.ensemble import SAME_IOU, Joints, join, merge_pairs, same_joint, unmatched
from models.mtss.detectors.joints import ANKYLOSIS, LUXATION, UNITS
from models.mtss.detectors.naming import Named, name_joints
from models.mtss.film_scale import HALF_SIZE_MM

LEAST = 0.5  # a box less sure than this is not looked at
NEAR_MM = 10.0  # from where the hand model has the missing joint
LIMIT = 100  # boxes of one detector that are looked at again


def with_overlapping(
    joints: Joints, proposals: Mapping[str, Detections], mm_per_pixel: float | None
) -> tuple[Joints, Named | Abstained]:
    """The ensemble's joints with those that the hand model finds missing, and which is which.

    proposals: finding -> every box of that detector on the film, before thresholds and suppression. Where the
    hands cannot be named the joints stay as they are.
    """
    named = name_joints(joints.boxes, mm_per_pixel)
    if isinstance(named, Abstained):
        return joints, named
    more = missing_joints(others(joints, proposals), named, mm_per_pixel or HALF_SIZE_MM)
    if not len(more):
        return joints, named
    new = range(len(joints), len(joints) + len(more))
    whole = at_most(join(joints, more), {*named.lying.values(), *new})
    again = name_joints(whole.boxes, mm_per_pixel)
    return (joints, named) if isinstance(again, Abstained) else (whole, again)


def others(joints: Joints, proposals: Mapping[str, Detections], least: float = LEAST) -> Joints:
    """What the detectors proposed beside these joints: boxes surer than ``least`` that are none of them."""
    rest = {}
    for finding, found in proposals.items():
        sure = confident(found, least)
        new = sure.pick(
            np.array([(overlap(box, joints.boxes) < SAME_IOU).all() for box in sure.boxes], dtype=bool)
        )
        new = new.pick(suppress(new.boxes, new.scores, SAME_IOU, LIMIT))
        rest[finding] = Detections(new.boxes, new.scores, new.affected & (new.scores > CONFIDENCE))
    one, other = rest[ANKYLOSIS], rest[LUXATION]
    pairs = same_joint(one, other)
    return join(merge_pairs(one, other, pairs), unmatched(one, other, pairs))


def missing_joints(candidates: Joints, named: Named, mm_per_pixel: float) -> Joints:
    """Those of the candidates that lie where a joint without a box should, one for each such joint."""
    lost = [unit for unit in UNITS if unit not in named.lying]
    if not lost or not len(candidates):
        return candidates.pick(np.zeros(0, dtype=int))
    at = np.array([named.expected[unit] for unit in lost])
    middles = (candidates.boxes[:, :2] + candidates.boxes[:, 2:]) / 2
    away = np.linalg.norm(at[:, None] - middles[None], axis=2) * mm_per_pixel
    row, column = linear_sum_assignment(np.minimum(away, NEAR_MM))
    return candidates.pick(column[away[row, column] < NEAR_MM])


def at_most(joints: Joints, kept: set[int], most: int = MOST[ANKYLOSIS]) -> Joints:
    """At most ``most`` joints: those of ``kept`` first, then the surest."""
    first = np.array([place in kept for place in range(len(joints))], dtype=bool)
    order = np.lexsort((-joints.scores, ~first))[:most]
    return joints.pick(order)
