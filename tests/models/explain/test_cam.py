"""Class activation maps on networks small enough to be computed by hand."""

import numpy as np
import pytest
import torch

from models.explain.box_target import BoxTarget, box_target, own_copy
from models.explain.cam import by_channel, by_place, heat_map
from models.msasss import networks


class TwoChannels(torch.nn.Module):
    """Channel 0 is the picture, channel 1 what is missing from it; both pass through ``layer``."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Identity()

    def forward(self, pixels):
        return self.layer(torch.cat([pixels, 1 - pixels], dim=1))


def picture():
    pixels = torch.zeros(1, 1, 4, 4)
    pixels[0, 0, 1, 2] = 1.0
    pixels[0, 0, 3, 3] = 0.5
    return pixels


def test_grad_cam_is_the_mean_gradient_times_the_activation():
    network = TwoChannels()
    heat = heat_map(network, network.layer, picture(), lambda out: 32 * out[0, 0].mean(), by_channel)
    np.testing.assert_allclose(heat, 2 * picture()[0, 0].numpy())


def test_what_speaks_against_the_score_is_no_heat():
    network = TwoChannels()
    heat = heat_map(network, network.layer, picture(), lambda out: -out[0, 0].sum(), by_channel)
    assert heat.max() == 0


def test_by_place_only_where_the_score_looks():
    network = TwoChannels()

    def top_half(out):
        return out[0, 0, :2].sum()

    local = heat_map(network, network.layer, picture(), top_half, by_place)
    assert local[1, 2] == 1 and local[3, 3] == 0
    everywhere = heat_map(network, network.layer, picture(), top_half, by_channel)
    assert everywhere[3, 3] > 0  # Grad-CAM spreads a channel's weight over the whole picture


def test_layer_without_influence_gives_zeros():
    network = TwoChannels()
    pixels = picture().requires_grad_()
    heat = heat_map(network, network.layer, pixels, lambda out: (pixels * 2).sum() + 0 * pixels.sum())
    assert heat.shape == (4, 4) and heat.max() == 0


@pytest.fixture(scope="module")
def grader():
    torch.manual_seed(3)
    return networks.grader("demo").eval()


@pytest.fixture(scope="module")
def tile():
    return torch.from_numpy(np.random.default_rng(1).random((1, 1, 160, 128), dtype=np.float32))


def test_same_input_same_map_and_the_network_is_left_as_it_was(grader, tile):
    before = {name: value.clone() for name, value in grader.state_dict().items()}
    target = box_target(grader, tile, np.array([40.0, 60.0, 80.0, 100.0]), 2)
    layer = grader.model[4]
    first = heat_map(grader, layer, tile, target, by_place)
    assert first.shape == (20, 16)
    np.testing.assert_array_equal(first, heat_map(grader, layer, tile, target, by_place))
    assert all(torch.equal(before[name], value) for name, value in grader.state_dict().items())
    assert all(parameter.grad is None for parameter in grader.parameters())
    assert not layer._forward_hooks


def test_target_is_the_mean_class_score_of_the_anchors_at_the_box(grader, tile):
    target = box_target(grader, tile, np.array([40.0, 60.0, 80.0, 100.0]), 1)
    assert target.weights.sum() == pytest.approx(1)
    with torch.no_grad():
        output = grader(tile)
    output[1]["scores"][0, 3] += 1  # another class
    expected = output[1]["scores"][0, 1, target.anchors].numpy() @ target.weights
    assert float(target(output)) == pytest.approx(expected, rel=1e-4)
    other = BoxTarget(target.anchors, target.weights, 3)
    assert float(other(output)) == pytest.approx(expected + 1, abs=0.1)


def test_copy_can_be_differentiated_after_a_scorer_has_used_the_network(grader, tile):
    with torch.inference_mode():
        grader(tile)
    copied = own_copy(grader)
    target = box_target(copied, tile, np.array([40.0, 60.0, 80.0, 100.0]), 0)
    assert heat_map(copied, copied.model[4], tile, target, by_place).max() > 0
