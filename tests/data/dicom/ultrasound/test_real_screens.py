"""Real screens of three makers: where the scan is, what is furniture, and what is flow."""

from functools import lru_cache

import numpy as np
import pytest

from core.domain import Image
from core.imaging.ultrasound import colour_pixels, flow, for_network, furniture, mode_by_colour, orientation
from core.imaging.ultrasound import scan_area as area_of
from data.dicom.pixel_values import to_picture
from data.dicom.previews import to_image
from data.dicom.read import decode_frames, quiet, read_dicom
from data.dicom.ultrasound.areas import areas_of
from tests.helpers.paths import REAL

FOLDER = REAL / "dicom-conformance"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER.name} is not there")
DOPPLER = ("US1_UNCI", "US1_UNCR", "US1_J2KR", "US1_J2KI")
GREY = ("OBXXXX1A", "OBXXXX1A_rle", "OBXXXX1A_expb", "gdcm-US-ALOKA-16", "gdcm-US-ALOKA-16_big")
ECHO = "JPGLosslessP14SV1_1s_1f_8b"


@lru_cache(maxsize=16)
def image_of(name):
    with open(FOLDER / f"{name}.dcm", "rb") as stream, quiet():
        file = read_dicom(stream)
        picture = to_picture(np.stack(list(decode_frames(file))), file.dataset, several=True)
    pixels = picture.pixels
    if not picture.is_colour:
        return Image(name, pixels, areas=areas_of(file.dataset))
    grey = to_image(name, pixels, {}).frames
    return Image(name, grey, colour=pixels, areas=areas_of(file.dataset))


@pytest.mark.parametrize("name", DOPPLER)
def test_flow_is_seen_in_every_encoding_of_a_power_doppler_picture(name):
    image = image_of(name)
    assert mode_by_colour(image) == "PD"
    assert 0.03 < flow(image).mean() < 0.06
    box = area_of(image).box
    assert (box.y0, box.y1) == (pytest.approx(108, abs=6), pytest.approx(337, abs=6))
    assert box.x0 < 20 and box.x1 > 615


def test_coloured_pixels_are_the_same_in_all_encodings():
    first = colour_pixels(image_of(DOPPLER[0]).colour[0])
    for name in DOPPLER[1:]:
        found = colour_pixels(image_of(name).colour[0])
        assert (first & found).sum() / (first | found).sum() > 0.93, name


@pytest.mark.parametrize("name", GREY)
def test_a_grey_scale_picture_with_a_coloured_screen_shows_no_flow(name):
    assert mode_by_colour(image_of(name)) == ""
    assert flow(image_of(name)).mean() < 5e-4


def test_regions_and_scales_are_read_and_two_frames_are_two():
    area = area_of(image_of("OBXXXX1A"))
    assert area.mm_per_pixel == pytest.approx((0.2623, 0.2623), abs=1e-4)
    assert [one.kind for one in image_of("OBXXXX1A").areas] == ["tissue", "other"]
    assert image_of("OBXXXX1A_2frame").frames.shape == (2, 600, 800)
    aloka = image_of("gdcm-US-ALOKA-16")
    assert [one.kind for one in aloka.areas] == ["tissue", "tissue", "other"]
    assert area_of(aloka) == aloka.areas[0]
    assert area_of(image_of(ECHO)).mm_per_pixel == pytest.approx((0.2548, 0.2548), abs=1e-4)


def test_the_mark_of_the_probe_is_found_on_its_side():
    assert orientation(image_of("OBXXXX1A")).mark == "left"
    assert orientation(image_of("gdcm-US-ALOKA-16")).mark == "left"
    assert orientation(image_of(ECHO)).mark == "right"
    assert orientation(image_of("US1_UNCR")).mark == ""


def test_text_bars_and_logos_are_hidden_and_echoes_are_not():
    hidden = furniture(image_of("US1_UNCR"))
    assert hidden[25:105, 18:170][image_of("US1_UNCR").colour[0, 25:105, 18:170].max(axis=-1) > 100].all()
    assert hidden[148, 95:540].mean() > 0.9  # the box of the Doppler
    assert hidden[300:330, 20:600].mean() < 0.01
    echo = furniture(image_of(ECHO))
    assert echo[140:290, 966:980].mean() > 0.9  # the bar of the grey scale
    assert echo[350:550, 350:600].mean() < 0.02
    assert for_network(image_of(ECHO)).shape == (160, 160, 3)
