"""What compressed pixel data say of their own size, compared with the header before they are decoded.

A code stream of a few kilobytes may claim a picture of gigabytes. A decoder believes it; the header of the
file, which was checked, says what the picture can be.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.uid import UID, RLELossless

MAX_COMPONENTS = 4
RLE_HEADER, RLE_RATIO = 64, 64  # bytes; two bytes of RLE stand for at most 128
_ITEM = b"\xfe\xff\x00\xe0"
_JPEG_SIZES = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})  # SOF of JPEG, JPEG-LS
_JPEG_HIERARCHY, _JPEG_EXTENSION = 0xDE, 0xF8  # DHP; LSE, which may carry a size too
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_AGAIN = "ask the site to export it again"


@dataclass(frozen=True)
class Promised:
    """What the header says: rows, columns and frames of the picture, and bytes of one frame, decoded."""

    rows: int
    columns: int
    frames: int
    frame_bytes: int


def problem_of(pixels: bytes, syntax: UID, promised: Promised) -> str:
    """Why encapsulated pixel data cannot be the picture that the header promises; ``""`` where they can."""
    fragments = list(_fragments(pixels))
    if promised.frames > max(1, len(fragments)):
        return f"the header claims {promised.frames} frames, the file holds {len(fragments)}; {_AGAIN}"
    if syntax == RLELossless:
        return _problem_of_rle(pixels, fragments, promised)
    for start, end in fragments:
        for rows, columns, components in _sizes(pixels, start, end):
            if (rows, columns) != (promised.rows, promised.columns) or components > MAX_COMPONENTS:
                found = f"{columns} x {rows}" + (f" x {components}" if components > MAX_COMPONENTS else "")
                header = f"{promised.columns} x {promised.rows}"
                return f"the compressed picture is {found} pixels, its header says {header}; {_AGAIN}"
    return ""


def _fragments(pixels: bytes) -> Iterator[tuple[int, int]]:
    """(first byte, last + 1) of each fragment behind the offset table."""
    at = 0
    while pixels[at : at + 4] == _ITEM and at + 8 <= len(pixels):
        (length,) = struct.unpack_from("<L", pixels, at + 4)
        if at:
            yield at + 8, min(at + 8 + length, len(pixels))
        at += 8 + length


def _problem_of_rle(pixels: bytes, fragments: list[tuple[int, int]], promised: Promised) -> str:
    """Frames of RLE are one fragment each: a header with the places of its segments, then the segments."""
    cut = f"the picture is damaged or cut short: it cannot be decoded as RLE; {_AGAIN}"
    held = sum(max(0, end - start - RLE_HEADER) for start, end in fragments)
    if promised.frame_bytes * promised.frames > RLE_RATIO * held:
        return cut
    for start, end in fragments:
        if end - start < RLE_HEADER:
            return cut
        count, *places = struct.unpack_from("<16L", pixels, start)
        used = places[:count]
        inside = all(RLE_HEADER <= place < end - start for place in used)
        if not 1 <= count <= 15 or not inside or used != sorted(used):
            return cut
    return ""


def _sizes(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(rows, columns, components) that the code stream of a fragment claims, each time it does."""
    if data[start : start + 2] == b"\xff\xd8":
        yield from _jpeg_sizes(data, start + 2, end)
    elif data[start : start + 4] == b"\xff\x4f\xff\x51":
        yield from _jpeg_2000_size(data, start + 4, end)
    elif data[start + 4 : start + 8] == b"jP  ":
        yield from _jp2_sizes(data, start, end)


def _jpeg_sizes(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    while at + 4 <= end:
        if data[at] != 0xFF:
            return
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in _WITHOUT_LENGTH:
            at += 2
            continue
        if marker in (_JPEG_SCAN, _JPEG_END):
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        if (marker in _JPEG_SIZES or marker == _JPEG_HIERARCHY) and at + 10 <= end:
            rows, columns, components = struct.unpack_from(">xHHB", data, at + 4)
            if rows:  # 0: it follows behind the scan
                yield rows, columns, components
        elif marker == _JPEG_EXTENSION:
            yield from _extended_size(data, at + 4, min(at + 2 + length, end))
        at += 2 + max(length, 2)


def _extended_size(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The size of a very large JPEG-LS picture: kind 4, bytes of a number, numbers."""
    if end - at >= 2 and data[at] == 4 and end - at >= 2 + 2 * data[at + 1]:
        width = data[at + 1]
        rows, columns = (
            int.from_bytes(data[at + 2 + n * width : at + 2 + (n + 1) * width], "big") for n in (0, 1)
        )
        yield rows, columns, 1


def _jpeg_2000_size(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The SIZ segment: the reference grid, its offset, and the number of components."""
    if at + 38 <= end:
        right, bottom, left, top = struct.unpack_from(">4L", data, at + 4)
        (components,) = struct.unpack_from(">H", data, at + 36)
        yield bottom - top, right - left, components


def _jp2_sizes(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Code streams in the boxes of a JP2 file."""
    while at + 8 <= end:
        length, kind = struct.unpack_from(">L4s", data, at)
        header = 8
        if length == 1 and at + 16 <= end:
            (length,), header = struct.unpack_from(">Q", data, at + 8), 16
        last = end if length == 0 else min(at + length, end)
        if kind == b"jp2c" and data[at + header : at + header + 4] == b"\xff\x4f\xff\x51":
            yield from _jpeg_2000_size(data, at + header + 4, last)
        if length < header and length != 0:
            return
        at = last if last > at else end
