"""Compressed pixel data without what is no picture: comments, camera data, text behind the end.

Blanked where it stands, so that lengths, offsets and the picture stay as they are: JPEG and JPEG-LS
(``jpeg``), JPEG 2000 (``jpeg2000``), RLE (``rle``). What lies between and behind
the items of the encapsulation is left out, and so is an offset table that cannot be one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from data.dicom.segments import jpeg, jpeg2000, rle

_ITEM = b"\xfe\xff\x00\xe0"
_STARTS = (b"\xff\xd8", b"\xff\x4f", b"\x00\x00\x00\x0cjP  ")
Blank = tuple[int, int, bytes]  # first byte, last + 1, what to fill it with

RLE = "1.2.840.10008.1.2.5"


def clean_code_streams(pixels: bytes, syntax: str, *, frames: int, pixels_a_frame: int) -> bytes:
    """The encapsulated pixel data with everything blanked that no decoder needs; the same object where
    nothing is.

    pixels_a_frame: rows times columns.
    """
    table, fragments = _fragments(pixels)
    changed = bytearray(pixels)
    for parts in _frames(pixels, table, fragments, frames):
        content = b"".join(pixels[start:end] for start, end in parts)
        for start, end, fill in _blanks(content, syntax, pixels_a_frame):
            _fill(changed, parts, start, end, fill)
    cleaned = bytes(changed[: fragments[-1][1]]) if fragments else b""
    if table is not None and not _is_offset_table(pixels[slice(*table)], len(pixels)):
        cleaned = _ITEM + b"\0\0\0\0" + cleaned[table[1] :]
    return pixels if cleaned == pixels else cleaned


def frames_of(pixels: bytes, frames: int) -> list[bytes]:
    """The code stream of each frame."""
    table, fragments = _fragments(pixels)
    found = _frames(pixels, table, fragments, frames)
    return [b"".join(pixels[start:end] for start, end in parts) for parts in found]


def precision_of(stream: bytes) -> int | None:
    """Bits of a sample as the code stream says; None where it does not (RLE)."""
    if stream[:2] == b"\xff\xd8":
        return jpeg.precision(stream)
    if stream[:2] == b"\xff\x4f" or stream[:8] == _STARTS[2]:
        return jpeg2000.precision(stream)
    return None


def _blanks(content: bytes, syntax: str, pixels_a_frame: int) -> Iterator[Blank]:
    if syntax == RLE:
        return rle.blanks(content, pixels_a_frame)
    if content[:2] == b"\xff\xd8":
        return jpeg.blanks(content)
    if content[:2] == b"\xff\x4f":
        return jpeg2000.blanks(content)
    if content[:8] == _STARTS[2]:
        return jpeg2000.blanks_in_boxes(content)
    return iter(())


def _fragments(pixels: bytes) -> tuple[tuple[int, int] | None, list[tuple[int, int]]]:
    """The offset table and the fragments behind it, each as (first byte, last + 1)."""
    found: list[tuple[int, int]] = []
    at = 0
    while pixels[at : at + 4] == _ITEM and at + 8 <= len(pixels):
        (length,) = struct.unpack_from("<L", pixels, at + 4)
        found.append((at + 8, min(at + 8 + length, len(pixels))))
        at += 8 + length
    return (found[0] if found else None), found[1:]


def _frames(
    pixels: bytes, table: tuple[int, int] | None, fragments: list[tuple[int, int]], frames: int
) -> list[list[tuple[int, int]]]:
    """The fragments of each frame."""
    if len(fragments) == frames:
        return [[fragment] for fragment in fragments]
    if frames == 1:
        return [fragments]
    offsets: set[int] = set()
    if table is not None and table[1] - table[0] == 4 * frames:
        places = struct.unpack(f"<{frames}L", pixels[slice(*table)])
        offsets = {table[1] + place + 8 for place in places}
    grouped: list[list[tuple[int, int]]] = []
    for start, end in fragments:
        begins = start in offsets if offsets else pixels[start : start + 8].startswith(_STARTS)
        if begins or not grouped:
            grouped.append([])
        grouped[-1].append((start, end))
    return grouped


def _is_offset_table(table: bytes, size: int) -> bool:
    """Whether every entry is a place within the pixel data."""
    if len(table) % 4:
        return False
    return all(place < size for (place,) in struct.iter_unpack("<L", table))


def _fill(changed: bytearray, parts: list[tuple[int, int]], start: int, end: int, fill: bytes) -> None:
    """Write over a stretch of a frame, wherever its fragments lie."""
    before = 0
    for first, last in parts:
        low, high = max(start - before, 0), min(end - before, last - first)
        if low < high:
            changed[first + low : first + high] = fill * (high - low)
        before += last - first
