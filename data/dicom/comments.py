"""Comments inside compressed frames: JPEG and JPEG 2000 may carry text and camera data that no header shows.

They are overwritten with spaces where they stand, so that lengths, offsets and the picture stay as they are.
"""

from __future__ import annotations

import struct

_JPEG_TEXT = frozenset({0xFFFE, 0xFFE1, 0xFFED} | {0xFFE0 + n for n in (2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 15)})
_J2K_COMMENT = 0xFF64
_ITEM = b"\xfe\xff\x00\xe0"


def without_comments(pixels: bytes) -> bytes:
    """The encapsulated pixel data with comment and camera segments blanked; the same object where none is."""
    changed: bytearray | None = None
    for start, end in _fragments(pixels):
        for first, last in _text_segments(pixels, start, end):
            changed = changed if changed is not None else bytearray(pixels)
            changed[first:last] = b" " * (last - first)
    return pixels if changed is None else bytes(changed)


def _fragments(pixels: bytes) -> list[tuple[int, int]]:
    """(first byte, last + 1) of each fragment behind the offset table."""
    found: list[tuple[int, int]] = []
    at = 0
    while pixels[at : at + 4] == _ITEM and at + 8 <= len(pixels):
        (length,) = struct.unpack_from("<L", pixels, at + 4)
        found.append((at + 8, min(at + 8 + length, len(pixels))))
        at += 8 + length
    return found[1:]


def _text_segments(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Where text may stand in the header of one JPEG (incl. JPEG-LS) or JPEG 2000 code stream."""
    magic = data[start : start + 2]
    if magic == b"\xff\xd8":
        return _segments(data, start + 2, end, wanted=_JPEG_TEXT, last=0xFFDA)
    if magic == b"\xff\x4f":
        return _segments(data, start + 2, end, wanted=frozenset({_J2K_COMMENT}), last=0xFF90, skip=2)
    return []


def _segments(
    data: bytes, at: int, end: int, *, wanted: frozenset[int], last: int, skip: int = 0
) -> list[tuple[int, int]]:
    """Payloads of the wanted marker segments before the marker ``last``.

    skip: bytes at the start of a payload that say what kind of text follows and stay.
    """
    found = []
    while at + 4 <= end:
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == last or marker < 0xFF01 or length < 2:
            break
        if marker in wanted:
            found.append((min(at + 4 + skip, end), min(at + 2 + length, end)))
        at += 2 + length
    return found
