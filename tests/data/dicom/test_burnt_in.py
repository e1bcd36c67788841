"""Text burnt into the pixels."""

import cv2
import numpy as np
import pytest

from data.dicom.burnt_in import burnt_in_warning, lines_of_text
from data.dicom.pixel_values import to_picture
from data.dicom.read import decode_frames, quiet, read_dicom
from tests.helpers.small_films import film


def ground(rows=900, columns=800, seed=0):
    """Smooth shapes with noise, 12 bits, brightest near 3000."""
    rng = np.random.default_rng(seed)
    shapes = cv2.GaussianBlur(rng.normal(size=(rows, columns)).astype(np.float32), (0, 0), 25)
    values = 1500 + 1200 * shapes / np.abs(shapes).max() + rng.normal(0, 15, (rows, columns))
    return values.clip(0, 4095).astype(np.uint16)


def with_text(pixels, text, *, size=1.0, at=(20, 60), value=4000):
    mask = np.zeros(pixels.shape, np.uint8)
    cv2.putText(mask, text, at, cv2.FONT_HERSHEY_DUPLEX, size, 255, max(1, round(size)))
    drawn = pixels.copy()
    drawn[mask > 0] = value
    return drawn


@pytest.mark.parametrize("size", [0.6, 1.0, 1.5])
def test_a_line_of_letters_is_found(size):
    assert lines_of_text(with_text(ground(), "MILLER HANS 1965", size=size)) >= 1


def test_two_lines_are_two():
    once = with_text(ground(), "MILLER HANS 1965")
    assert lines_of_text(with_text(once, "KLINIKUM NORD 12", at=(20, 700))) == 2


def test_letters_on_a_large_film_are_found():
    assert lines_of_text(with_text(ground(1800, 1500), "MILLER HANS 1965", size=1.5)) >= 1


@pytest.mark.parametrize("seed", range(4))
def test_a_film_without_letters_has_none(seed):
    assert lines_of_text(ground(seed=seed)) == 0


@pytest.mark.parametrize("marker", ["R", "L", "R MK"])
def test_a_lead_marker_is_not_text(marker):
    assert lines_of_text(with_text(ground(), marker, size=2)) == 0


def test_a_scale_with_ticks_is_not_text():
    pixels = ground()
    pixels[100:700:25, 20:40] = 4000
    pixels[100:700, 20] = 4000
    pixels[850, 100:700] = 4000
    pixels[835:865, 100:700:50] = 4000
    assert lines_of_text(pixels) == 0


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_an_even_picture_has_no_text(value):
    assert lines_of_text(np.full((100, 100), value, np.uint16)) == 0


@pytest.mark.parametrize(
    ("said", "text", "words"),
    [
        ("YES", False, "the file says so"),
        ("NO", True, "though the file says there is none"),
        ("", True, "seems to be burnt"),
        ("NO", False, None),
    ],
)
def test_tag_and_pixels_are_both_heard(said, text, words):
    pixels = with_text(ground(), "MILLER HANS 1965") if text else ground()
    warning = burnt_in_warning(film(BurnedInAnnotation=said), pixels)
    assert (warning is None) if words is None else words in warning


WITH_TEXT = ("JPGLosslessP14SV1_1s_1f_8b", "OBXXXX1A", "US1_UNCR", "US1_J2KI", "gdcm-US-ALOKA-16", "vlut_04")
WITHOUT = ("RG3_J2KR", "MR2_UNCR", "MR-SIEMENS-DICOM-WithOverlays", "explicit_VR-UN", "JPEG-LL", "color-px")


@pytest.mark.real
@pytest.mark.parametrize("name", [*WITH_TEXT, *WITHOUT])
def test_real_pictures(name, shared):
    with open(shared / "real" / "dicom-conformance" / f"{name}.dcm", "rb") as stream, quiet():
        file = read_dicom(stream)
        pixels = to_picture(next(decode_frames(file)), file.dataset).pixels
    assert (lines_of_text(pixels) > 0) is (name in WITH_TEXT)


@pytest.mark.real
def test_the_real_hand_film_has_a_marker_but_no_text(shared):
    with open(shared / "real" / "hand-radiograph" / "right-hand-pa.dcm", "rb") as stream, quiet():
        file = read_dicom(stream)
        assert lines_of_text(to_picture(next(decode_frames(file)), file.dataset).pixels) == 0
