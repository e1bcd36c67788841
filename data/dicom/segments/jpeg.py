"""What in a JPEG or JPEG-LS code stream (ISO 10918-1, 14495-1) is no picture, wherever it stands."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

Blank = tuple[int, int, bytes]

_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xF8})  # Huffman, quantisation, LSE ...
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})
_ALONE = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})  # markers without a segment
_SCAN, _END = 0xDA, 0xD9
_NEXT_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")  # within a scan, other bytes follow FF only as data
_LETTERS = re.compile(rb"[A-Za-z]{2}")
_JFIF, _ADOBE, _HP = 14, 12, 5  # bytes of the segments that say how colours are coded


def blanks(stream: bytes) -> Iterator[Blank]:
    """(first byte, last + 1, filling) of all segments of text, and of what lies between and behind."""
    at = 2
    while at + 2 <= len(stream):
        if stream[at] != 0xFF:  # no segment
            found = _NEXT_MARKER.search(stream, at)
            yield from _blank(stream, at, found.start() if found else len(stream), b"\0")
            at = found.start() if found else len(stream)
            continue
        marker = stream[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == _END:
            yield from _blank(stream, at + 2, len(stream), b"\0")
            return
        elif marker in _ALONE:
            at += 2
        else:
            end = _end_of_segment(stream, at)
            if end is None:
                return
            if marker not in _TABLES | _FRAMES | {_SCAN}:
                yield from _of_text(stream, marker, at + 4, end)
            at = _end_of_scan(stream, end) if marker == _SCAN else end


def precision(stream: bytes) -> int | None:
    """Bits of a sample by the frame header."""
    at = 2
    while at + 5 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker in _FRAMES:
            return stream[at + 4]
        end = at + 2 if marker in _ALONE else at + 1 if marker == 0xFF else _end_of_segment(stream, at)
        if end is None or marker in (_SCAN, _END):
            return None
        at = end
    return None


def _end_of_segment(stream: bytes, at: int) -> int | None:
    if at + 4 > len(stream):
        return None
    (length,) = struct.unpack_from(">H", stream, at + 2)
    return min(at + 2 + length, len(stream)) if length >= 2 else None


def _end_of_scan(stream: bytes, at: int) -> int:
    found = _NEXT_MARKER.search(stream, at)
    return found.start() if found else len(stream)


def _of_text(stream: bytes, marker: int, start: int, end: int) -> Iterator[Blank]:
    """A segment of text or of an application; those that decoders heed keep what these need."""
    kept = start
    if marker == 0xE0 and stream[start : start + 5] == b"JFIF\0" and end - start >= _JFIF:
        kept = start + _JFIF
        if _LETTERS.search(stream, start + 5, kept):
            yield start + 5, kept, b"\1"
    elif marker == 0xEE and stream[start : start + 5] == b"Adobe" and end - start >= _ADOBE:
        kept = start + _ADOBE
        if _LETTERS.search(stream, start + 5, kept - 1):
            yield start + 5, kept - 1, b"\0"
    elif marker == 0xE8 and stream[start : start + 4] == b"mrfx" and end - start >= _HP:
        kept = start + _HP
    yield from _blank(stream, kept, end, b" ")


def _blank(stream: bytes, start: int, end: int, fill: bytes) -> Iterator[Blank]:
    if stream[start:end].strip(fill):
        yield start, end, fill
