"""What in a JPEG 2000 code stream (ISO 15444-1 and -15) or JP2 file is no picture."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

Blank = tuple[int, int, bytes]

_NEEDED = frozenset(
    {0x50, 0x51, 0x52, 0x53, 0x55, 0x57, 0x58, 0x59, 0x5C, 0x5D, 0x5E, 0x5F, 0x60, 0x61, 0x63}
    | set(range(0x72, 0x7A))
)
_COMMENT, _TILE_PART, _DATA, _END = 0x64, 0x90, 0x93, 0xD9
_PACKET_START = 0x91
_NEXT_MARKER = re.compile(rb"\xff[\x90-\xff]")  # within tile data, FF is followed by less than 90
_BOXES = frozenset({b"jP  ", b"ftyp", b"jp2c"})
_HEADER_BOXES = frozenset({b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"res "})


def blanks(stream: bytes, start: int = 0, end: int | None = None) -> Iterator[Blank]:
    """(first byte, last + 1, filling) of comments in main and tile-part headers, and of what is behind."""
    end = len(stream) if end is None else end
    at = start + 2
    while at + 2 <= end and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker == _END:
            yield from _blank(stream, at + 2, end, b"\0")
            return
        if marker == _DATA:
            at = _end_of_data(stream, at + 2, end)
        elif 0x30 <= marker <= 0x3F:
            at += 2
        else:
            (length,) = struct.unpack_from(">H", stream, at + 2) if at + 4 <= end else (0,)
            if length < 2:
                return
            last = min(at + 2 + length, end)
            if marker not in _NEEDED and marker != _TILE_PART:
                yield from _blank(stream, at + (6 if marker == _COMMENT else 4), last, b" ")
            at = last


def _end_of_data(stream: bytes, at: int, end: int) -> int:
    """Where the next tile-part, or the end, begins."""
    while found := _NEXT_MARKER.search(stream, at, end):
        marker = stream[found.start() + 1]
        if marker in (_TILE_PART, _END):
            return found.start()
        at = found.start() + (6 if marker == _PACKET_START else 2)
    return end


def blanks_in_boxes(
    stream: bytes, start: int = 0, end: int | None = None, *, header: bool = False
) -> Iterator[Blank]:
    """The same for a JP2 file: boxes of text, of a maker or with an identifier, and what is behind."""
    end = len(stream) if end is None else end
    at = start
    while at + 8 <= end:
        length, kind = struct.unpack_from(">L4s", stream, at)
        body = at + 8
        if length == 1 and at + 16 <= end:
            (length,) = struct.unpack_from(">Q", stream, body)
            body += 8
        last = min(at + length, end) if length else end
        if last < body:
            break
        if kind == b"jp2c":
            yield from blanks(stream, body, last)
        elif kind == b"jp2h":
            yield from blanks_in_boxes(stream, body, last, header=True)
        elif kind not in (_HEADER_BOXES if header else _BOXES):
            yield from _blank(stream, body, last, b" ")
        elif kind == b"colr" and stream[body : body + 1] == b"\x02":  # a colour profile, which may hold text
            yield from _blank(stream, body + 3, last, b"\0")
        at = last
    yield from _blank(stream, at, end, b"\0")


def precision(stream: bytes) -> int | None:
    """Bits of a sample by the SIZ segment."""
    at = stream.find(b"\xff\x4f\xff\x51")
    if at < 0 or at + 43 > len(stream):
        return None
    return (stream[at + 42] & 0x7F) + 1


def _blank(stream: bytes, start: int, end: int, fill: bytes) -> Iterator[Blank]:
    if stream[start:end].strip(fill):
        yield start, end, fill
