"""The values of a picture out of the words that hold them: shown as the same picture stored plainly is."""

import io

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.dicom.picture.stored_bits import stored_bits
from data.dicom.pixel_values import to_picture
from data.dicom.read import Refusal, decode_frames, quiet, read_dicom
from tests.helpers.small_films import as_bytes, film


def smooth(top: int, *, rows: int = 24, columns: int = 60) -> np.ndarray:
    """A picture as films are: neighbours are alike, with a little noise; from 0 to top."""
    across = np.linspace(0, 3 * np.pi, columns)
    down = np.linspace(0, np.pi, rows)[:, None]
    noise = np.random.default_rng(1).normal(0, 0.01, (rows, columns))
    bright = (1 + np.sin(across + down)) / 2 + noise
    return np.rint(np.clip(bright, 0, 1) * top).astype(np.int64)


def stored(words: np.ndarray, *, bits: int, high: int, signed: bool = False, **tags) -> pydicom.FileDataset:
    allocated = 8 if words.dtype.itemsize == 1 else 16
    kind = np.dtype(f"{'i' if signed else 'u'}{allocated // 8}")
    return film(words.astype(kind), bits=bits, HighBit=high, PixelSpacing=None, **tags)


def seen(dataset):
    with quiet():
        file = read_dicom(io.BytesIO(as_bytes(dataset)))
        return to_picture(next(decode_frames(file)), file.dataset), file


@st.composite
def pictures(draw):
    """Values of some bits, where they lie in the word, and how the header calls them."""
    allocated = draw(st.sampled_from([8, 16]))
    signed = draw(st.booleans())
    bits = draw(st.integers(2, allocated))
    high = draw(st.integers(bits - 1, allocated - 1))
    least = -(1 << bits - 1) if signed else 0
    rows, columns = draw(st.integers(2, 5)), draw(st.integers(2, 6))
    values = draw(
        st.lists(
            st.integers(least, least + (1 << bits) - 1), min_size=rows * columns, max_size=rows * columns
        )
    )
    array = np.array(values, np.int64).reshape(rows, columns)
    return array, allocated, bits, high, signed, draw(st.sampled_from(["MONOCHROME1", "MONOCHROME2"]))


@settings(max_examples=120, deadline=None)
@given(pictures(), st.sampled_from(["plain", "big endian", "RLE"]))
def test_a_picture_is_the_same_wherever_its_bits_lie(drawn, encoding):
    values, allocated, bits, high, signed, photometric = drawn
    words = (values << (high + 1 - bits)).astype(f"{'i' if signed else 'u'}{allocated // 8}")
    dataset = stored(words, bits=bits, high=high, signed=signed, PhotometricInterpretation=photometric)
    if encoding == "big endian":
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
        dataset.PixelData = words.astype(words.dtype.newbyteorder(">")).tobytes() + b"\0" * (words.nbytes % 2)
    elif encoding == "RLE":
        dataset.BitsStored = allocated  # pydicom would encode no more bytes than those need
        dataset.compress(pydicom.uid.RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
        dataset.BitsStored = bits
    grey = values + (1 << bits - 1 if signed else 0)
    expected = grey if photometric == "MONOCHROME2" else (1 << bits) - 1 - grey
    picture, file = seen(dataset)
    assert np.array_equal(picture.pixels, expected)
    back = picture.slope * (picture.sign * picture.pixels.astype(float) + picture.offset) + picture.intercept
    assert np.array_equal(back, values)
    assert any("upper bits" in warning for warning in file.warnings) is (high >= bits)


@pytest.mark.parametrize("signed", [False, True])
def test_values_that_do_not_lie_where_the_header_says_are_refused(signed):
    """Twelve bits at the bottom, called the upper ones: moving them down would cut the picture."""
    values = smooth(1500) - (700 if signed else 0)
    with pytest.raises(Refusal, match=r"bits 4 to 15 \(BitsStored 12, HighBit 15\).*ask the site"):
        seen(stored(values.astype("i2" if signed else "u2"), bits=12, high=15, signed=signed))


@pytest.mark.parametrize(("high", "allocated"), [(11, 16), (20, 16), (9, 12)])
def test_a_highest_bit_that_leaves_no_room_is_said(high, allocated):
    bits = 16 if high == 11 else 12
    picture, file = seen(stored(smooth(4000).astype("u2"), bits=bits, high=high))
    assert np.array_equal(picture.pixels, smooth(4000))
    assert file.warnings == [
        f"HighBit {high} contradicts BitsStored {bits}; the values were taken from the lowest bits"
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(6, 15), st.booleans(), st.data())
def test_bits_of_an_overlay_are_no_picture(bits, signed, data):
    """Letters in an unused bit, above the picture or below it, with the header's word for it or without."""
    below = data.draw(st.booleans()) and bits < 15
    shift = data.draw(st.integers(1, 15 - bits)) if below else 0
    bit = data.draw(st.integers(0, shift - 1) if below else st.integers(bits, 15))
    letters = np.zeros((24, 60), bool)
    letters[4:20, 6:50:4] = True
    values = smooth((1 << bits) - 1) - (1 << bits - 1 if signed else 0)
    words = (values << shift) & 0xFFFF | letters * (1 << bit)
    dataset = stored(
        words.astype("u2").view("i2" if signed else "u2"), bits=bits, high=bits + shift - 1, signed=signed
    )
    if below or data.draw(st.booleans()):
        dataset.add_new(0x60000102, "US", bit)
    picture, _ = seen(dataset)
    assert np.array_equal(picture.pixels, values + (1 << bits - 1 if signed else 0))


@settings(max_examples=40, deadline=None)
@given(st.integers(4, 14), st.booleans(), st.floats(1.2, 3.9))
def test_a_picture_brighter_than_its_stated_bits_is_refused_and_not_cut(bits, signed, times):
    values = smooth(min(int(times * (1 << bits)), 32767)) - (1 << bits - 1 if signed else 0)
    with pytest.raises(Refusal, match=rf"the header states {bits} \(BitsStored\); ask the site"):
        seen(stored(values.astype("i2" if signed else "u2"), bits=bits, high=bits - 1, signed=signed))


@given(st.integers(6, 13), st.booleans(), st.data())
def test_an_overlay_above_an_empty_bit_is_no_picture(bits, carried_on, data):
    """Also of signed words whose sign is not carried on, as some devices write them."""
    values = smooth((1 << bits) - 1) - (1 << bits - 1)
    place = data.draw(st.integers(bits + 1, 15))
    words = (values if carried_on else values & ((1 << bits) - 1)).astype(np.int16)
    words[5:9, 10:30] ^= np.array(1 << place, np.uint16).astype(np.int16)
    picture, _ = seen(stored(words, bits=bits, high=bits - 1, signed=True))
    plain, _ = seen(stored(values.astype(np.int16), bits=bits, high=bits - 1, signed=True))
    assert np.array_equal(picture.pixels, plain.pixels)


def test_the_same_high_bits_everywhere_change_nothing():
    picture, _ = seen(stored((smooth(4095) | 0xA000).astype("u2"), bits=12, high=11))
    assert np.array_equal(picture.pixels, smooth(4095))


def test_the_mask_holds_the_bits_of_the_picture():
    bits = stored_bits(stored(smooth(4095).astype("u2"), bits=12, high=15))
    assert (bits.shift, bits.mask, bits.limits) == (4, 0xFFF0, (0, 4095))


def test_one_bit_a_pixel_is_black_and_white():
    picture = np.random.default_rng(3).integers(0, 2, (16, 24)).astype(np.uint8)
    dataset = film(picture, BitsAllocated=1, BitsStored=1, HighBit=0)
    dataset.PixelData = np.packbits(picture, axis=None, bitorder="little").tobytes()
    assert np.array_equal(seen(dataset)[0].pixels, picture)


# -- more pictures than the header says ----------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["plain", "RLE", "JPEG-LS", "JPEG 2000"])
@pytest.mark.parametrize("frames", [None, 1, 2])
def test_pictures_behind_the_stated_ones_are_refused(encoding, frames):
    held = 2 if frames is None else frames + 1
    dataset = film(
        np.stack([smooth(4000 - 100 * n, rows=64, columns=64).astype("u2") for n in range(held)]), bits=12
    )
    syntax = {
        "RLE": pydicom.uid.RLELossless,
        "JPEG-LS": pydicom.uid.JPEGLSLossless,
        "JPEG 2000": pydicom.uid.JPEG2000Lossless,
    }.get(encoding)
    if syntax:
        dataset.compress(syntax, generate_instance_uid=False)
    assert len(seen(dataset)[0].pixels) == 64
    dataset.NumberOfFrames = frames
    if frames is None:
        del dataset.NumberOfFrames
    with pytest.raises(Refusal, match=f"holds {held} pictures, but its header says {frames or 1}"):
        seen(dataset)


@pytest.mark.parametrize(("frames", "rows", "columns"), [(1, 3, 5), (5, 3, 5), (40, 5, 7), (3, 8, 8)])
def test_frames_of_single_bits_are_counted_by_bits(frames, rows, columns):
    pictures = np.random.default_rng(4).integers(0, 2, (frames, rows, columns)).astype(np.uint8)
    dataset = film(pictures, BitsAllocated=1, BitsStored=1, HighBit=0)
    dataset.PixelData = np.packbits(pictures, axis=None, bitorder="little").tobytes()
    dataset.PixelData += b"\0" * (len(dataset.PixelData) % 2)
    assert np.array_equal(seen(dataset)[0].pixels, pictures[0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 1), (3, 1, 1), (5, 3, 5)])
def test_the_byte_that_fills_up_is_no_picture(shape):
    pixels = np.random.default_rng(4).integers(0, 256, shape).astype(np.uint8)
    assert np.array_equal(seen(film(pixels))[0].pixels, pixels if len(shape) == 2 else pixels[0])
