"""Which joint is which, on joints of phantom hands as the renderer places them, and when nothing is said."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from core.domain import Abstained
from data.phantom.hands.course import simulate_hands
from data.phantom.hands.films import hand_conditions
from data.phantom.hands.limbs import build, shown
from data.phantom.hands.render import JOINT_COLUMNS, joint_rows, place
from data.phantom.seeds import StudyRole, StudySeed
from models.mtss.detectors.joints import JOINTS, UNITS
from models.mtss.detectors.naming import (
    MEAN_HAND,
    drifted,
    fit_hand,
    name_joints,
    name_side,
    sure_rows,
    two_hands,
)

MM = 0.15
PATIENTS = 12


@cache
def joints(number: int, kind: str = "good", view: str = "hands") -> dict[str, np.ndarray]:
    """Unit -> box in pixels of the film, without rendering it; the end joints of the fingers too."""
    study = StudySeed(StudyRole.TUNE, 5)
    states = simulate_hands(study, 1, 1, first=number).states(0, 0)
    body, c = hand_conditions(study.film_seed(), study.subject(number), "BL", view, kind=kind)
    shape = (round(c.field[0] / c.spacing), round(c.field[1] / c.spacing))
    found = {}
    for limb in shown(c):
        skeleton = build(body, limb, states, c)
        for row in joint_rows(skeleton, place(c, limb, skeleton, body), states, c, shape):
            values = dict(zip(JOINT_COLUMNS, row, strict=True))
            found[values["unit"]] = np.array([values[name] for name in ("x0", "y0", "x1", "y1")])
    return found


def fingers(number: int, kind: str = "good") -> tuple[list[str], np.ndarray]:
    """Units and boxes of the finger joints, in an order that says nothing."""
    of = {unit: box for unit, box in joints(number, kind).items() if unit in UNITS}
    units = list(np.random.default_rng(number).permutation(sorted(of)))
    return units, np.array([of[unit] for unit in units])


def wrong(units, named) -> list[str]:
    return [unit for unit, at in named.units.items() if at >= len(units) or units[at] != unit]


def test_every_joint_of_two_hands_gets_its_name():
    named = 0
    for number in range(1, PATIENTS + 1):
        units, boxes = fingers(number)
        result = name_joints(boxes, MM)
        if isinstance(result, Abstained):
            continue
        assert wrong(units, result) == []
        named += len(result.units)
    assert named > 0.95 * 20 * PATIENTS


def test_names_do_not_need_the_size_of_a_pixel():
    units, boxes = fingers(3)
    assert name_joints(boxes, None).units == name_joints(boxes, MM).units
    assert wrong(units, name_joints(boxes, None)) == []


def test_a_joint_that_was_not_found_has_no_name_and_the_others_keep_theirs():
    for number in range(1, PATIENTS + 1):
        units, boxes = fingers(number)
        result = name_joints(boxes[2:], MM)
        assert not isinstance(result, Abstained)
        assert wrong(units[2:], result) == []
        assert set(units[:2]) <= set(result.missing)


def test_a_hand_with_seven_joints_is_not_named():
    units, boxes = fingers(3)
    kept = [i for i, unit in enumerate(units) if unit not in ("RH.PIP2", "RH.PIP4", "RH.MCP3")]
    result = name_joints(boxes[kept], MM)
    assert isinstance(result, Abstained)
    assert "right hand" in result.reason


def test_an_end_joint_of_a_finger_is_called_nothing():
    for number in range(1, 6):
        units, boxes = fingers(number)
        extra = joints(number)["RH.DIP3"]
        result = name_joints(np.concatenate([boxes[1:], extra[None]]), MM)
        assert wrong([*units[1:], "RH.DIP3"], result) == []
        assert 19 in result.spare


def test_a_film_with_a_missing_finger_is_named_rightly_or_not_at_all():
    for number in range(1, PATIENTS + 1):
        units, boxes = fingers(number, "missing_finger")
        result = name_joints(boxes, MM)
        assert isinstance(result, Abstained) or wrong(units, result) == []


def test_one_hand_alone_is_abstained_on():
    for number in range(1, 6):
        result = name_joints(fingers(number, "one_hand")[1], MM)
        assert result == Abstained("10 finger joints found, 16 of 20 are needed")


def test_feet_are_not_named_as_hands():
    """Even where a detector were to call all their joints and some more finger joints."""
    for number in range(1, 6):
        boxes = np.array(list(joints(number, view="feet").values()))
        more = np.concatenate([boxes, boxes + np.array([0, 260, 0, 260])])[:20]
        assert isinstance(name_joints(boxes, MM), Abstained)
        assert isinstance(name_joints(more, MM), Abstained)


def test_joints_strewn_about_are_not_a_hand():
    rng = np.random.default_rng(0)
    for _ in range(5):
        corner = rng.uniform([0, 0], [1900, 1500], (20, 2))
        assert isinstance(name_joints(np.concatenate([corner, corner + 60], axis=1), MM), Abstained)


def test_thumbs_that_point_outwards_are_abstained_on():
    """Each hand flipped in its own half: palms up, or two right hands."""
    _, boxes = fingers(2)
    left, right = two_hands((boxes[:, :2] + boxes[:, 2:]) / 2)
    for half in (left, right):
        low, high = boxes[half, 0].min(), boxes[half, 2].max()
        boxes[half] = np.stack(
            [low + high - boxes[half, 2], boxes[half, 1], low + high - boxes[half, 0], boxes[half, 3]], axis=1
        )
    result = name_joints(boxes, MM)
    assert isinstance(result, Abstained)
    assert "thumb points outwards" in result.reason


def hands_pushed_together(number: int, past_mm: float) -> tuple[list[str], np.ndarray]:
    """Both hands moved sideways until the right thumb's IP lies so far past the left one's."""
    units, boxes = fingers(number)
    right = np.array([unit.startswith("R") for unit in units])
    left_tip, right_tip = (boxes[units.index(unit), 0] for unit in ("LH.IP1", "RH.IP1"))
    boxes[right, 0::2] += left_tip - right_tip - past_mm / MM
    return units, boxes


@pytest.mark.parametrize("past", [0.0, 8.0, 20.0])
def test_thumbs_across_each_other_leave_the_other_joints_their_names(past):
    for number in (2, 3, 5):
        units, boxes = hands_pushed_together(number, past)
        result = name_joints(boxes, MM)
        assert not isinstance(result, Abstained)
        assert wrong(units, result) == []
        assert len(result.units) >= 12


def test_joints_that_may_be_exchanged_have_no_name():
    """The left thumb's IP and the right one's lie 2 mm apart: which is which nobody can say."""
    units, boxes = hands_pushed_together(3, 2.0)
    other = boxes[units.index("LH.IP1")] + 2.0 / MM
    boxes[units.index("RH.IP1")] = other
    result = name_joints(boxes, MM)
    assert not {"LH.IP1", "RH.IP1"} & set(result.units)
    assert {"LH.IP1", "RH.IP1"} <= set(result.missing)


def test_a_row_that_may_be_shifted_by_a_finger_has_no_names():
    """A joint of the row has no box, and a box beside the row is no joint's."""
    count = 30
    away = np.full((20, count), 99.0)
    places = np.arange(20)
    away[np.arange(20), places] = 1.0
    places[2], away[2, 2] = -1, 99.0
    assert sure_rows(places, away).tolist() == places.tolist()  # no free box lies beside the row
    away[3, 25] = 15.0
    sure = sure_rows(places, away)
    assert sure[[1, 2, 3, 4]].tolist() == [-1] * 4
    assert np.delete(sure, [1, 2, 3, 4]).tolist() == np.delete(places, [1, 2, 3, 4]).tolist()


def test_every_joint_has_a_place_where_the_hand_model_expects_it():
    units, boxes = fingers(3)
    result = name_joints(boxes[1:], MM)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert set(result.expected) == set(UNITS)
    assert units[0] not in result.lying
    away = [np.hypot(*(middles[i] - result.expected[unit])) * MM for i, unit in enumerate(units)]
    assert max(away) < 13


@pytest.mark.parametrize("drift", [0.0, 25.0])
def test_fingers_in_ulnar_drift_keep_their_names(drift):
    hand = drifted(MEAN_HAND, drift) * 1.1 + [300, 400]
    order = np.random.default_rng(1).permutation(10)
    fit = fit_hand(hand[order])
    assert [int(order[place]) for place in fit.places] == list(range(len(JOINTS)))


def test_too_few_boxes_are_abstained_on():
    assert isinstance(name_joints(np.zeros((0, 4))), Abstained)


@pytest.mark.real
def test_real_left_hands_are_laid_out_as_left_hands(shared):
    """Real boxes of children's left hands, labelled PIP (the thumb's IP among them) and MCP."""
    table = pd.read_csv(shared / "real/hand-joint-boxes/train_boxes.csv")
    table = table[table["label"].isin(["PIP", "MCP"])]
    hands = [hand for _, hand in table.groupby("image_id") if len(hand) == 10][:40]
    right_row = wrong_side = 0
    for hand in hands:
        corners = hand[["xmin", "ymin", "xmax", "ymax"]].to_numpy(float)
        middle = (corners[:, :2] + corners[:, 2:]) / 2
        as_left, as_right = (name_side(middle, side, known=False) for side in "LR")
        wrong_side += not isinstance(as_right, Abstained)
        if not isinstance(as_left, Abstained):
            seen = as_left.places >= 0
            rows = hand["label"].to_numpy()[as_left.places[seen]] == "MCP"
            right_row += bool((rows == np.array([joint[:3] == "MCP" for joint in JOINTS])[seen]).all())
    assert right_row >= 0.9 * len(hands)
    assert wrong_side <= 0.03 * len(hands)
