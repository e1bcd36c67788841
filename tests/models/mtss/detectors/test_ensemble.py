"""One detector's boxes and the ensemble of two, each step of S004 by itself."""

import numpy as np
import pytest

from core.scores.mtss import MTSS
from models.mtss.detectors import detections, ensemble, special
from models.mtss.detectors import joints as sites
from models.mtss.detectors.detections import Detections


def made(*rows) -> Detections:
    """Rows x0, y0, x1, y1, score, affected."""
    table = np.array(rows, float).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(bool))


def test_constants_are_those_of_the_paper():
    assert (detections.CONFIDENCE, detections.SUPPRESS_IOU, ensemble.SAME_IOU) == (0.9, 0.15, 0.45)
    assert detections.MOST == {"ankylosis": 20, "luxation": 18}
    assert set(sites.UNITS) - set(sites.LUXATION_UNITS) == {"RH.IP1", "LH.IP1"}
    narrowing = {site.unit for site in MTSS.sites if site.block == "hand jsn"}
    assert {u for u in narrowing if "PIP" in u or "MCP" in u} == set(sites.LUXATION_UNITS)


def test_a_confidence_of_exactly_nine_tenths_is_dropped():
    found = made([0, 0, 10, 10, 0.9, 0], [50, 0, 60, 10, 0.9001, 0])
    assert detections.confident(found).scores.tolist() == [0.9001]


def test_overlapping_boxes_of_one_detector_keep_the_surest_call():
    found = made([0, 0, 40, 40, 0.95, 0], [2, 2, 42, 42, 0.99, 1], [100, 0, 140, 40, 0.92, 0])
    kept = detections.joints_of(found, 20)
    assert kept.scores.tolist() == [0.99, 0.92]
    assert kept.affected.tolist() == [True, False]


@pytest.mark.parametrize(("shift", "kept"), [(29, 1), (30, 2)])
def test_suppression_starts_at_its_overlap(shift, kept):
    """Two 40 px squares shifted by 29 px overlap by 11 / 69 = 0.159, by 30 px 10 / 70 = 0.143."""
    found = made([0, 0, 40, 40, 0.95, 0], [shift, 0, shift + 40, 40, 0.94, 0])
    assert len(detections.joints_of(found, 20)) == kept


def test_at_most_so_many_joints_are_kept():
    found = made(*[[60 * i, 0, 60 * i + 40, 40, 0.91 + 0.001 * i, 0] for i in range(25)])
    kept = detections.joints_of(found, detections.MOST["luxation"])
    assert len(kept) == 18
    assert kept.scores.min() == pytest.approx(0.91 + 0.001 * 7)


def test_gather_moves_boxes_by_their_window():
    found = detections.gather(
        [made([1, 2, 3, 4, 1, 0]), made([1, 2, 3, 4, 1, 1])], np.array([[0, 0], [150, 300]])
    )
    assert found.boxes.tolist() == [[1, 2, 3, 4], [151, 302, 153, 304]]
    assert len(detections.gather([], np.zeros((0, 2)))) == 0


def test_a_joint_seen_twice_is_merged_with_both_labels():
    joints = ensemble.ensemble(made([0, 0, 40, 40, 0.93, 1]), made([4, 0, 44, 40, 0.97, 0]))
    assert len(joints) == 1
    assert joints.boxes[0].tolist() == [4, 0, 44, 40]  # the surer geometry
    assert joints.scores[0] == 0.97
    assert joints.ankylosis[0]
    assert not joints.luxation[0]
    assert joints.by_ankylosis[0]
    assert joints.by_luxation[0]


@pytest.mark.parametrize(("shift", "count"), [(15, 1), (16, 2)])
def test_joints_are_one_from_their_overlap_on(shift, count):
    """40 px squares: 25 / 55 = 0.4545 is one joint, 24 / 56 = 0.43 is two."""
    joints = ensemble.ensemble(made([0, 0, 40, 40, 0.95, 0]), made([shift, 0, 40 + shift, 40, 0.94, 0]))
    assert len(joints) == count


def test_a_box_of_one_detector_alone_is_kept_without_the_others_finding():
    joints = ensemble.ensemble(made([0, 0, 40, 40, 0.95, 1]), made([200, 0, 240, 40, 0.96, 1]))
    assert joints.scores.tolist() == [0.96, 0.95]
    assert joints.luxation.tolist() == [True, False]
    assert joints.ankylosis.tolist() == [False, True]
    assert joints.by_ankylosis.tolist() == [False, True]


def test_at_most_twenty_joints_stay_the_surest():
    one = made(*[[60 * i, 0, 60 * i + 40, 40, 0.95 + 0.001 * i, 0] for i in range(20)])
    other = made(*[[60 * i, 300, 60 * i + 40, 340, 0.96 + 0.0001 * i, 0] for i in range(18)])
    joints = ensemble.ensemble(one, other)
    assert len(joints) == 20
    every = np.concatenate([one.scores, other.scores])
    assert joints.scores == pytest.approx(np.sort(every)[::-1][:20])


def test_each_box_is_in_one_pair_at_most():
    pairs = ensemble.same_joint(
        made([0, 0, 40, 40, 0.95, 0], [5, 0, 45, 40, 0.95, 0]), made([4, 0, 44, 40, 0.94, 0])
    )
    assert pairs.tolist() == [[1, 0]]


def test_no_box_at_all_is_no_joint():
    assert len(ensemble.ensemble(Detections.empty(), Detections.empty())) == 0
    assert len(ensemble.ensemble(Detections.empty(), made([0, 0, 40, 40, 0.95, 1]))) == 1


def test_findings_become_states_that_a_person_resolves():
    joints = ensemble.ensemble(
        made([0, 0, 40, 40, 0.95, 1]), made([1, 0, 41, 40, 0.96, 1], [90, 0, 130, 40, 0.93, 1])
    )
    rows = special.special_findings(joints, {"LH.PIP2": 0, "LH.IP1": 1})
    assert set(rows.itertuples(index=False, name=None)) == {
        ("LH.E.PIP2", "ankylosis", 1),
        ("LH.E.PIP2", "luxation_unspecified", 1),
    }


@pytest.mark.parametrize(("setting", "erosion"), [("max", 5), ("as_seen", 2)])
def test_an_ankylosed_joint_overrides_grades_by_the_rule_setting(setting, erosion):
    import pandas as pd

    from core.scores.engine.totals import compute

    grades = pd.DataFrame({"site": [s.code for s in MTSS.sites], "grade": 0, "feature": pd.NA})
    grades.loc[grades["site"] == "LH.E.PIP2", "grade"] = 2
    grades.loc[grades["site"] == "LH.J.PIP2", "grade"] = 3
    joints = ensemble.ensemble(made([0, 0, 40, 40, 0.95, 1]), Detections.empty())
    states = special.special_findings(joints, {"LH.PIP2": 0})
    rows = pd.concat([grades, states], ignore_index=True).assign(subject="P1", visit="BL", reader="m")
    total = compute(rows, MTSS, "complete_only", {"ankylosis_erosion": setting}).totals["total"].iloc[0]
    assert total == 4 + erosion
