"""Ways in which a file can be damaged: pure functions of a random generator and bytes."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

Mutation = Callable[[random.Random, bytes], bytes]

NUMBERS = (0, 1, 2, 3, 7, 8, 12, 13, 15, 16, 17, 31, 32, 63, 64, 65, 127, 255, 256, 1000, 32767, 32768, 65535)
WORDS = (
    b"inf",
    b"nan",
    b"-1",
    b"1e308",
    b"9" * 20,
    b"",
    b"\\",
    b"a\\b\\c",
    b"0",
    b"\xff\xfe",
    b"1.5",
)
KINDS = (
    b"SQ",
    b"OB",
    b"OW",
    b"UN",
    b"US",
    b"FD",
    b"DS",
    b"IS",
    b"UI",
    b"PN",
    b"LO",
    b"UT",
    b"AT",
    b"XX",
    b"\0\0",
)
SYNTAXES = (
    b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.2",
    b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.51", b"1.2.840.10008.1.2.4.57",
    b"1.2.840.10008.1.2.4.70", b"1.2.840.10008.1.2.4.80", b"1.2.840.10008.1.2.4.81",
    b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.4.91", b"1.2.840.10008.1.2.4.201",
    b"1.2.840.10008.1.2.4.100", b"1.2.840.10008.1.2.5", b"1.2.3.4", b"",
)  # fmt: skip
HEADER = (
    0x0002,
    0x0003,
    0x0004,
    0x0006,
    0x0008,
    0x0010,
    0x0011,
    0x0100,
    0x0101,
    0x0102,
    0x0103,
)  # group 0028


def flip_bits(dice: random.Random, data: bytes) -> bytes:
    """A few bits anywhere, or many."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5, 30, 200))):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def flip_start(dice: random.Random, data: bytes) -> bytes:
    """Bits near the beginning, where headers are."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 2, 8))):
        changed[dice.randrange(min(len(changed), 1200))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def cut(dice: random.Random, data: bytes) -> bytes:
    """The end is missing."""
    return data[: dice.choice((dice.randrange(len(data)), len(data) - dice.randrange(1, 20)))]


def drop(dice: random.Random, data: bytes) -> bytes:
    """A part in the middle is missing."""
    at = dice.randrange(len(data))
    return data[:at] + data[at + dice.choice((1, 2, 4, 100, 1000)) :]


def repeat(dice: random.Random, data: bytes) -> bytes:
    """A part stands there twice."""
    at, length = dice.randrange(len(data)), dice.choice((1, 2, 8, 128, 2000))
    return data[: at + length] + data[at : at + length] + data[at + length :]


def overwrite(dice: random.Random, data: bytes) -> bytes:
    """A part is noise, zeros or ones."""
    at, length = dice.randrange(len(data)), dice.choice((1, 2, 4, 16, 256))
    noise = dice.choice((dice.randbytes(length), b"\0" * length, b"\xff" * length))
    return data[:at] + noise + data[at + length :]


def number(dice: random.Random, data: bytes) -> bytes:
    """Two or four bytes anywhere become a number at the edge of something."""
    at = dice.randrange(max(1, len(data) - 4))
    value, order = dice.choice(NUMBERS), dice.choice("<>")
    part = dice.choice(
        (struct.pack(order + "H", value), struct.pack(order + "L", value * dice.choice((1, 65537))))
    )
    return data[:at] + part + data[at + len(part) :]


def splice(dice: random.Random, data: bytes) -> bytes:
    """Two parts change places."""
    first, second = sorted((dice.randrange(len(data)), dice.randrange(len(data))))
    length = dice.choice((2, 4, 8, 60))
    return (
        data[:first] + data[second : second + length] + data[first + length : second]
        + data[first : first + length] + data[second + length :]
    )  # fmt: skip


ANY: tuple[Mutation, ...] = (flip_bits, flip_start, cut, drop, repeat, overwrite, number, splice)


# -- DICOM, as far as its elements are of explicit kind and little endian --


def elements(data: bytes) -> list[tuple[int, int, int]]:
    """(start, start of the value, its end) of the elements at the top, as far as they can be followed."""
    found, at = [], 132
    while at + 8 <= len(data):
        kind = data[at + 4 : at + 6]
        if kind in (b"OB", b"OW", b"SQ", b"UN", b"UT", b"OF", b"UC", b"UR", b"OD", b"OL"):
            length, start = struct.unpack_from("<L", data, at + 8)[0] if at + 12 <= len(data) else 0, at + 12
        else:
            length, start = _length(data, at + 6), at + 8
        end = start + length
        if not kind.isalpha() or end > len(data):
            break
        found.append((at, start, end))
        at = end
    return found


def _length(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def element_length(dice: random.Random, data: bytes) -> bytes:
    """An element says another length than it has."""
    at, start, _ = dice.choice(elements(data) or [(0, 8, 8)])
    width = 4 if start - at == 12 else 2
    value = dice.choice((*NUMBERS, 0xFFFFFFFF, 0xFFFFFFFE, 0x7FFFFFFF)) & (1 << 8 * width) - 1
    return data[: start - width] + value.to_bytes(width, "little") + data[start:]


def element_kind(dice: random.Random, data: bytes) -> bytes:
    """An element is of another kind."""
    at, *_ = dice.choice(elements(data) or [(0, 8, 8)])
    return data[: at + 4] + dice.choice(KINDS) + data[at + 6 :]


def element_tag(dice: random.Random, data: bytes) -> bytes:
    """Two elements have each other's tags."""
    known = elements(data) or [(0, 8, 8)]
    first, second = dice.choice(known)[0], dice.choice(known)[0]
    changed = bytearray(data)
    changed[first : first + 4], changed[second : second + 4] = (
        data[second : second + 4],
        data[first : first + 4],
    )
    return bytes(changed)


def element_value(dice: random.Random, data: bytes) -> bytes:
    """An element has an odd value, of the right length or not."""
    at, start, end = dice.choice(elements(data) or [(0, 8, 8)])
    word = dice.choice(WORDS) * dice.choice((1, 1, 40))
    if dice.random() < 0.5 or start - at != 8:
        word = word[: end - start].ljust(end - start)
        return data[:start] + word + data[end:]
    return data[: at + 6] + struct.pack("<H", len(word) & 0xFFFF) + word + data[end:]


def header(dice: random.Random, data: bytes) -> bytes:
    """Size, depth or number of frames of the picture are others."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2))):
        at = data.find(struct.pack("<HH", 0x28, dice.choice(HEADER)), 132)
        if at > 0 and data[at + 4 : at + 6] == b"US":
            changed[at + 8 : at + 10] = struct.pack("<H", dice.choice(NUMBERS))
        elif at > 0:
            length = _length(data, at + 6)
            changed[at + 8 : at + 8 + length] = dice.choice(WORDS)[:length].ljust(length)
    return bytes(changed)


def syntax(dice: random.Random, data: bytes) -> bytes:
    """The file says another transfer syntax than it has."""
    at = data.find(b"\x02\x00\x10\x00UI")
    if at < 0:
        return data
    length = _length(data, at + 6)
    uid = dice.choice(SYNTAXES)
    uid += b"\0" * (len(uid) % 2)
    return data[: at + 6] + struct.pack("<H", len(uid)) + uid + data[at + 8 + length :]


def nest(dice: random.Random, data: bytes) -> bytes:
    """Sequences inside sequences."""
    known = elements(data)
    at = known[-2][0] if len(known) > 1 else len(data)
    depth = dice.choice((2, 50, 900, 2000))
    opened = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    return data[:at] + opened * depth + closed * dice.choice((depth, depth, 0)) + data[at:]


def picture(dice: random.Random, data: bytes) -> bytes:
    """The pixel data are damaged, the header is whole."""
    at = max(data.rfind(b"\xe0\x7f\x10\x00"), 0)
    return data[:at] + dice.choice(ANY)(dice, data[at:])


DICOM: tuple[Mutation, ...] = (
    *ANY, element_length, element_kind, element_tag, element_value, header, header, syntax, nest, picture,
    picture,
)  # fmt: skip


def mutated(dice: random.Random, data: bytes, kinds: tuple[Mutation, ...]) -> bytes:
    """The content, damaged in one to three ways."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        if len(data) < 2:
            break
        data = dice.choice(kinds)(dice, data)
    return data
