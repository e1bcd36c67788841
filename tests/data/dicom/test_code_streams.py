"""Compressed pixel data that claim another size than the header are refused before they are decoded."""

import io
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from data.dicom.code_streams import Promised, problem_of
from data.dicom.read import Refusal, read_dicom
from tests.helpers.small_films import as_bytes, film, picture

SIZES = st.integers(1, 65535)


def stream_of(dataset) -> io.BytesIO:
    return io.BytesIO(as_bytes(dataset))


def jpeg(rows: int, columns: int, marker: int = 0xC0, before: bytes = b"") -> bytes:
    frame = struct.pack(">BBHBHHB", 0xFF, marker, 11, 8, rows, columns, 1) + b"\1\x11\0"
    return b"\xff\xd8" + before + frame + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"scan" + b"\xff\xd9"


def jpeg_ls_extended(rows: int, columns: int) -> bytes:
    size = b"\xff\xf8" + struct.pack(">HBBII", 12, 4, 4, rows, columns)
    return b"\xff\xd8" + size + jpeg(0, 0, 0xF7)[2:]


def jpeg_2000(rows: int, columns: int, left: int = 0, top: int = 0) -> bytes:
    size = struct.pack(">HH4L4LH", 41, 0, columns + left, rows + top, left, top, 9, 9, 0, 0, 1) + b"\x0b\1\1"
    return b"\xff\x4f\xff\x51" + size + b"\xff\x93data\xff\xd9"


def jp2(rows: int, columns: int) -> bytes:
    stream = jpeg_2000(rows, columns)
    boxes = struct.pack(">L4s4s", 12, b"jP  ", b"\r\n\x87\n") + struct.pack(">L4s", 12, b"free") + b"none"
    return boxes + struct.pack(">L4s", len(stream) + 8, b"jp2c") + stream


STREAMS = [
    (JPEGBaseline8Bit, jpeg),
    (JPEGLosslessSV1, lambda rows, columns: jpeg(rows, columns, 0xC3)),
    (JPEGLosslessSV1, lambda rows, columns: jpeg(rows, columns, 0xC3, b"\xff\xe0\0\x06JFIF\xff\xff")),
    (JPEGBaseline8Bit, lambda rows, columns: jpeg(rows, columns, 0xDE)),
    (JPEGLSLossless, lambda rows, columns: jpeg(rows, columns, 0xF7)),
    (JPEGLSLossless, jpeg_ls_extended),
    (JPEG2000Lossless, jpeg_2000),
    (JPEG2000Lossless, lambda rows, columns: jpeg_2000(rows, columns, 70_000, 3)),
    (JPEG2000Lossless, jp2),
    (HTJ2K, jpeg_2000),
]


def problem(syntax: UID, frames: list[bytes], rows: int, columns: int, count: int = 0, width: int = 1) -> str:
    promised = Promised(rows, columns, count or len(frames), rows * columns * width)
    return problem_of(encapsulate(frames), syntax, promised)


@pytest.mark.parametrize(("syntax", "stream"), STREAMS)
@given(rows=SIZES, columns=SIZES, other_rows=SIZES, other_columns=SIZES, at=st.integers(0, 2))
def test_every_frame_must_have_the_size_of_the_header(
    syntax, stream, rows, columns, other_rows, other_columns, at
):
    frames = [stream(rows, columns)] * 3
    assert problem(syntax, frames, rows, columns) == ""
    frames[at] = stream(other_rows, other_columns)
    is_same = (rows, columns) == (other_rows, other_columns)
    assert (problem(syntax, frames, rows, columns) == "") == is_same
    if not is_same:
        assert f"is {other_columns} x {other_rows} pixels" in problem(syntax, frames, rows, columns)


@given(content=st.binary(min_size=2, max_size=200), at=st.integers(0, 199))
def test_damaged_streams_never_raise(content, at):
    for _, stream in STREAMS:
        whole = stream(100, 100)
        mixed = whole[: at % len(whole)] + content
        for syntax in (JPEGBaseline8Bit, JPEG2000Lossless, RLELossless):
            assert isinstance(
                problem_of(b"\xfe\xff\0\xe0\0\0\0\0" + mixed, syntax, Promised(9, 9, 1, 81)), str
            )
            assert isinstance(problem(syntax, [mixed], 9, 9), str)


def test_more_frames_than_there_are_is_refused():
    assert "claims 60000000 frames" in problem(RLELossless, [b"\1"], 64, 64, 60_000_000)
    assert problem(JPEGBaseline8Bit, [jpeg(9, 9)] * 2, 9, 9, 1) == ""  # a frame may be in pieces


def rle(count: int, places: list[int], length: int) -> bytes:
    return struct.pack("<16L", count, *places, *[0] * (15 - len(places))) + b"\0" * length


@pytest.mark.parametrize(
    ("frame", "rows"),
    [
        (rle(1, [64], 300), 60_000),  # a giant of a few bytes
        (rle(2, [64, 9000], 300), 10),  # a segment behind the end: the decoder panics
        (rle(2, [200, 64], 300), 10),
        (rle(2, [0, 64], 300), 10),
        (rle(0, [], 300), 10),
        (rle(16, [64], 300), 10),
        (b"\1\0\0\0", 10),
    ],
)
def test_rle_that_cannot_hold_the_picture_is_refused(frame, rows):
    assert "cannot be decoded as RLE" in problem(RLELossless, [frame], rows, 10)


def test_good_rle_passes():
    assert problem(RLELossless, [rle(2, [64, 66], 300)] * 2, 10, 10, width=2) == ""


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_real_code_streams_pass(syntax):
    dataset = film(picture(3, rows=40, columns=56), bits=12)
    dataset.compress(syntax, generate_instance_uid=False)
    assert read_dicom(stream_of(dataset)).transfer_syntax == syntax


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_real_code_streams_under_another_header_are_refused(syntax):
    dataset = film(picture(3, rows=40, columns=56), bits=12)
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.Rows = 41
    with pytest.raises(Refusal, match=r"the compressed picture is 56 x 40 pixels, its header says 56 x 41"):
        read_dicom(stream_of(dataset))


@pytest.mark.parametrize(
    ("modality", "frames", "taken"), [("DX", 1, True), ("DX", 9, False), ("US", 9, True), ("", 9, False)]
)
def test_how_large_a_picture_may_be_depends_on_its_kind(modality, frames, taken):
    dataset = film(np.zeros((1, 1), np.uint16), Modality=modality)
    dataset.Rows = dataset.Columns = 4500
    dataset.NumberOfFrames = frames
    stream = stream_of(dataset)
    if taken:
        assert read_dicom(stream).frame_count == frames
    else:
        with pytest.raises(Refusal, match="has at most 256"):
            read_dicom(stream)


def deflated(size: int) -> bytes:
    dataset = film(np.zeros((2000, size // 4000), np.uint16), Modality="US")
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    return as_bytes(dataset)


def test_a_deflated_film_is_read_and_a_deflated_bomb_is_not():
    assert read_dicom(io.BytesIO(deflated(1 << 20))).frame_count == 1
    bomb = deflated(100 << 20)
    tracemalloc.start()
    with pytest.raises(Refusal, match="more than any film holds"):
        read_dicom(io.BytesIO(bomb))
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()
