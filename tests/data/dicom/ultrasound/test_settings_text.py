"""Lettering on a screen of ultrasound: settings pass, anything that may name somebody does not."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from data.dicom.burnt_in import lines_of_text
from data.dicom.ultrasound.settings_text import is_settings_alone
from tests.helpers.drawn_ultrasound import Screen, draw

SETTINGS = [
    "MI 0.7 TIs 0.2", "13MHz   Gn 56   DR 62   D 2.2cm", "PRF 0.8k   WF low", "MSK Superf", "Small Joints",
    "D 4cm  45Hz", "Gn 60  85%", "R MCP2 dorsal", "PIP3 L volar trans",
]  # fmt: skip
NAMES = [
    "MILLER ANNA", "Meier, Hans", "LOPEZ 1962", "24.05.1961", "24 05 61", "11:24:20", "630630", "ID 4711",
    "LYMPH NODE", "Hospital 12", "SMITH 60", "MSK MILLER", "Gn 56 Meier", "12 34 56 78",
]  # fmt: skip


def screen_with(text, scale=0.45, face=cv2.FONT_HERSHEY_SIMPLEX, quality=None):
    picture = draw(Screen(text="", mark="", size=(300, 420)))
    cv2.putText(picture, text, (10, 28), face, scale, (235, 235, 235), 1, cv2.LINE_AA)
    if quality is None:
        return picture
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


@pytest.mark.parametrize("scale", [0.38, 0.5, 0.6])
def test_settings_of_the_machine_hold_nothing_back(scale):
    assert sum(is_settings_alone(screen_with(text, scale)) for text in SETTINGS) >= len(SETTINGS) - 1


def test_settings_are_read_from_jpeg_too():
    read = [is_settings_alone(screen_with(text, 0.5, quality=90)) for text in SETTINGS]
    assert sum(read) >= len(SETTINGS) - 2


@pytest.mark.parametrize("text", NAMES)
@pytest.mark.parametrize("scale", [0.5])
def test_what_may_name_somebody_is_no_setting(text, scale):
    picture = screen_with(text, scale)
    assert lines_of_text(picture)
    assert not is_settings_alone(picture)


letters = st.text("ABCDEFGHIJKLMNOPRSTUVWZ", min_size=3, max_size=8)


@settings(max_examples=25, deadline=None)
@given(
    letters,
    letters,
    st.sampled_from([0.4, 0.5, 0.8]),
    st.sampled_from([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX]),
)
@example("LOW", "MSK", 0.5, cv2.FONT_HERSHEY_SIMPLEX)
def test_two_words_that_are_not_settings_are_never_taken_for_them(first, second, scale, face):
    text = f"{first} {second}"
    picture = screen_with(text, scale, face)
    known = {
        "MSK",
        "MCP",
        "PIP",
        "DIP",
        "PRF",
        "FRQ",
        "FPS",
        "PDI",
        "PWR",
        "CPA",
        "CFM",
        "THI",
        "LOW",
        "GAIN",
        "DORSAL",
    }
    if not {first, second} <= known and lines_of_text(picture):
        assert not is_settings_alone(picture)


def test_a_word_of_the_patient_is_a_name_even_where_it_is_a_setting():
    picture = screen_with("Small Joints", 0.5)
    assert is_settings_alone(picture)
    assert not is_settings_alone(picture, "", lambda text: "Small" in text)


def test_the_name_of_the_machine_may_stand_on_its_screen():
    picture = screen_with("Sonar 7   Small Joints", 0.45)
    assert is_settings_alone(picture, "Phantomworks Sonar 7")
    assert not is_settings_alone(picture, "Acme Echo 9")


def test_text_along_a_column_is_not_read():
    picture = np.ascontiguousarray(np.rot90(screen_with("MI 0.7 TIs 0.2", 0.6)))
    assert lines_of_text(picture)
    assert not is_settings_alone(picture)
