"""An image of one frame or several."""

import numpy as np
import pytest

from core.domain import Image
from core.errors import InputError


def test_a_film_is_an_image_of_one_frame():
    picture = np.arange(12, dtype=np.uint16).reshape(3, 4)
    film = Image("f", picture, (0.2, 0.1))
    assert film.is_film
    assert film.frames.shape == (1, 3, 4)
    assert np.shares_memory(film.pixels, picture)
    assert np.array_equal(film.pixels, picture)


def test_there_is_no_single_picture_of_a_stack():
    stack = Image("0123456789abcdef", np.zeros((3, 2, 2)))
    assert not stack.is_film
    with pytest.raises(InputError, match="image 0123456789ab with 3 frames; an image of one frame is needed"):
        _ = stack.pixels


def test_pixels_have_rows_and_columns():
    with pytest.raises(InputError, match="an image of shape 3 x 2 x 2 x 3; frames x rows x columns"):
        Image("i", np.zeros((3, 2, 2, 3)))


def test_positions_and_times_are_one_a_frame():
    with pytest.raises(InputError, match="1 positions for 2 frames"):
        Image("i", np.zeros((2, 2, 2)), positions_mm=((0, 0, 0),))
    with pytest.raises(InputError, match="3 times for 2 frames"):
        Image("i", np.zeros((2, 2, 2)), times_ms=(0, 40, 80))
