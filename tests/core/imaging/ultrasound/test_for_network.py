"""The picture for a network: the scan alone, millimetres square, the right way round."""

from dataclasses import replace

import numpy as np
import pytest

from core.domain import Image, ScanArea
from core.imaging.ultrasound import for_network, orientation, pictures_for_network, scan_area
from tests.helpers.drawn_ultrasound import Screen, picture_of


def test_furniture_does_not_reach_the_network():
    plain = for_network(picture_of(Screen(mark="", text=""), stated=True))
    furnished = for_network(picture_of(Screen(text="NAME 1234"), stated=True))
    assert np.abs(plain.astype(int) - furnished).max() <= 40
    assert np.abs(plain.astype(int) - furnished).mean() < 0.5


def test_millimetres_are_as_long_down_as_across():
    image = picture_of(Screen(), stated=True)
    tall = replace(image, areas=(ScanArea(Screen().box, (0.2, 0.1)),))
    lit = for_network(tall).max(axis=2) > 5
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    ratio = (rows[-1] - rows[0] + 1) / (columns[-1] - columns[0] + 1)
    assert ratio == pytest.approx(210 * 0.2 / (280 * 0.1), rel=0.03)


def test_the_mark_of_the_probe_is_seen_and_a_mirrored_picture_turned():
    image = picture_of(Screen(flow=40), stated=True)
    mirrored = Image(
        "mirrored",
        np.ascontiguousarray(image.frames[:, :, ::-1]),
        colour=np.ascontiguousarray(image.colour[:, :, ::-1]),
        areas=(ScanArea(Screen(scan=(60, 50, 340, 260)).box, (0.1, 0.1)),),
    )
    assert orientation(image).mark == "left" and not orientation(image).is_mirrored
    assert orientation(mirrored).is_mirrored
    assert "right" in orientation(mirrored).words
    assert np.abs(for_network(image).astype(int) - for_network(mirrored)).mean() < 1


def test_a_picture_without_a_mark_stays_as_it_is_and_says_so():
    image = picture_of(Screen(mark="", flow=40), stated=True)
    flipped = replace(image, colour=np.ascontiguousarray(image.colour[:, :, ::-1]))
    assert orientation(image).mark == ""
    assert "not known" in orientation(image).words
    assert np.abs(for_network(image)[:, ::-1].astype(int) - for_network(flipped)).mean() < 2


def test_a_probe_below_the_picture_is_turned_up():
    image = picture_of(Screen(flow=40), stated=True)
    below = Image(
        "below",
        np.ascontiguousarray(image.frames[:, ::-1]),
        colour=np.ascontiguousarray(image.colour[:, ::-1]),
        areas=(ScanArea(Screen(scan=(60, 40, 340, 250)).box, (0.1, 0.1)),),
    )
    assert orientation(below).is_upside_down
    assert np.abs(for_network(image).astype(int) - for_network(below)).mean() < 1


def test_frames_of_a_cine_are_made_with_one_look_at_the_screen():
    image = picture_of(Screen(), frames=4)
    pictures = pictures_for_network(image, (3, 0), size=96)
    assert pictures.shape == (2, 96, 96, 3) and pictures.dtype == np.uint8
    assert (pictures[1] == for_network(image, 0, size=96)).all()
    assert (pictures[0] != pictures[1]).any()


def test_a_grey_picture_and_one_without_a_scan_give_a_picture_too():
    grey = Image("grey", picture_of(Screen()).colour[..., 0].astype(np.uint16))
    assert scan_area(grey) is not None
    assert np.ptp(for_network(grey), axis=-1).max() == 0
    assert for_network(Image("tiny", np.zeros((30, 40), np.uint16)), size=64).shape == (64, 64, 3)
