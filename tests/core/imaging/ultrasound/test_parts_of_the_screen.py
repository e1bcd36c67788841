"""The scan is told from what the machine draws around and over it."""

from dataclasses import replace

import numpy as np
import pytest

from core.domain import Box, Image, ScanArea
from core.imaging.ultrasound import furniture, scan_area
from tests.helpers.drawn_ultrasound import Screen, draw, picture_of

SCREENS = [
    Screen(),
    Screen(size=(480, 640), scan=(100, 90, 520, 400), text="HOSPITAL 12-03 LEFT HAND 2 3 4"),
    Screen(size=(240, 320), scan=(40, 40, 280, 220), mark="", over=True, flow=30),
    Screen(scan=(0, 40, 400, 300), tint=(1.0, 0.8, 0.5)),
]


def overlap(one, other):
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    size = (one.x1 - one.x0) * (one.y1 - one.y0) + (other.x1 - other.x0) * (other.y1 - other.y0)
    return wide * high / (size - wide * high)


@pytest.mark.parametrize("screen", SCREENS)
def test_the_scan_is_found_by_its_echoes(screen):
    found = scan_area(picture_of(screen))
    assert overlap(found.box, screen.box) > 0.92
    assert found.mm_per_pixel is None


@pytest.mark.parametrize("screen", SCREENS)
def test_what_the_file_states_counts_before_echoes(screen):
    stated = ScanArea(Box(70, 60, 130, 120), (0.07, 0.08))
    assert scan_area(replace(picture_of(screen), areas=(stated,))) == stated


def test_an_area_beyond_the_picture_is_cut_to_it_and_one_outside_is_none():
    image = picture_of(Screen())
    over = ScanArea(Box(50, 40, 900, 900), (0.1, 0.1))
    assert scan_area(replace(image, areas=(over,))).box == Box(50, 40, 400, 300)
    outside = ScanArea(Box(800, 800, 900, 900), (0.1, 0.1))
    assert overlap(scan_area(replace(image, areas=(outside,))).box, Screen().box) > 0.92


def test_of_two_scans_that_with_flow_is_taken_from_power_doppler():
    colour = draw(Screen(flow=40))
    left, right = ScanArea(Box(60, 50, 200, 260)), ScanArea(Box(200, 50, 340, 260))
    image = Image("two", colour[..., 0].astype(np.uint16), colour=colour, areas=(right, left))
    assert scan_area(image) == left
    mirrored = np.ascontiguousarray(colour[:, ::-1])
    doppler = Image(
        "two", mirrored[..., 0].astype(np.uint16), colour=mirrored, areas=(left, right), mode="PD"
    )
    assert scan_area(doppler) == right


def test_no_scan_is_found_on_black_on_flat_colour_and_on_text_alone():
    for colour in (np.zeros((300, 400, 3), np.uint8), np.full((300, 400, 3), (40, 80, 120), np.uint8)):
        assert scan_area(Image("none", colour[..., 0].astype(np.uint16), colour=colour)) is None
    text = draw(Screen(text="1234 5678 90"))
    text[40:] = 0
    assert scan_area(Image("text", text[..., 0].astype(np.uint16), colour=text)) is None


@pytest.mark.parametrize("screen", SCREENS)
def test_what_is_drawn_beside_the_scan_is_furniture(screen):
    image = picture_of(screen, stated=True)
    hidden = furniture(image)
    x0, y0, x1, y1 = screen.scan
    outside = np.ones(hidden.shape, bool)
    outside[y0:y1, x0:x1] = False
    assert hidden[outside & (image.colour[0].max(axis=-1) > 60)].all()


def test_letters_and_lines_over_the_scan_are_furniture_and_echoes_are_not():
    plain, over = Screen(mark="", text=""), Screen(mark="", text="", over=True)
    drawn = (draw(plain) != draw(over)).any(axis=-1)
    hidden = furniture(picture_of(over, stated=True))
    assert hidden[drawn].mean() > 0.9
    inside = np.zeros(hidden.shape, bool)
    inside[50:260, 60:340] = True
    beside = inside & ~drawn & (furniture(picture_of(plain, stated=True)) | hidden)
    assert beside.sum() < 2.5 * drawn.sum()
    assert furniture(picture_of(plain, stated=True))[inside].mean() < 0.005


def test_a_bar_of_the_grey_scale_within_the_scan_is_furniture():
    colour = draw(Screen(mark="", text=""))
    colour[70:170, 70:84] = np.linspace(255, 20, 100).astype(np.uint8)[:, None, None]
    hidden = furniture(Image("bar", colour[..., 0].astype(np.uint16), colour=colour))
    assert hidden[72:150, 71:83].mean() > 0.9


def test_what_stands_still_in_a_cine_is_furniture():
    image = picture_of(Screen(mark="", text=""), stated=True, frames=5)
    image.colour[:, 100:110, 100:130] = np.random.default_rng(3).integers(90, 120, (10, 30, 3))
    frames = image.colour[..., 1].astype(np.uint16)
    hidden = furniture(replace(image, frames=frames))
    assert hidden[100:110, 100:130].mean() > 0.9
    assert hidden[50:260, 60:340].mean() < 0.03


def test_the_colour_of_another_picture_is_refused():
    from core.errors import InputError

    with pytest.raises(InputError, match="red, green and blue"):
        Image("x", np.zeros((4, 5), np.uint16), colour=np.zeros((4, 6, 3), np.uint8))
    with pytest.raises(InputError, match="float64"):
        Image("x", np.zeros((4, 5), np.uint16), colour=np.zeros((4, 5, 3)))
    assert Image("x", np.zeros((4, 5), np.uint16), colour=np.zeros((4, 5, 3), np.uint8)).colour.ndim == 4
