"""Numbers of what a film looks like around a place: what changes them, and what must not."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ood.texture import EDGES, GREYS, NUMBERS, texture

NOISE = slice(len(GREYS) + len(EDGES), len(GREYS) + len(EDGES) + 3)
STEEP = slice(len(GREYS), len(GREYS) + len(EDGES))


def bone(seed=0, noise=0.01):
    """Soft bars with noise, about as much as a tile of a joint has."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :96]
    bars = 0.5 + 0.3 * np.tanh(4 * np.sin(x / 9.0 + seed)) + 0.1 * np.sin(y / 17.0)
    return (bars + rng.normal(0, noise, bars.shape)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 50), st.floats(0.2, 5.0), st.floats(-2.0, 2.0))
def test_brightness_and_contrast_of_the_film_change_the_last_number_only(seed, contrast, brightness):
    plain, other = texture(bone(seed)), texture(bone(seed) * np.float32(contrast) + np.float32(brightness))
    np.testing.assert_allclose(other[:-1], plain[:-1], atol=0.02)
    assert abs(other[-1] - plain[-1] - np.log(contrast)) < 0.02


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 50), st.floats(0.02, 0.1))
def test_noise_is_told_in_dark_and_bright_areas(seed, noise):
    assert (texture(bone(seed, noise))[NOISE] > texture(bone(seed, noise / 2))[NOISE] + 0.2).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 50), st.floats(1.0, 4.0))
def test_a_soft_film_has_softer_edges_and_less_noise(seed, blur):
    sharp = bone(seed)
    plain, soft = texture(sharp), texture(cv2.GaussianBlur(sharp, (0, 0), blur))
    assert (soft[NOISE] < plain[NOISE]).all() and soft[STEEP][-1] < plain[STEEP][-1]


def test_turned_and_mirrored_tiles_are_alike():
    tile = bone(3)
    for other in (tile[:, ::-1], tile[::-1], tile.T):
        np.testing.assert_allclose(texture(np.ascontiguousarray(other)), texture(tile), atol=0.02)


def test_a_tile_of_one_grey_has_finite_numbers():
    found = texture(np.full((32, 32), 0.4, np.float32))
    assert found.shape == (NUMBERS,) and np.isfinite(found).all()
