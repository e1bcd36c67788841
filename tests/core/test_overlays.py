"""Film and boxes as a picture."""

import numpy as np

from core.domain import Box, Film, Finding
from core.overlays import film_grey, overlay

FILM = Film("x", np.tile(np.arange(100, dtype=np.uint16) * 100, (80, 1)))


def finding(grade, box):
    return Finding("C5I", "corner", grade, (1.0,), 0.9, box)


def test_window_maps_low_to_black_and_high_to_white():
    grey = film_grey(FILM.pixels, (1000, 3000))
    assert grey.dtype == np.uint8
    assert (grey[0, 10], grey[0, 20], grey[0, 30]) == (0, 128, 255)
    assert (grey[0, :10] == 0).all()
    assert (grey[0, 30:] == 255).all()


def test_box_edges_are_coloured_and_its_inside_is_film():
    picture = overlay(FILM, [finding(3, Box(20, 10, 60, 40))], (0, 9900), width=2)
    assert tuple(picture[10, 30]) == (0xC1, 0x27, 0x2D)
    assert tuple(picture[39, 59]) == (0xC1, 0x27, 0x2D)
    assert (picture[12:38, 22:58] == film_grey(FILM.pixels, (0, 9900))[12:38, 22:58, None]).all()


def test_original_unchanged_and_finding_without_box_ignored():
    before = FILM.pixels.copy()
    plain = overlay(FILM, [finding(1, None)], (0, 9900))
    assert (plain == film_grey(before, (0, 9900))[:, :, None]).all()
    overlay(FILM, [finding(1, Box(0, 0, 50, 50))], (0, 9900))
    assert (FILM.pixels == before).all()


def test_box_beyond_the_film_is_cut():
    assert overlay(FILM, [finding(1, Box(-50, -50, 500, 500))], (0, 9900)).shape == (80, 100, 3)
