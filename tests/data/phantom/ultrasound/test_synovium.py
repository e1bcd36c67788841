"""Grey scale is graded by measurement of the drawn shape against the line that joins the bones."""

import numpy as np
import pytest

from data.phantom.ultrasound.anatomy import KINDS, STEP, Joint, make_joint
from data.phantom.ultrasound.synovium import Synovium, draw_synovium, measure


@pytest.fixture(scope="module", params=KINDS)
def joint(request) -> Joint:
    return make_joint(np.random.default_rng(3), request.param)


def shaped(joint: Joint, height: np.ndarray) -> Synovium:
    """Synovium between x -3 and 3, its top ``height`` mm above the line."""
    inside = np.abs(joint.x) <= 3
    bottom = joint.line + 0.8
    top = np.where(inside, joint.line - height, np.inf)
    return Synovium(np.minimum(top, bottom), bottom, np.zeros(len(joint.x)))


@pytest.mark.parametrize(
    ("height", "grade"),
    [
        (lambda x: -0.8 + 0 * x, 0),  # nothing
        (lambda x: -0.55 + 0 * x, 0),  # a rim
        (lambda x: -0.2 + 0 * x, 1),
        (lambda x: 0.1 + 0 * x, 1),  # up to the line
        (lambda x: 0.3 + 0 * x, 2),
        (lambda x: 2.0 + 0 * x, 2),  # high, but flat
        (lambda x: 0.8 + 0.08 * x**2, 2),  # concave
        (lambda x: 1.5 - 0.15 * x**2, 3),  # convex
        (lambda x: 0.4 - 0.02 * x**2, 2),  # hardly rounded
    ],
)
def test_grade_is_that_of_the_shape(joint, height, grade):
    assert measure(joint, shaped(joint, height(joint.x))).grade == grade


def test_line_joins_the_bones_and_lies_on_none_deeper(joint):
    near = ~np.isnan(joint.bone) & (joint.x > joint.reach[0]) & (joint.x < joint.reach[1])
    assert (joint.line[near] <= joint.bone[near] + 0.02).all()
    assert np.isclose(joint.line[near], joint.bone[near], atol=0.02).sum() * STEP > 0.05
    cleft = np.isnan(joint.bone)
    assert cleft.any()
    assert (joint.cleft[cleft] - joint.line[cleft]).max() > 1


def test_severity_moves_the_grade_but_does_not_decide_it():
    grades: dict[float, list[int]] = {}
    for severity in (0.3, 1.5, 2.02, 2.4, 3.5):
        grades[severity] = []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            own = make_joint(rng, KINDS[seed % 4])
            grades[severity].append(measure(own, draw_synovium(rng, own, severity, 0.0)).grade)
    means = [np.mean(found) for found in grades.values()]
    assert means == sorted(means)
    assert set(grades[0.3]) == {0}
    assert {1, 2} <= set(grades[2.02])  # at the line, either side


def test_fluid_is_no_hypertrophy(joint):
    dry, wet = (draw_synovium(np.random.default_rng(5), joint, 1.5, fluid) for fluid in (0.0, 1.5))
    assert measure(joint, wet) == measure(joint, dry)
    assert wet.effusion.max() > 1
