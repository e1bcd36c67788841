"""Boxes of the detectors and places of the site finder, put together under one name each."""

from __future__ import annotations

import numpy as np
import pytest

from core.domain import Abstained
from models.mtss.detectors.ensemble import Joints
from models.mtss.detectors.naming import Named
from models.mtss.fuse import DISAGREE, GATE_MM, contradictions, fuse, nearest
from models.mtss.places import Place, Places

MM = 0.15
AT = {"RH.MCP2": (600.0, 900.0), "RH.MCP3": (760.0, 900.0), "RH.PIP2": (560.0, 600.0)}


def places(**at: tuple[float, float]) -> Places:
    units = {unit: Place(x, y, 0.8) for unit, (x, y) in (AT | at).items()}
    return Places("hands", units | {"RH.RAD": Place(700.0, 1500.0, 0.9)}, {"RH.PIP3": "hidden"}, MM)


def joints(*middles: tuple[float, float], score: float = 0.95) -> Joints:
    x, y = np.array(middles, float).reshape(-1, 2).T
    no = np.zeros(len(middles), dtype=bool)
    boxes = np.stack([x - 60, y - 60, x + 60, y + 60], axis=1)
    return Joints(boxes, np.full(len(middles), score), no, no, ~no, ~no)


NOBODY = Abstained("too few joints")


def test_a_joint_that_both_see_lies_between_their_middles():
    fused = fuse(joints((610, 900), (760, 900), (560, 610)), NOBODY, places())
    assert fused.boxes == {"RH.MCP2": 0, "RH.MCP3": 1, "RH.PIP2": 2}
    place = fused.places.units["RH.MCP2"]
    assert (place.x, place.y, place.confidence) == (605.0, 900.0, 0.95)
    assert fused.places.units["RH.RAD"] == Place(700.0, 1500.0, 0.9)


def test_a_place_without_a_box_stays_as_the_finder_saw_it():
    fused = fuse(joints((600, 900)), NOBODY, places())
    assert fused.boxes == {"RH.MCP2": 0}
    assert fused.places.units["RH.PIP2"] == Place(560.0, 600.0, 0.8)


def test_a_joint_that_only_the_shape_of_the_hand_names_gets_the_box():
    fused = fuse(joints((600, 900), (760, 600)), Named({"RH.MCP2": 0, "RH.PIP3": 1}), places())
    assert fused.places.units["RH.PIP3"] == Place(760.0, 600.0, 0.95)
    assert "RH.PIP3" not in fused.places.missing


@pytest.mark.parametrize("named", [{"RH.MCP3": 0}, {"RH.MCP2": 1, "RH.MCP3": 0}])
def test_names_that_contradict_each_other_are_not_scored(named):
    fused = fuse(joints((600, 900), (760, 900)), Named(named), places())
    assert "RH.MCP3" not in fused.places.units
    assert "RH.MCP2" not in fused.boxes
    assert fused.places.missing["RH.MCP3"] == DISAGREE
    assert fused.places.units["RH.PIP2"].confidence == 0.8


def test_a_box_far_from_the_place_of_its_name_is_doubted():
    far = GATE_MM / MM + 20
    found = contradictions({}, {"RH.MCP2": 0}, np.array([[600 + far, 900.0]]), places())
    assert found == {"RH.MCP2"}
    assert contradictions({}, {"RH.PIP3": 0}, np.array([[1.0, 1.0]]), places()) == set()


def test_each_box_is_given_once():
    near = nearest(np.array([[680.0, 900.0]]), places(**{"RH.MCP3": (690.0, 900.0)}))
    assert near == {"RH.MCP3": 0}


def test_nothing_seen_changes_nothing():
    before = places()
    assert fuse(joints(), NOBODY, before).places == before
