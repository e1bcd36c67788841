"""Colour-coded flow is told from grey pixels, as machines and files write them."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from core.imaging.ultrasound import colour_pixels, flow, mode_by_colour
from tests.helpers.drawn_ultrasound import Screen, draw, picture_of

FLOW = np.s_[120:160, 153:193]  # of ``Screen(flow=40)``


def as_ybr(colour):
    """Through YBR_FULL and back, each value rounded to a byte (PS3.3, C.7.6.3.1.2)."""
    image = Pillow.fromarray(colour).convert("YCbCr")
    return np.asarray(image.convert("RGB"))


def as_jpeg(colour, subsampling):
    stream = io.BytesIO()
    Pillow.fromarray(colour).save(stream, "JPEG", quality=75, subsampling=subsampling)
    return np.asarray(Pillow.open(stream))


WAYS = {
    "rgb": lambda colour: colour,
    "ybr": as_ybr,
    "jpeg 444": lambda colour: as_jpeg(colour, 0),
    "jpeg 422": lambda colour: as_jpeg(colour, 1),
    "jpeg 420": lambda colour: as_jpeg(colour, 2),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (1.0, 0.85, 0.6), (0.7, 0.85, 1.0)])
def test_flow_is_told_from_grey_and_from_a_tinted_grey_scale(way, tint):
    found = colour_pixels(WAYS[way](draw(Screen(flow=40, tint=tint, mark="", text=""))))
    assert found[FLOW].mean() > 0.9
    beside = np.ones(found.shape, bool)
    beside[115:165, 148:198] = False
    assert found[beside].mean() < 0.003


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 255), st.integers(-12, 12), st.integers(-12, 12))
def test_grey_with_rounding_is_never_coloured(level, red, blue):
    pixel = np.clip([level + red, level, level + blue], 0, 255).astype(np.uint8)
    assert not colour_pixels(np.tile(pixel, (6, 6, 1))).any()


def test_frames_are_looked_at_one_by_one():
    cine = np.stack([draw(Screen(flow=size)) for size in (0, 30)])
    found = colour_pixels(cine)
    assert found.shape == cine.shape[:3]
    assert found[1, 50:260].sum() > 800 > found[0, 50:260].sum()


def test_the_mode_is_power_doppler_where_flow_is_seen_and_else_not_known():
    assert mode_by_colour(picture_of(Screen(flow=20))) == "PD"
    assert mode_by_colour(picture_of(Screen(flow=0, over=True))) == ""
    assert mode_by_colour(picture_of(Screen(flow=0, tint=(1.0, 0.8, 0.5)))) == ""


def test_flow_lies_within_the_scan_alone():
    image = picture_of(Screen(flow=30), stated=True)
    image.colour[0, 5:45, 350:390] = image.colour[0, 120:160, 150:190]
    found = flow(image)
    assert found[50:260, 60:340].sum() > 800
    assert found.sum() == found[50:260, 60:340].sum()
