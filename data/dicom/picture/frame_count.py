"""Pixel data that hold more pictures than the header says, so that none is lost in silence."""

from __future__ import annotations

from pydicom.encaps import generate_fragments
from pydicom.uid import UID, RLELossless

_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")  # of a JPEG or JPEG-LS, and of a JPEG 2000 code stream


def more_pictures_than(frames: int, pixels: bytes, expected: int | None, syntax: UID) -> int:
    """The number of pictures in the pixel data if it is greater than ``frames``, else 0.

    expected: bytes of that many uncompressed frames (those of single bits follow on each other without a
    gap), None where the header does not say.
    """
    if syntax.is_encapsulated:
        found = _code_streams(pixels, syntax)
    elif expected:
        found = (len(pixels) - expected % 2) * frames // expected
    else:
        found = 0
    return found if found > frames else 0


def _code_streams(pixels: bytes, syntax: UID) -> int:
    """Fragments that begin a picture; damaged ones are left for the decoder to refuse."""
    try:
        _offsets, *fragments = generate_fragments(pixels)
    except Exception:  # what is damaged fails in many ways
        return 0
    return sum(syntax == RLELossless or fragment.startswith(_STARTS) for fragment in fragments)
