"""Text burnt into the pixels."""

import cv2
import numpy as np
import pytest
from pydicom.uid import MRImageStorage

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


GROUND = ground(560, 560, seed=5)
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)


def lettering(text, height, font):
    """Letters of that height, 255 on 0, no more rows and columns than they need."""
    scale = cv2.getFontScaleFromHeight(font, height, max(1, height // 11))
    mask = np.zeros((3 * height, 3 * height * len(text)), np.uint8)
    place = (height, 2 * height)
    cv2.putText(mask, text, place, font, scale, 255, max(1, height // 11), cv2.LINE_AA)
    rows, columns = np.nonzero(mask)
    return mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def with_letters(pixels, letters, *, ink, paper=None):
    """The film with letters in a corner: ink from 0 to 1 of its range, on paper or on what is there."""
    drawn, top = pixels.astype(np.float64), float(pixels.max())
    pad = 12
    rows, columns = letters.shape[0] + 2 * pad, letters.shape[1] + 2 * pad
    ground = drawn[20 : 20 + rows, 20 : 20 + columns]
    if paper is not None:
        ground[:] = paper * top
    alpha = np.pad(letters, pad) / 255
    ground[:] = ground * (1 - alpha) + ink * top * alpha
    return drawn.astype(pixels.dtype)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(("height", "font"), [(14, 0), (14, 1), (22, 2), (44, 0), (66, 1)])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [(1.0, 0.1), (0.0, 1.0), (0.8, 0.1), (0.65, 0.1), (0.5, 0.05), (0.3, 0.9)],
    ids=["white on black", "black on white", "grey 0.8", "grey 0.65", "grey 0.5", "dark grey on light"],
)
def test_letters_of_every_ink_and_direction_are_found(ink, paper, font, height, turns):
    letters = np.rot90(lettering("MILLER 6", height, FONTS[font]), turns)
    pixels = with_letters(GROUND, letters, ink=ink, paper=paper)
    assert lines_of_text(pixels) >= 1


@pytest.mark.parametrize("word", ["SMITH", "Huber", "ABCDE", "19540"])
@pytest.mark.parametrize("turns", [0, 1])
def test_five_letters_are_text(word, turns):
    letters = np.rot90(lettering(word, 30, cv2.FONT_HERSHEY_SIMPLEX), turns)
    assert lines_of_text(with_letters(ground(), letters, ink=1.0, paper=0.1)) >= 1


@pytest.mark.parametrize("marker", ["R", "L", "R MK", "PA", "L  7"])
@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(("ink", "paper"), [(1.0, 0.1), (0.0, 1.0)])
def test_a_marker_of_few_letters_is_not_text_in_any_direction(marker, turns, ink, paper):
    letters = np.rot90(lettering(marker, 40, cv2.FONT_HERSHEY_SIMPLEX), turns)
    assert lines_of_text(with_letters(ground(), letters, ink=ink, paper=paper)) == 0


def test_text_on_another_frame_is_heard():
    plain = ground()
    assert burnt_in_warning(film(), plain, [plain, with_text(plain, "MILLER HANS 1965")]) is not None
    assert burnt_in_warning(film(), plain, [plain]) is None


@pytest.mark.parametrize("seed", range(6))
def test_grain_is_not_text(seed):
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.normal(size=(900, 800)).astype(np.float32), (0, 0), 1.0 + seed / 2)
    assert lines_of_text((2000 + 600 * grain / grain.std()).clip(0, 4095).astype(np.uint16)) == 0


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


def slice_of(kind, **tags):
    """The header of a slice of MRI, placed in the patient."""
    about = {
        "ImageType": kind,
        "ImagePositionPatient": [0, 0, 0],
        "ImageOrientationPatient": [0, 1, 0, 0, 0, -1],
    }
    return film(sop_class=MRImageStorage, Modality="MR", **{**about, **tags})


@pytest.mark.parametrize(
    ("header", "word", "line"),
    [
        (slice_of(["ORIGINAL", "PRIMARY", "M"]), False, True),  # vertebrae stand in a line of that length
        (slice_of(["DERIVED", "SECONDARY", "M"]), True, True),
        (slice_of(["ORIGINAL", "PRIMARY", "M"], ConversionType="WSD"), True, True),
        (slice_of(["ORIGINAL", "PRIMARY", "M"], ImagePositionPatient=None), True, True),
        (film(ImageType=["ORIGINAL", "PRIMARY"]), True, True),
    ],
)
def test_a_slice_as_the_scanner_took_it_needs_a_longer_line(header, word, line):
    assert bool(burnt_in_warning(header, with_text(ground(), "MILLER"))) == word
    assert bool(burnt_in_warning(header, with_text(ground(), "MILLER HANS 1965"))) == line


def test_a_slice_that_says_so_has_text():
    header = slice_of(["ORIGINAL", "PRIMARY"], BurnedInAnnotation="YES")
    assert "the file says so" in str(burnt_in_warning(header, ground()))


def bodies(turns, count=5, length=23, thick=8):
    """Bright bodies with concave plates in a line: each as long as three letters are, and sharp."""
    pixels = ground(360, 300, seed=2) // 3
    for number in range(count):
        start = 60 + number * (length + 4)
        for step in range(length):
            waist = round(1.5 * np.sin(np.pi * step / (length - 1)))
            pixels[start + step, 150 + waist : 150 + thick - waist] = 3600 - 40 * number
    return np.ascontiguousarray(np.rot90(pixels, turns))


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(("length", "thick"), [(20, 7), (23, 8), (26, 10)])
def test_bodies_in_a_line_are_no_letters_on_a_slice(turns, length, thick):
    header = slice_of(["ORIGINAL", "PRIMARY", "M"])
    assert lines_of_text(bodies(turns, length=length, thick=thick)) > 0, "five letters by their length"
    assert burnt_in_warning(header, bodies(turns, length=length, thick=thick)) is None


def walls(turns, height, length):
    """Thin walls of five bodies in a line, with two or three spurs each."""
    pixels = ground(360, 300, seed=2) // 3
    for number, spurs in enumerate((3, 2, 3, 3, 2)):
        top, left = 100 + height, 40 + number * (length + 7)
        pixels[top - 2 : top, left : left + length] = 3600
        for spur in range(spurs):
            at = left + int((spur + 0.5) * length / spurs)
            pixels[100:top, at : at + 2] = 3600
    return np.ascontiguousarray(np.rot90(pixels, turns))


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(("height", "length"), [(12, 24), (14, 28), (14, 32)])
def test_walls_of_bodies_with_spurs_are_no_letters_that_touch(turns, height, length):
    header = slice_of(["ORIGINAL", "PRIMARY", "M"])
    assert lines_of_text(walls(turns, height, length)) > 0, "letters by their length and their strokes"
    assert burnt_in_warning(header, walls(turns, height, length)) is None


@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.parametrize(("height", "font"), [(11, 0), (14, 1), (14, 2), (22, 2), (44, 0)])
@pytest.mark.parametrize("text", ["SCHMIDT 1967", "Huber, Josef", "ID 00123456", "WILLIS 111972"])
@pytest.mark.parametrize(("ink", "paper"), [(1.0, 0.1), (0.0, 1.0), (0.65, 0.1)])
def test_names_and_numbers_on_a_slice_are_text(ink, paper, text, height, font, turns):
    letters = np.rot90(lettering(text, height, FONTS[font]), turns)
    pixels = with_letters(GROUND, letters, ink=ink, paper=paper)
    assert burnt_in_warning(slice_of(["ORIGINAL", "PRIMARY", "M"]), pixels) is not None
