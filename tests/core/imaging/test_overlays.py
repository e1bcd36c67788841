"""A film as a grey picture."""

import numpy as np

from core.imaging.overlays import film_grey

PIXELS = np.tile(np.arange(100, dtype=np.uint16) * 100, (80, 1))


def test_window_maps_low_to_black_and_high_to_white():
    grey = film_grey(PIXELS, (1000, 3000))
    assert grey.dtype == np.uint8
    assert (grey[0, 10], grey[0, 20], grey[0, 30]) == (0, 128, 255)
    assert (grey[0, :10] == 0).all()
    assert (grey[0, 30:] == 255).all()
