"""Tests of the joint grader's maps: which sites are cases, and that its verdict is found and shown."""

import numpy as np
import pandas as pd
import pytest
import torch

from core.domain import Box
from models.explain import report, verdict
from models.explain.question import Question
from models.mtss.explain import grader_cases
from models.mtss.explain.grader import NAME, STAGES, GraderExplainer
from models.mtss.grader import network
from models.mtss.grader.grade import JointGrader, SiteGrade
from models.mtss.places import Place, Places
from models.mtss.scorer import LimbReading
from models.mtss.system import MAPS

BOX = Box(0.0, 0.0, 1.0, 1.0)


class Rendered:
    joints = pd.DataFrame(
        {
            "unit": ["RH.MCP2", "RH.MCP3", "RH.MCP4", "RH.MCP5", "RH.PIP2"],
            "x": [100.0, 200.0, 300.0, 400.0, 500.0],
            "y": [100.0] * 5,
            "jsn": pd.array([2, 3, 1, 0, pd.NA], dtype="Int64"),
            "visible": [True] * 5,
        }
    )


def test_cases_are_damaged_sites_that_were_found_and_called_damaged():
    places = {"RH.MCP2": 101.0, "RH.MCP3": 240.0, "RH.MCP4": 300.0, "RH.MCP5": 400.0}
    grades = {"RH.J.MCP2": 1, "RH.J.MCP3": 3, "RH.J.MCP4": 0, "RH.J.MCP5": 2}
    reading = LimbReading(
        Places("hands", {unit: Place(x, 100.0, 1.0) for unit, x in places.items()}, {}, 0.15),
        {site: SiteGrade(grade, (1.0,), BOX) for site, grade in grades.items()},
    )
    left = {grader_cases.MISSED: 0, grader_cases.MORE: 0}
    assert grader_cases.called_sites(Rendered(), "jsn", reading, left) == [("RH.J.MCP2", 2)]
    assert left == {grader_cases.MISSED: 2, grader_cases.MORE: 0}  # 6 mm off; called normal


def test_each_stage_makes_more_of_the_grader_random_from_its_end():
    names = list(network.grader("demo").state_dict())
    last, head, half, every = (
        {name for name in names if name.startswith(tuple(begins))} for begins in STAGES.values()
    )
    assert last == {"out.weight", "out.bias"}
    assert head == {name for name in names if not name.startswith("trunk.")}
    assert last < head < half < every == set(names)


def test_targets_do_not_depend_on_the_weights(joint_question):
    explainer, question = joint_question
    explanation = torch.tensor([[0.1, 0.2, 0.7]]).log()
    assert float(explainer.targets(question)(explanation)) == pytest.approx(np.log(7), abs=1e-5)


@pytest.fixture
def joint_question():
    explainer = GraderExplainer(JointGrader(network.grader("demo").eval(), {}, {}))
    return explainer, Question(NAME, "RH.J.MCP2", (), 2)


def test_the_verdict_of_the_shipped_grader_is_found_and_shown():
    method = MAPS[NAME].name
    found = verdict.read_verdict("mtss", "demo", NAME, method)
    assert found.tested and found.passed == (not found.reasons)
    assert f"### Grader: {method}" in report.PAGE.read_text(encoding="utf-8").partition("## SvdH")[2]


def test_each_feature_of_the_grader_has_a_verdict_of_its_own():
    method = MAPS[NAME].name
    explanation = {
        f: verdict.read_verdict("mtss", "demo", f"{NAME}, {f}", method) for f in ("erosion", "jsn")
    }
    figures = verdict.read_results("mtss", "demo")["networks"][NAME]["by_feature"]
    for feature, found in explanation.items():
        assert found == verdict.judge(figures[feature])
    assert not verdict.read_verdict("mtss", "demo", f"{NAME}, osteophyte", method).tested


def test_results_of_networks_that_were_not_tested_again_are_kept():
    stored = {"left_out": {"first": {"a": 1}}, "networks": {"luxation, Conv7": {"passed": False}, NAME: 1}}
    new = {"system": "mtss", "left_out": {"first": {"b": 2}}, "networks": {NAME: {"passed": True}}}
    found = report.kept(stored, new)
    assert found["networks"] == {"luxation, Conv7": {"passed": False}, NAME: {"passed": True}}
    assert found["left_out"] == {"first": {"a": 1, "b": 2}}
    assert report.kept(None, new) == new
