"""Windows around the spine, and that a network that looks through one sees there what it sees without."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Image
from models.common.attention_unet import folded
from models.sparcc.anatomy import segment
from models.sparcc.anatomy.network import build as build_anatomy
from models.sparcc.oedema import finder
from models.sparcc.oedema.network import build as build_oedema
from models.sparcc.windows import window_around

SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))


@given(st.data())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_window_holds_the_mask_and_its_margin_in_whole_steps(data):
    step = data.draw(st.sampled_from([1, 4, 16]))
    rows, columns = (step * data.draw(st.integers(1, 9)) for _ in range(2))
    mask = np.zeros((rows, columns), bool)
    for _ in range(data.draw(st.integers(1, 3))):
        mask[data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))] = True
    margin = data.draw(st.integers(0, 40))
    for axis, window in enumerate(window_around(mask, margin, step)):
        at = np.flatnonzero(mask.any(axis=1 - axis))
        assert window.start <= max(at[0] - margin, 0)
        assert window.stop >= min(at[-1] + 1 + margin, mask.shape[axis])
        assert window.start % step == window.stop % step == 0
        assert window.stop - window.start <= at[-1] + 1 - at[0] + 2 * (margin + step)


def test_without_anything_set_the_window_is_the_picture():
    assert window_around(np.zeros((8, 6), bool), 2, 2) == (slice(0, 8), slice(0, 6))


def stack(frames=7, rows=96, columns=160):
    rng = np.random.default_rng(4)
    pixels = rng.integers(0, 900, (frames, rows, columns)).astype(np.uint16)
    places = tuple((-4.0 * place, 0.0, 0.0) for place in range(frames))
    return Image("s", pixels, (1.0, 1.0), "MR", orientation=SAGITTAL, positions_mm=places)


def test_oedema_is_looked_for_where_it_is_asked_for_as_without(monkeypatch):
    torch.manual_seed(0)
    looks = finder.OedemaFinder(build_oedema("demo"), finder.Point(0.5, 0.3))
    image = stack()
    asked = np.zeros(image.frames.shape, bool)
    asked[2:4, 40:50, 70:84] = True
    everywhere = looks.chances(image).astype(float)
    there = looks.chances(image, asked).astype(float)
    assert not there[[0, 1, 4, 5, 6]].any()
    assert np.abs(there - everywhere)[asked].max() < 0.002
    monkeypatch.setattr(finder, "MARGIN", 500)
    whole = looks.chances(image, asked).astype(float)
    assert np.array_equal(whole[asked], everywhere[asked]) and not whole[~asked].any()
    assert not looks.chances(image, np.zeros(image.frames.shape, bool)).any()


def test_slices_beside_the_middle_are_looked_at_around_its_bodies(monkeypatch):
    torch.manual_seed(0)
    looks = segment.Segmenter(build_anatomy("demo", 4))
    image = stack(9)
    chance = looks.chances(image.frames, (1.0, 1.0)).astype(float)
    assert chance.shape == (4, *image.frames.shape)

    def column(frames, places):
        found = np.zeros((len(places), 4, *frames.shape[1:]), np.float32)
        if frames.shape[2] == 160:
            found[:, 0, :, 70:84] = 0.9
        else:
            found[:] = 0.2
        return found

    monkeypatch.setattr(segment, "MARGIN", 16)
    monkeypatch.setattr(looks, "_of", column)
    chance = looks.chances(image.frames, (1.0, 1.0)).astype(float)
    assert (chance[0, 3:6, :, 70:84] > 0.8).all()
    assert (chance[:, [2, 6], :, 48:112] > 0.1).all()
    assert not chance[:, [2, 6], :, :48].any()
    assert not chance[:, [2, 6], :, 112:].any()
    assert not chance[:, [0, 1, 7, 8]].any()  # a slice without a body lies before them


def test_where_the_middle_shows_no_body_every_slice_is_looked_at(monkeypatch):
    looks = segment.Segmenter(build_anatomy("demo", 4))
    monkeypatch.setattr(
        looks, "_of", lambda frames, places: np.full((len(places), 4, *frames.shape[1:]), 0.2, np.float32)
    )
    assert (looks.chances(stack(12).frames, (1.0, 1.0)) > 0.1).all()


def test_a_folded_network_scores_as_before():
    torch.manual_seed(0)
    network = build_oedema("demo")
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.running_mean, -1, 1)
            torch.nn.init.uniform_(part.running_var, 0.5, 2)
    pixels = torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        before = network.eval()(pixels)
        after = folded(network)(pixels)
    assert torch.allclose(before, after, atol=1e-4)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in network.modules())
