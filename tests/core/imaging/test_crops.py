"""Crops of a film: right place, same scale, box where it belongs."""

import numpy as np
import pytest

from core.domain import Box
from core.imaging.crops import Window, box_on, crop, jpeg, shown_range, side_for


def film():
    y, x = np.mgrid[:300, :200]
    return (100 * y + x).astype(np.uint16)


def test_crop_has_the_film_s_values_at_its_place():
    window = Window((100.0, 150.0), 40.0, (1.0, 1.0))
    cut = crop(film(), window, 40)
    assert cut.shape == (40, 40)
    assert cut[0, 0] == 100 * 130 + 80 and cut[39, 39] == 100 * 169 + 119


def test_same_side_in_mm_covers_more_pixels_of_a_finer_film():
    coarse, fine = (Window((100, 150), 20.0, spacing).film_box for spacing in ((0.2, 0.2), (0.1, 0.1)))
    assert coarse.x1 - coarse.x0 == pytest.approx(100) and fine.x1 - fine.x0 == pytest.approx(200)


def test_oblong_pixels_stay_square_in_mm():
    part = Window((100, 150), 20.0, (0.1, 0.2)).film_box
    assert (part.x1 - part.x0) * 0.2 == pytest.approx((part.y1 - part.y0) * 0.1)


@pytest.mark.parametrize("centre", [(0.0, 0.0), (199.0, 299.0), (-500.0, 10.0)])
def test_crop_beyond_the_edge_is_dark_and_has_its_size(centre):
    cut = crop(film(), Window(centre, 60.0, (1.0, 1.0)), 90)
    assert cut.shape == (90, 90)
    assert (cut == 0).any()


def test_box_lies_in_the_middle_of_its_own_window():
    box = Box(90, 140, 110, 160)
    on = box_on(Window(box.centre, 60.0, (1.0, 1.0)), box, 120)
    assert (on.x0, on.y0, on.x1, on.y1) == (40, 40, 80, 80)


def test_one_side_for_both_films_in_mm_and_within_limits():
    box = Box(0, 0, 50, 40)
    assert side_for([(box, (0.2, 0.2)), (box, (0.1, 0.1))]) == pytest.approx(30)
    assert side_for([(Box(0, 0, 4, 4), (0.2, 0.2))]) == 16
    assert side_for([(box, (0.2, 0.2)), (box, None)]) == 150


def test_even_part_of_a_film_is_not_stretched_to_noise():
    flat = np.full((20, 20), 1000.0, np.float32)
    low, high = shown_range(flat, (0, 4000))
    assert high - low == pytest.approx(1000) and low < 1000 < high
    busy = np.tile(np.linspace(0, 4000, 20, dtype=np.float32), (20, 1))
    low, high = shown_range(busy, (0, 4000))
    assert high - low > 3900


def test_picture_is_a_jpeg():
    assert jpeg(np.zeros((8, 8), np.float32), (0, 1))[:2] == b"\xff\xd8"
