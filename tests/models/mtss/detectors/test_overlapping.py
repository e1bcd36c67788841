"""Joints that lie over each other: what suppression drops comes back where the hand model misses a joint."""

import numpy as np
import pytest

from core.domain import Abstained
from models.mtss.detectors.detections import Detections, joints_of
from models.mtss.detectors.ensemble import ensemble
from models.mtss.detectors.joints import JOINTS
from models.mtss.detectors.naming import MEAN_HAND
from models.mtss.detectors.overlapping import at_most, others, with_overlapping
from models.mtss.film_scale import HALF_SIZE_MM

SIDE = 36.0  # pixels of a joint's box at half size


def hands() -> tuple[list[str], np.ndarray]:
    """Units and boxes of two mean hands whose thumbs lie partly over each other."""
    right = MEAN_HAND / HALF_SIZE_MM
    left = right * [-1, 1]
    apart = right[0, 0] - left[0, 0]
    shifts = np.array([[600, 400], [600 - apart + 0.5 * SIDE, 404]])
    middles = np.concatenate([left + shifts[0], right + shifts[1]])
    units = [f"{side}H.{joint}" for side in "LR" for joint in JOINTS]
    return units, np.concatenate([middles - SIDE / 2, middles + SIDE / 2], axis=1)


def seen(boxes, scores, affected=None):
    affected = np.zeros(len(boxes), dtype=bool) if affected is None else affected
    return Detections(boxes, scores, affected)


def both(found):
    single = joints_of(found, 20)
    return ensemble(single, single), {"ankylosis": found, "luxation": found}


def test_suppression_drops_one_of_two_thumbs_and_the_hand_model_brings_it_back():
    units, boxes = hands()
    scores = np.where(np.array(units) == "RH.IP1", 0.92, 0.99)
    paper, proposals = both(seen(boxes, scores))
    assert len(paper) == 19
    joints, named = with_overlapping(paper, proposals, HALF_SIZE_MM)
    assert len(joints) == 20
    back = joints.boxes[named.lying["RH.IP1"]]
    assert back == pytest.approx(boxes[units.index("RH.IP1")])


def test_a_doubtful_joint_comes_back_without_a_finding_that_is_not_sure():
    units, boxes = hands()
    boxes[:10] -= [400, 0, 400, 0]
    place = units.index("LH.PIP3")
    scores, affected = np.full(20, 0.99), np.zeros(20, dtype=bool)
    scores[place], affected[place] = 0.7, True
    paper, proposals = both(seen(boxes, scores, affected))
    joints, named = with_overlapping(paper, proposals, HALF_SIZE_MM)
    at = named.units["LH.PIP3"]
    assert joints.boxes[at] == pytest.approx(boxes[place])
    assert not joints.ankylosis[at]
    assert not joints.luxation[at]


def test_boxes_where_no_joint_is_missing_stay_away():
    _, boxes = hands()
    boxes[:10] -= [400, 0, 400, 0]
    stray = boxes[[3]] + [40, 40, 40, 40]
    paper, _ = both(seen(boxes, np.full(20, 0.99)))
    more = seen(np.concatenate([boxes, stray]), np.full(21, 0.8))
    assert len(others(paper, {"ankylosis": more, "luxation": more})) == 1
    joints, _ = with_overlapping(paper, {"ankylosis": more, "luxation": more}, HALF_SIZE_MM)
    assert len(joints) == 20


def test_hands_that_cannot_be_named_stay_as_they_are():
    _, boxes = hands()
    paper, proposals = both(seen(boxes[:12], np.full(12, 0.99)))
    joints, named = with_overlapping(paper, proposals, HALF_SIZE_MM)
    assert isinstance(named, Abstained)
    assert joints is paper


def test_at_most_keeps_named_joints_before_surer_ones():
    _, boxes = hands()
    paper, _ = both(seen(boxes[:10], np.linspace(0.99, 0.91, 10)))
    kept = at_most(paper, {9}, 3)
    assert kept.scores.tolist() == pytest.approx([0.91, 0.99, paper.scores[1]])
