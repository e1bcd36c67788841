"""What in an RLE frame (PS3.5 annex G) is no picture: bytes that its segments do not need."""

from __future__ import annotations

import struct
from collections.abc import Iterator

Blank = tuple[int, int, bytes]

HEADER = 64
_NO_OPERATION = b"\x80"  # a decoder passes over it


def blanks(stream: bytes, pixels: int) -> Iterator[Blank]:
    """(first byte, last + 1, filling) between the header and the segments, and behind each segment.

    pixels: of one frame; every segment holds one byte of each.
    """
    if len(stream) < HEADER:
        return
    count, *offsets = struct.unpack_from("<16L", stream)
    starts = offsets[:count]
    if count > 15 or not starts or sorted(starts) != starts or starts[-1] > len(stream) or starts[0] < HEADER:
        return
    yield from _blank(stream, 4 + 4 * count, HEADER, b"\0")
    yield from _blank(stream, HEADER, starts[0], b"\0")
    for start, end in zip(starts, [*starts[1:], len(stream)], strict=True):
        used = _end_of_packets(stream, start, end, pixels)
        if stream[used:end].strip(b"\0") or end - used > 1:
            yield from _blank(stream, used, end, _NO_OPERATION)


def _end_of_packets(stream: bytes, at: int, end: int, wanted: int) -> int:
    """Where the packets end that make ``wanted`` bytes."""
    made = 0
    while made < wanted and at < end:
        control = stream[at]
        if control < 128:
            at += control + 2
            made += control + 1
        elif control > 128:
            at += 2
            made += 257 - control
        else:
            at += 1
    return min(at, end)


def _blank(stream: bytes, start: int, end: int, fill: bytes) -> Iterator[Blank]:
    if stream[start:end].strip(fill):
        yield start, end, fill
