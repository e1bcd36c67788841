"""The box around the scans of a picture, and crops of pictures in colour."""

from dataclasses import replace

import numpy as np

from core.domain import Box, Image, ScanArea
from core.imaging.crops import Window, colour_jpeg, crop
from core.imaging.ultrasound import scans_box
from tests.helpers.drawn_ultrasound import Screen, draw


def screen(**changed):
    colour = draw(Screen(**changed))
    return Image("scan", colour.max(axis=-1)[None], colour=colour[None])


def test_two_scans_side_by_side_are_in_one_box():
    areas = (ScanArea(Box(10, 20, 110, 120)), ScanArea(Box(150, 30, 300, 200)))
    bars = ScanArea(Box(320, 0, 340, 290), kind="other")
    assert scans_box(replace(screen(), areas=(*areas, bars))) == Box(10, 20, 300, 200)


def test_an_area_that_goes_over_the_edge_ends_there():
    assert scans_box(replace(screen(), areas=(ScanArea(Box(300, 200, 500, 400)),))) == Box(300, 200, 400, 300)


def test_without_a_stated_area_the_echoes_are_taken():
    found, drawn = scans_box(screen()), Screen().box
    assert (
        max(abs(one - other) for one, other in zip(vars(found).values(), vars(drawn).values(), strict=True))
        < 12
    )


def test_nothing_is_found_on_an_empty_picture():
    assert scans_box(Image("black", np.zeros((1, 60, 80), np.uint16))) is None


def test_a_cut_keeps_its_colour():
    import cv2

    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[10:30, 20:40] = (200, 30, 10)
    part = crop(pixels, Window((30, 20), 10, (0.5, 0.5)), 50)
    assert part.shape == (50, 50, 3)
    shown = cv2.imdecode(np.frombuffer(colour_jpeg(part), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown[25, 25].astype(int) - (10, 30, 200)).max() < 12
