"""How far a deflated data set would inflate, before anything holds it in memory."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from pydicom.filereader import read_dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

LARGEST = 320 << 20  # bytes of a deflated data set, inflated: the largest film with its header
FREE, LARGEST_RATIO = (
    64 << 20,
    200,
)  # up to so many bytes any ratio is fine; beyond, blank films are the limit
_STEP = 1 << 20
_TOO_FAR = "unpacks to more than any film holds (a bomb of deflated zeros); it was not opened"


class TooFar(Exception):
    """A deflated data set is larger than any film; the text says so to a person."""


def refuse_inflation(stream: BinaryIO) -> None:
    """Raise TooFar where a DICOM file is deflated and inflates too far. The stream stands at its start again.

    Takes no more memory than a step. A file that is damaged or not deflated passes: its reader will tell.
    """
    try:
        if _is_deflated(stream) and _inflates_too_far(stream):
            raise TooFar(_TOO_FAR)
    finally:
        stream.seek(0)


def _is_deflated(stream: BinaryIO) -> bool:
    """Whether the meta header says so; the stream then stands behind that header."""
    stream.seek(0)
    if stream.read(132)[128:] != b"DICM":
        stream.seek(0)
    try:
        meta = read_dataset(stream, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
        return str(meta.get("TransferSyntaxUID", "")) == DeflatedExplicitVRLittleEndian
    except Exception:  # a damaged header can make the parser fail in many ways
        return False


def _inflates_too_far(stream: BinaryIO) -> bool:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    packed, unpacked = 0, 0
    try:
        while not inflater.eof and (block := stream.read(_STEP)):
            packed += len(block)
            while block and not inflater.eof:
                unpacked += len(inflater.decompress(block, _STEP))
                if unpacked > LARGEST or (unpacked > FREE and unpacked > LARGEST_RATIO * packed):
                    return True
                block = inflater.unconsumed_tail
    except zlib.error:
        return False
    return False
