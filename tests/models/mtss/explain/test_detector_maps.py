"""Maps of the hand detectors: of a finding that is stored, of a known joint, and the phantom's truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from core.domain import Box, Image
from core.errors import InputError, ModelError
from data.phantom.hands.films import hand_conditions, make_hand_film
from data.phantom.hands.lesion_mask import changed_by
from data.phantom.hands.state import JointState
from models.mtss.detectors import network
from models.mtss.detectors.detections import Detections
from models.mtss.detectors.read import HandDetectors
from models.mtss.explain import detector_cases, detectors
from models.mtss.explain.detectors import DetectorExplainer, SmallFilm
from models.mtss.explain.grader import GraderExplainer
from models.mtss.grader import network as grader_network
from models.mtss.grader.grade import JointGrader
from models.mtss.places import Place, Places
from models.mtss.system import MAPS

STATES = {
    "RH.PIP3": JointState(erosion=3.2),
    "RH.MCP2": JointState(jsn=3.5, finding="ankylosis"),
    "LH.MCP4": JointState(jsn=3.0, finding="luxation", degree=0.8),
}
COARSE = 0.45  # mm a pixel, so that films are quick to render


@pytest.fixture(scope="module")
def rendered():
    film = make_hand_film(5, "T1", "BL", "hands", STATES, kind="good", spacing=COARSE)
    body, conditions = hand_conditions(5, "T1", "BL", "hands", kind="good")
    return film, body, replace(conditions, spacing=COARSE)


@pytest.mark.parametrize(
    ("unit", "feature"), [("RH.PIP3", "erosion"), ("RH.MCP2", "finding"), ("LH.MCP4", "finding")]
)
def test_true_finding_lies_at_its_joint(rendered, unit, feature):
    film, body, conditions = rendered
    mask = changed_by(body, conditions, STATES, unit, feature)
    assert mask.shape == film.pixels.shape and mask.any()
    row = film.joints.set_index("unit").loc[unit]
    y, x = np.nonzero(mask)
    half = 0.6 * np.array([row["x1"] - row["x0"], row["y1"] - row["y0"]]) + 1.5
    assert (np.abs(x - row["x"]) <= half[0]).all() and (np.abs(y - row["y"]) <= half[1]).all()


def test_a_healthy_joint_has_no_finding(rendered):
    _, body, conditions = rendered
    assert not changed_by(body, conditions, STATES, "RH.MCP5", "erosion").any()
    assert not changed_by(body, conditions, STATES, "RH.PIP3", "finding").any()


@pytest.fixture(scope="module")
def explainer():
    """Detectors with random weights: where a map lies does not depend on what was learned."""
    torch.manual_seed(4)
    made = {name: network.fused(network.detector("demo")) for name in ("ankylosis", "luxation")}
    return DetectorExplainer(HandDetectors(made))


FILM = Image("f", np.random.default_rng(0).integers(0, 1000, (600, 800)).astype(np.uint16), (0.3, 0.3))
JOINT = np.array([400.0, 250.0, 440.0, 290.0])


def test_the_same_joint_has_the_same_map_at_a_fixed_layer(explainer):
    small = SmallFilm.of(FILM)
    for name in explainer.networks:
        method = MAPS[name]
        asked = explainer.about_joint(small, name, JOINT)
        heat = explainer.heat(asked)
        assert heat.shape == (300, 300) and 0 <= heat.min() <= heat.max() <= 1
        np.testing.assert_array_equal(heat, explainer.heat(asked))
        assert method.layer == name.partition(", ")[2]
    one, other = (explainer.heat(explainer.about_joint(small, name, JOINT)) for name in list(MAPS)[:2])
    assert (one != other).any()


def test_a_moved_window_asks_about_the_same_joint(explainer):
    small = SmallFilm.of(FILM)
    asked = explainer.about_joint(small, "ankylosis, Conv7", JOINT)
    moved = explainer.again(FILM, small, asked, (3.0, -1.5))
    assert (moved.box - asked.box).tolist() == [-10, 5, -10, 5]
    at = [one.box + np.tile(np.round(one.picture.frame.origin / 0.3), 2) for one in (asked, moved)]
    np.testing.assert_allclose(at[0], at[1])
    np.testing.assert_array_equal(moved.picture.grey[5:, :-10], asked.picture.grey[:-5, 10:])


def test_joints_that_were_missed_or_called_normal_are_counted():
    class Rendered:
        joints = pd.DataFrame(
            {
                "unit": ["RH.MCP2", "RH.MCP3", "RH.MCP4", "LH.IP1"],
                "finding": ["ankylosis", "ankylosis", "none", "ankylosis"],
                "visible": [True, True, True, True],
                "x0": [0.0, 100.0, 200.0, 300.0],
                "y0": [0.0] * 4,
                "x1": [40.0, 140.0, 240.0, 340.0],
                "y1": [40.0] * 4,
            }
        )

    boxes = np.array([[1.0, 1, 41, 41], [101, 1, 141, 41], [201, 1, 241, 41]])
    seen = Detections(boxes, np.ones(3), np.array([True, False, True]))
    left = {detector_cases.MISSED: 0, detector_cases.MORE: 0}
    small = SmallFilm(np.zeros((4, 4), np.float32), (1.0, 1.0))
    found = detector_cases.found_joints(Rendered(), "ankylosis", seen, small, left)
    assert [unit for unit, _ in found] == ["RH.MCP2"]
    assert left == {detector_cases.MISSED: 2, detector_cases.MORE: 0}


AT_JOINT = Box(395.0, 245.0, 445.0, 295.0)


def row(feature="ankylosis", box=AT_JOINT):
    return pd.Series(
        {
            "site": "LH.J.MCP2",
            "feature": feature,
            "grade": 1,
            "grade_probabilities": [0.05, 0.95],
            "confidence": 0.95,
            "box": box,
        }
    )


def test_stored_finding_is_explained_at_both_layers():
    explanation = detectors.explain_stored(FILM, row(), "demo")
    assert explanation.headline == "left MCP2: bony ankylosis"
    assert [one.method for one in explanation.maps] == ["Grad-CAM, Conv7", "Grad-CAM, Conv9-2"]
    assert explanation.probabilities == pytest.approx((0.05, 0.95))
    assert explanation.box.tolist() == [125, 125, 175, 175]  # the joint in the middle of its window
    again = detectors.explain_stored(FILM, row(), "demo")
    for one, other in zip(explanation.maps, again.maps, strict=True):
        np.testing.assert_array_equal(one.heat, other.heat)


def test_luxation_of_unknown_degree_is_the_other_detectors():
    explanation = detectors.explain_stored(FILM, row("luxation_unspecified"), "demo")
    assert {one.network.partition(",")[0] for one in explanation.maps} == {"luxation"}


def test_what_has_no_map_is_named():
    with pytest.raises(InputError, match="maps of erosion, jsn, ankylosis"):
        detectors.explain_stored(FILM, row("surgery"), "demo")
    with pytest.raises(ModelError, match="no box"):
        detectors.explain_stored(FILM, row(box=None), "demo")


@pytest.fixture(scope="module")
def joint_grader():
    """A grader with random weights."""
    torch.manual_seed(5)
    return GraderExplainer(JointGrader(grader_network.grader("demo").eval(), {}, {}))


PLACES = Places("hands", {"LH.MCP2": Place(400.0, 250.0, 1.0), "LH.PIP2": Place(380.0, 150.0, 1.0)}, {}, 0.3)


@pytest.mark.parametrize(("site", "grade"), [("LH.J.MCP2", 2), ("LH.E.MCP2", 0)])
def test_a_grade_has_the_same_map_on_the_tile_of_its_joint(joint_grader, site, grade):
    asked = joint_grader.about_site(FILM, PLACES, site, grade)
    heat = joint_grader.heat(asked)
    assert heat.shape == asked.picture.grey.shape == (128, 128)
    assert 0 <= heat.min() <= heat.max() <= 1
    np.testing.assert_array_equal(heat, joint_grader.heat(asked))
    middle = (asked.box[:2] + asked.box[2:]) / 2
    assert np.abs(middle - 64).max() < 4  # the joint, but for the small shift of the view
    moved = joint_grader.about_site(FILM, PLACES, site, grade, (2.0, 0.0))
    assert (moved.picture.grey != asked.picture.grey).any()


def test_the_score_of_a_grade_is_its_lead_over_grade_0_or_for_grade_0_over_grade_1(joint_grader):
    explanation = torch.tensor([[0.1, 0.2, 0.7]]).log()
    method = MAPS["grader"]
    for grade, lead in ((2, np.log(7)), (0, np.log(0.5))):
        asked = joint_grader.about_site(FILM, PLACES, "LH.J.MCP2", grade)
        assert float(joint_grader.score(asked, method)(explanation)) == pytest.approx(lead, abs=1e-5)
