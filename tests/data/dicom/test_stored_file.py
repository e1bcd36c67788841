"""The name of a stored film: whole at any length, and another one where a byte was changed."""

import hashlib
import struct

import numpy as np
import pytest

from data.dicom.previews import film_path
from data.dicom.stored_file import image_of, read_back
from data.verify import verify
from tests.helpers.deliveries import image_ids, take
from tests.helpers.paths import SHARED
from tests.helpers.small_films import film, save


def change_last(path):
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


def append(path):
    path.write_bytes(path.read_bytes() + b"MUELLER")


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize("shape", [(99, 99), (3, 3, 3), (7, 5, 3), (64, 64)])
@pytest.mark.parametrize("is_filled_up", [True, False])
def test_a_film_of_any_length_verifies(store, delivery, shape, is_filled_up):
    dataset = film(np.random.default_rng(5).integers(0, 256, shape, np.uint8))
    path = save(dataset, delivery / "a.dcm")
    if not is_filled_up and np.prod(shape) % 2:
        content = bytearray(path.read_bytes()[:-1])
        at = content.rindex(struct.pack("<L", int(np.prod(shape)) + 1))
        content[at : at + 4] = struct.pack("<L", int(np.prod(shape)))
        path.write_bytes(content)
    take(store, delivery)
    assert verify(store, films=True).broken == []
    (image,) = image_ids(store)
    stored = film_path(store.folder, image)
    for damage in (change_last, append, cut):
        whole = stored.read_bytes()
        damage(stored)
        assert "was changed" in verify(store, films=True).broken[0]["reason"]
        stored.write_bytes(whole)


def test_a_film_stored_under_either_digest_of_an_odd_length_is_whole(store, delivery, tmp_path):
    """Without the byte that fills it up, as it was before, and with it."""
    save(film(np.full((9, 9), 200, np.uint8)), delivery / "a.dcm")
    take(store, delivery)
    (image,) = image_ids(store)
    stored = film_path(store.folder, image)
    back = read_back(stored)
    assert back.pixels_length == 82
    content = stored.read_bytes()
    for length in (81, 82):
        digest = hashlib.sha256(content[back.pixels_at : back.pixels_at + length]).digest()
        name = hashlib.sha256(content[: back.pixels_at] + digest).hexdigest()
        path = tmp_path / f"{name}.dcm"
        path.write_bytes(content)
        assert image_of(path) == name
    path.write_bytes(content[:-1] + b"\1")
    assert image_of(path) != name


@pytest.mark.real
def test_the_film_that_raised_a_false_alarm_verifies(store):
    path = SHARED / "cases" / "hardening" / "odd_length_pixels_false_tamper_alarm.dcm"
    if not path.is_file():
        pytest.skip("the film that raised the alarm is not at hand")
    take(store, path)
    assert verify(store, films=True).broken == []
