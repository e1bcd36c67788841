"""Grad-CAM of a detector: which boxes are its target, and where a gradient exists at all."""

import numpy as np
import pytest
import torch

from models.explain.cam import heat_map
from models.mtss.detectors import network as networks
from models.mtss.explain import detector_target

JOINT = np.array([115.0, 112.0, 185.0, 190.0])


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return networks.detector("demo").eval()


def test_every_default_box_has_its_layer(network):
    boxes, level = detector_target.default_boxes(network)
    assert boxes.shape == (8732, 4)
    assert np.bincount(level).tolist() == [38 * 38 * 4, 19 * 19 * 6, 600, 150, 36, 4]
    side = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
    assert [round(float(side[level == i].min())) for i in range(3)] == [21, 45, 99]


@pytest.mark.parametrize("layer", detector_target.EXPLAINED)
def test_the_target_lies_over_the_joint_in_that_layer_or_a_later_one(network, layer):
    boxes, level = detector_target.default_boxes(network)
    chosen = detector_target.boxes_over(network, JOINT, layer)
    assert len(chosen) == detector_target.BOXES
    assert (level[chosen] >= networks.LAYERS.index(layer)).all()
    middle = (boxes[chosen, :2] + boxes[chosen, 2:]) / 2
    assert (np.abs(middle - (JOINT[:2] + JOINT[2:]) / 2) < 100).all()


@pytest.mark.parametrize("layer", detector_target.EXPLAINED)
def test_boxes_of_conv4_3_have_no_gradient_in_later_layers(network, layer):
    pixels = torch.rand(1, 1, 300, 300)
    scores, module = detector_target.ClassScores(network).eval(), detector_target.layer_of(network, layer)
    early = detector_target.finding_score(detector_target.boxes_over(network, JOINT, "conv4_3", "conv4_3"))
    assert heat_map(scores, module, pixels, early).max() == 0
    late = detector_target.finding_score(detector_target.boxes_over(network, JOINT, layer))
    logits = scores(pixels.requires_grad_())
    assert torch.autograd.grad(late(logits), pixels)[0].abs().max() > 0


def test_the_map_lies_over_the_joint_on_the_film(network):
    film = np.random.default_rng(0).random((500, 600), dtype=np.float32)
    joint = JOINT + np.tile([200, 100], 2)
    heat, origin = detector_target.explain(network, film, joint)
    again, _ = detector_target.explain(network, film, joint)
    assert heat.shape == (300, 300)
    assert 0 <= heat.min() <= heat.max() <= 1
    assert (heat == again).all()
    assert origin.tolist() == [200, 101]


def test_only_layers_of_the_network_can_be_explained(network):
    with pytest.raises(ValueError, match="conv1_1"):
        detector_target.layer_of(network, "conv1_1")
