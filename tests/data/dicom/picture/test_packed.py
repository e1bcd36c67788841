"""Packed previews: the same pixels in a fraction of the bytes; cohorts of before are read as they are."""

import numpy as np
import pytest

from data.dicom import previews
from data.dicom.images import load_image, load_preview
from data.dicom.picture.packed import packed, unpacked
from data.dicom.previews import digest_of, preview_path, read_preview, write_preview
from data.verify import verify
from tests.helpers.deliveries import files_of, image_ids, image_rows, take
from tests.helpers.drawn_ultrasound import Screen, draw
from tests.helpers.small_films import save
from tests.helpers.ultrasound_files import scan_file

SCREENS = [
    Screen(size=(120, 160), scan=(20, 24, 140, 110), mark="", text="", flow=16, seed=n) for n in (3, 4)
]


def few_values(shape, kind):
    """A picture that packs well: a few values, one of them the largest there is."""
    return (
        np.random.default_rng(1).choice([0, 7, np.iinfo(kind).max], shape, p=[0.9, 0.08, 0.02]).astype(kind)
    )


@pytest.mark.parametrize(
    "shape, kind",
    [((40, 50, 3), np.uint8), ((5, 40, 50, 3), np.uint8), ((40, 50), np.uint16), ((5, 40, 50), np.uint16)],
)
def test_every_pixel_comes_back(shape, kind):
    pixels = few_values(shape, kind)
    content, note = packed(pixels)
    assert content.nbytes < pixels.nbytes / 3
    back = unpacked(content, note)
    assert (back.dtype, back.shape, back.flags.writeable) == (pixels.dtype, pixels.shape, False)
    assert (back == pixels).all()


def test_every_difference_of_colours_comes_back():
    steps = np.arange(0, 256, 5, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(len(steps), -1, 3)
    colours = np.concatenate([colours, np.zeros((4 * len(steps), *colours.shape[1:]), np.uint8)])
    assert (unpacked(*packed(colours)) == colours).all()


def test_noise_is_kept_as_it_is(tmp_path):
    noise = np.random.default_rng(2).integers(0, 256, (30, 40, 3), np.uint8)
    assert packed(noise) is None
    write_preview(tmp_path / "a.npy", noise, {"image": "a"})
    pixels, about = read_preview(tmp_path / "a.npy")
    assert (np.asarray(pixels) == noise).all() and about == {"image": "a"}


@pytest.mark.parametrize("damage", [lambda content: content[:-9], lambda content: content[::-1].copy()])
def test_packed_bytes_that_are_damaged_are_no_picture(damage):
    content, note = packed(few_values((3, 40, 50, 3), np.uint8))
    with pytest.raises((ValueError, OSError)):
        unpacked(damage(content), note)


def deliver(folder):
    """A picture in colour and a cine."""
    save(scan_file(SCREENS[0]), folder / "one.dcm")
    save(scan_file(SCREENS[0], colour=np.stack([draw(one) for one in SCREENS] * 3)), folder / "cine.dcm")


def shown(store):
    """What a scorer and a viewer get of every image."""
    images = {image: load_image(store, image) for image in image_ids(store)}
    return {image: (one.frames, one.colour, one.times_ms) for image, one in images.items()}


def same(one, other):
    return one.keys() == other.keys() and all(
        all(np.array_equal(a, b) for a, b in zip(one[image], other[image], strict=True)) for image in one
    )


def test_colours_and_cines_are_packed_and_checked(store, delivery):
    deliver(delivery)
    take(store, delivery)
    rows = image_rows(store)
    for image, digest in zip(rows["image"], rows["preview_hash"], strict=True):
        path = preview_path(store.folder, image)
        pixels, about = load_preview(store, image)
        assert path.stat().st_size < 0.6 * pixels.nbytes and "packed" not in about
        assert digest == digest_of(path)
    assert verify(store, films=True).broken == []
    assert take(store, delivery).mended == []


def test_a_cohort_with_plain_previews_stays_as_it_is_until_one_is_lost(store, delivery, monkeypatch):
    """As versions before 0.3 wrote them."""
    deliver(delivery)
    with monkeypatch.context() as before:
        before.setattr(previews, "packed", lambda pixels: None)
        take(store, delivery)
    first, files = shown(store), files_of(store)
    assert verify(store, films=True).broken == []
    assert take(store, delivery).mended == [] and files_of(store) == files
    assert same(shown(store), first)
    for image in image_ids(store):
        path = preview_path(store.folder, image)
        plain = path.stat().st_size
        path.unlink()
        (mended,) = take(store, delivery).mended
        assert mended["was"] == "the preview is missing"
        assert path.stat().st_size < 0.6 * plain
    assert verify(store, films=True).broken == []
    assert same(shown(store), first)
