"""Maps of attention gates: they lie on the slice, move with it, and are of the network that is asked."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from core.domain import Box
from core.errors import InputError
from models.explain import checks
from models.explain.verdict import read_verdict
from models.sparcc.explain import cases, stored
from models.sparcc.explain.gates import METHOD, SIDE, GateExplainer
from models.sparcc.oedema.network import build
from models.sparcc.triples import Edge
from tests.helpers.small_stacks import small_stack


@pytest.fixture(scope="module")
def explainer():
    torch.manual_seed(77)
    return GateExplainer(build("demo"), Edge.REPLICATE)


@pytest.fixture(scope="module")
def stack():
    return small_stack("P1", patch=(2, 3))


def test_the_box_and_the_truth_lie_on_each_other_on_the_picture(explainer, stack):
    frame = int(np.flatnonzero(stack.oedema.any(axis=(1, 2)))[0])
    truth = stack.oedema[frame] > 0
    asked = explainer.about(stack.image(), frame, truth)
    assert asked.picture.grey.shape == (SIDE, SIDE)
    inside = cases.on_picture(stack.image(), truth, asked)
    x0, y0, x1, y1 = (int(one) for one in asked.box)
    assert inside[y0:y1, x0:x1].sum() == pytest.approx(inside.sum()) and inside.sum() > 0


def test_a_map_is_of_the_gate_and_of_the_weights_that_are_asked(explainer, stack):
    asked = explainer.about(stack.image(), 2, stack.oedema[2] > 0)
    heat = explainer.heat(asked)
    assert heat.shape == (SIDE, SIDE) and heat.max() == 1.0 and heat.min() > 0
    drawn = checks.randomised(explainer, "oedema")
    assert set(drawn) == set(explainer.stages["oedema"]) and len(drawn["all"]) == len(checks.RANDOM_SEEDS)
    same, other = drawn["last layer"][0], drawn["all"][0]
    assert np.array_equal(explainer.heat(asked, network=same), heat)  # no gate lies behind the last layer
    assert not np.allclose(explainer.heat(asked, network=other), heat)


def test_a_moved_picture_is_laid_back_on_the_first(explainer, stack):
    asked = explainer.about(stack.image(), 2, stack.oedema[2] > 0)
    again = explainer.again(stack.image(), 2, asked, (3.0, 0.0))
    assert np.array_equal(again.picture.grey[:, :-3], asked.picture.grey[:, 3:])
    assert again.box.tolist() == (asked.box - [3, 0, 3, 0]).tolist()
    heat = np.zeros((SIDE, SIDE), np.float32)
    heat[20, 27] = 1.0
    back = checks.laid_on(heat, again.picture, asked.picture)
    assert back[20, 30] == 1.0


def test_what_gives_no_case_is_counted(stack):
    masks = np.zeros(stack.oedema.shape, bool)
    frames = np.flatnonzero(stack.oedema.any(axis=(1, 2)))
    masks[frames[0]] = stack.oedema[frames[0]] > 0
    finder = SimpleNamespace(masks=lambda image: masks, finder=None)
    tools = SimpleNamespace(finder=finder, about=GateExplainer(build("demo"), Edge.REPLICATE).about)
    left = dict.fromkeys((cases.REFUSED, cases.MISSED, cases.MORE), 0)
    (case,) = cases.cases_of_stack(tools, stack, left)
    assert left[cases.MISSED] == len(frames) - 1 and case.reading == frames[0]
    figures = checks.place(np.ones((SIDE, SIDE), np.float32), case)
    assert figures["box_share"] > figures["share"] == pytest.approx(figures["area"])


def test_a_stored_item_is_explained_with_what_a_gate_is(explainer, stack, monkeypatch):
    monkeypatch.setattr(stored, "build_explainer", lambda size: explainer)
    row = pd.Series(
        {"site": "L3L4.s2.UA", "frame": 2, "box": Box(10, 12, 14, 15), "grade": 1,
         "grade_probabilities": [0.2, 0.8]}
    )  # fmt: skip
    found = stored.explain_stored(stack.image(), row, "demo")
    assert found.headline.endswith("upper anterior quadrant: 1, present")
    assert "let signal through" in found.meaning and "not what is diseased" in found.meaning
    assert [one.method for one in found.maps] == [METHOD.name] and found.notes == ("slice 3 of 6",)
    with pytest.raises(InputError, match="with a place"):
        stored.explain_stored(stack.image(), pd.Series(row.to_dict() | {"box": None}), "demo")


def test_the_shipped_gates_were_tested_with_the_shipped_weights():
    verdict = read_verdict("sparcc", "demo", "oedema", METHOD.name)
    assert verdict.tested
