"""Films that are pictures: which kinds go in, and with which grey values."""

import io

import numpy as np
import pydicom
import pytest
from PIL import Image

from data.datasets.frame import FilmFile, Spacing
from data.datasets.pictures import as_dicom, grey_pixels
from data.datasets.sources import sources_of
from data.dicom.read import Refusal, decode_frames, read_dicom
from tests.data.datasets.layouts import grey, save

FILM = FilmFile("a/b.bmp", "P1", "V2", "HAND", "PA", "L")
KINDS = [(mode, ending) for mode in ("L", "P", "RGB", "RGBA") for ending in ("bmp", "png", "tif")]


@pytest.mark.parametrize(("mode", "ending"), [kind for kind in KINDS if kind != ("RGBA", "bmp")])
def test_grey_pictures_of_every_kind_have_the_same_grey_values(mode, ending, tmp_path):
    pixels = grey(5)
    path = save(tmp_path / f"film.{ending}", pixels, mode)
    assert np.array_equal(grey_pixels(path), pixels)


def test_lossy_pictures_are_taken_nearly_as_they_are(tmp_path):
    pixels = grey(6)
    for mode in ("L", "RGB"):
        found = grey_pixels(save(tmp_path / f"{mode}.jpg", pixels, mode))
        assert np.abs(found.astype(int) - pixels).max() <= 12


def test_sixteen_bits_stay_sixteen(tmp_path):
    pixels = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48) * 13
    Image.fromarray(pixels).save(tmp_path / "film.png")
    assert np.array_equal(grey_pixels(tmp_path / "film.png"), pixels)


@pytest.mark.parametrize("width", [455, 2106])
def test_films_from_narrow_to_wide_go_in(width, tmp_path):
    path = save(tmp_path / "film.png", grey(7, 300, width))
    assert grey_pixels(path).shape == (300, width)


def test_colour_black_and_white_and_several_pictures_are_refused(tmp_path):
    colour = np.zeros((40, 40, 3), np.uint8)
    colour[..., 0] = 200
    with pytest.raises(Refusal, match="in colour"):
        grey_pixels(save(tmp_path / "colour.png", colour, "RGB"))
    with pytest.raises(Refusal, match="black and white"):
        grey_pixels(save(tmp_path / "line.png", grey(8), "1"))
    first = Image.fromarray(grey(9))
    first.save(tmp_path / "pages.tif", save_all=True, append_images=[Image.fromarray(grey(10))])
    with pytest.raises(Refusal, match="several pictures"):
        grey_pixels(tmp_path / "pages.tif")


@pytest.mark.parametrize("ending", ["bmp", "png", "jpg", "tif"])
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kept", [0, 3, 40, 300])
def test_a_file_cut_short_is_refused_in_words(ending, kept, tmp_path):
    path = save(tmp_path / f"film.{ending}", grey(11))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(Refusal, match="damaged or cut short"):
        grey_pixels(path)


def test_nothing_beside_the_picture_enters(tmp_path):
    exif = Image.Exif()
    exif[0x010E], exif[0x013B] = "Miller Hans", "Dr Smith"
    Image.fromarray(grey(12)).save(tmp_path / "film.jpg", exif=exif, comment=b"Miller Hans")
    film = FilmFile("film.jpg", "P1")
    (source,) = sources_of(tmp_path, [film], "set")
    with source.open() as stream:
        content = stream.read()
    assert b"Miller Hans" in (tmp_path / "film.jpg").read_bytes() and b"Miller" not in content


def test_a_picture_is_the_same_dicom_file_each_time_and_decodes_to_its_pixels():
    pixels = grey(13, 65, 33)
    content = as_dicom(pixels, FILM, "set")
    assert content == as_dicom(pixels, FILM, "set")
    file = read_dicom(io.BytesIO(content))
    assert np.array_equal(next(decode_frames(file)), pixels)
    assert "PixelSpacing" not in file.dataset and file.dataset.ImageLaterality == "L"
    assert file.dataset.ClinicalTrialTimePointID == "V2"


def test_only_a_stated_spacing_is_written_into_the_film():
    for spacing, wanted in (
        (Spacing(0.2, "a guess"), None),
        (Spacing(0.2, "file", is_stated=True), [0.2, 0.2]),
    ):
        film = FilmFile("a.png", "P1", spacing=spacing)
        dataset = pydicom.dcmread(io.BytesIO(as_dicom(grey(14), film, "set")))
        assert dataset.get("PixelSpacing") == wanted
