"""The pixel data of the stored film: the delivered ones, without anything that is not the picture.

Old films keep overlays (drawn letters too) in bits of the words that the picture does not use, some programs
append text, and compressed frames have places for comments. The picture itself stays bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import UID, ExplicitVRLittleEndian

from data.dicom.decoders import decoder_of
from data.dicom.picture.stored_bits import StoredBits, stored_bits
from data.dicom.read import DicomFile, Refusal, whole_number
from data.dicom.segments.encapsulated import clean_code_streams, frames_of, precision_of

OVERLAY = "bits outside the picture (an old style overlay, perhaps text) were removed"
BEHIND = "bytes behind the picture were removed"
_AT_A_TIME = 1 << 26  # words whose unused bits are looked at in one go


@dataclass
class StoredPixels:
    """What is stored as pixel data, how it is encoded, and what was removed."""

    content: bytes
    syntax: UID
    warnings: list[str] = field(default_factory=list)


def stored_pixels(
    file: DicomFile, encoded: bytes, decoded: Callable[[bytes], str], picture: str
) -> StoredPixels:
    """The pixel data to store; ``encoded`` itself where it holds nothing but the picture.

    decoded: the hash of the frames that pixel data decode to. picture: that of the delivered ones.
    Raises Refusal where the picture cannot be told from what is not.
    """
    if file.is_native:
        return _native(file, encoded, decoded, picture)
    if _may_have_more_bits(file, encoded):
        plain = _uncompressed_without_bits(file)
        if plain is not None:
            file.dataset["PixelData"].VR = "OW"
            return StoredPixels(plain, UID(ExplicitVRLittleEndian), [OVERLAY])
    rows, columns = (whole_number(file.dataset.get(name)) or 0 for name in ("Rows", "Columns"))
    content = clean_code_streams(
        encoded, str(file.transfer_syntax), frames=file.frame_count, pixels_a_frame=rows * columns
    )
    if content is not encoded and decoded(content) != picture:
        raise Refusal("its compressed picture holds text that cannot be taken out; export it uncompressed")
    return StoredPixels(content, file.transfer_syntax)


def _native(file: DicomFile, encoded: bytes, decoded: Callable[[bytes], str], picture: str) -> StoredPixels:
    content, warnings = encoded, []
    expected = _expected(file, len(encoded))
    if len(encoded) > expected:
        content = encoded[:expected]
        if encoded[expected:].strip(b"\0"):
            warnings.append(BEHIND)
    cleared = _without_unused_bits(file, content)
    if cleared is not None and decoded(_even(cleared)) == picture:  # else the picture uses these bits
        content = cleared
        warnings.append(OVERLAY)
    content = _even(content)
    return StoredPixels(encoded if content == encoded else content, file.transfer_syntax, warnings)


def _even(content: bytes) -> bytes:
    return content + b"\0" * (len(content) % 2)


def _expected(file: DicomFile, found: int) -> int:
    """Bytes of the picture; YBR of full length is found under the name of the halved one."""
    expected = get_expected_length(file.dataset)
    if str(file.dataset.get("PhotometricInterpretation", "")) == "YBR_FULL_422":
        full = expected // 2 * 3
        return full if found >= full else expected
    return expected


def _bits(file: DicomFile) -> StoredBits | None:
    """Where the picture lies in a word; None where every bit is the picture, or words are of another kind."""
    bits = stored_bits(file.dataset)
    if bits is None or bits.allocated not in (8, 16, 32) or bits.stored == bits.allocated:
        return None
    return bits


def _without_unused_bits(file: DicomFile, content: bytes) -> bytes | None:
    """The same words with the other bits cleared, the sign carried on; None where nothing changes."""
    bits = _bits(file)
    if bits is None:
        return None
    order = "<" if file.transfer_syntax.is_little_endian else ">"
    kind = np.dtype(f"{order}{'i' if bits.is_signed else 'u'}{bits.allocated // 8}")
    words = np.frombuffer(content, kind, len(content) // kind.itemsize)
    changed = None
    for start in range(0, len(words), _AT_A_TIME):
        part = words[start : start + _AT_A_TIME]
        cleared = _cleared(part, bits)
        if not np.array_equal(cleared, part):
            changed = words.copy() if changed is None else changed
            changed[start : start + _AT_A_TIME] = cleared
    return None if changed is None else changed.tobytes() + content[words.nbytes :]


def _cleared(words: np.ndarray, bits: StoredBits) -> np.ndarray:
    """Words with nothing but the picture in them."""
    native = words.astype(words.dtype.newbyteorder("="), copy=False)
    above, below = bits.allocated - 1 - bits.high, bits.high + 1 - bits.stored
    cleared = native
    if above:  # arithmetic for signed words: the sign moves into the freed bits
        cleared = native << above >> above
    return cleared >> below << below if below else cleared


def _may_have_more_bits(file: DicomFile, encoded: bytes) -> bool:
    """Whether compressed words are wider than the picture (in RLE always possible)."""
    bits = _bits(file)
    if bits is None:
        return False
    widths = [precision_of(stream) for stream in frames_of(encoded, file.frame_count)]
    return any(width is None or width > bits.stored for width in widths)


def _uncompressed_without_bits(file: DicomFile) -> bytes | None:
    """The frames as plain words without foreign bits, None where they had none."""
    bits, dataset = _bits(file), file.dataset
    assert bits is not None
    try:
        words = decoder_of(file.transfer_syntax).as_array(dataset, correct_unused_bits=False)[0]
    except Exception:  # what decodes with its bits corrected, but not without, holds none
        return None
    cleared = _cleared(words, bits)
    if np.array_equal(cleared, words):
        return None
    if whole_number(dataset.get("SamplesPerPixel")) != 1 or words.dtype.itemsize * 8 != bits.allocated:
        raise Refusal("its compressed picture has an overlay in unused bits; export it without overlay")
    content = np.ascontiguousarray(cleared.astype(words.dtype.newbyteorder("<"), copy=False)).tobytes()
    return content + b"\0" * (len(content) % 2)
