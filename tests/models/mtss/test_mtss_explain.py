"""Grad-CAM of a detector: which boxes are its target, and where a gradient exists at all."""

import numpy as np
import pytest
import torch

from models.explain.cam import heat_map
from models.mtss import explain, networks

JOINT = np.array([115.0, 112.0, 185.0, 190.0])


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return networks.detector("demo").eval()


def test_every_default_box_has_its_layer(network):
    boxes, level = explain.default_boxes(network)
    assert boxes.shape == (8732, 4)
    assert np.bincount(level).tolist() == [38 * 38 * 4, 19 * 19 * 6, 600, 150, 36, 4]
    side = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
    assert [round(float(side[level == i].min())) for i in range(3)] == [21, 45, 99]


@pytest.mark.parametrize("layer", explain.EXPLAINED)
def test_the_target_lies_over_the_joint_in_that_layer_or_a_later_one(network, layer):
    boxes, level = explain.default_boxes(network)
    chosen = explain.boxes_over(network, JOINT, layer)
    assert len(chosen) == explain.BOXES
    assert (level[chosen] >= networks.LAYERS.index(layer)).all()
    middle = (boxes[chosen, :2] + boxes[chosen, 2:]) / 2
    assert (np.abs(middle - (JOINT[:2] + JOINT[2:]) / 2) < 100).all()


@pytest.mark.parametrize("layer", explain.EXPLAINED)
def test_boxes_of_conv4_3_have_no_gradient_in_later_layers(network, layer):
    pixels = torch.rand(1, 1, 300, 300)
    scores, module = explain.ClassScores(network).eval(), explain.layer_of(network, layer)
    early = explain.finding_score(explain.boxes_over(network, JOINT, "conv4_3", "conv4_3"))
    assert heat_map(scores, module, pixels, early).max() == 0
    late = explain.finding_score(explain.boxes_over(network, JOINT, layer))
    logits = scores(pixels.requires_grad_())
    assert torch.autograd.grad(late(logits), pixels)[0].abs().max() > 0


def test_the_map_lies_over_the_joint_on_the_film(network):
    film = np.random.default_rng(0).random((500, 600), dtype=np.float32)
    joint = JOINT + np.tile([200, 100], 2)
    heat, origin = explain.explain(network, film, joint)
    again, _ = explain.explain(network, film, joint)
    assert heat.shape == (300, 300)
    assert 0 <= heat.min() <= heat.max() <= 1
    assert (heat == again).all()
    assert origin.tolist() == [200, 101]


def test_only_layers_of_the_network_can_be_explained(network):
    with pytest.raises(ValueError, match="conv1_1"):
        explain.layer_of(network, "conv1_1")
