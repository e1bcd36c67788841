"""Which bits of a stored word are the picture, and the picture's values taken out of them (PS3.5, 8.1.1).

A word of BitsAllocated bits holds BitsStored of them, the highest of which is HighBit; mostly they lie at the
bottom. What stands in the other bits is no picture: zeros, the sign carried on, or an old style overlay.
A header that says less than the words hold would cut the picture; such a film is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

ROW_STEP = 4  # of the rows that are compared with their neighbours


class BitsContradicted(Exception):
    """The words hold something else than the header says; the text names both."""


@dataclass(frozen=True)
class StoredBits:
    """Where a picture's bits lie in a word.

    high: the highest of them, counted from 0. has_overlay: the header says that the others hold an overlay.
    """

    allocated: int
    stored: int
    high: int
    is_signed: bool = False
    has_overlay: bool = False

    @property
    def shift(self) -> int:
        """Bits below those of the picture."""
        return self.high + 1 - self.stored

    @property
    def mask(self) -> int:
        """A word in which the bits of the picture are set."""
        return ((1 << self.stored) - 1) << self.shift

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest value that a picture of these bits can have."""
        half = 1 << (self.stored - 1)
        return (-half, half - 1) if self.is_signed else (0, (1 << self.stored) - 1)


def stored_bits(dataset: Dataset) -> StoredBits | None:
    """What the header says; None where it does not say how many bits there are, or has them in no word.

    A highest bit that leaves no room for the bits stored is passed over (``high_bit_warning`` says so).
    """
    allocated, stored = _whole(dataset, "BitsAllocated"), _whole(dataset, "BitsStored")
    if not allocated or not stored or stored > allocated:
        return None
    high = _whole(dataset, "HighBit")
    if high is None or not stored - 1 <= high < allocated:
        high = stored - 1
    return StoredBits(
        allocated,
        stored,
        high,
        _whole(dataset, "PixelRepresentation") == 1,
        _has_overlay(dataset, high + 1 - stored, high),
    )


def high_bit_warning(dataset: Dataset) -> str:
    """What to say of a highest bit that leaves no room for the bits stored; ``""`` where it does."""
    bits, high = stored_bits(dataset), _whole(dataset, "HighBit")
    if bits is None or high is None or high == bits.high:
        return ""
    return f"HighBit {high} contradicts BitsStored {bits.stored}; the values were taken from the lowest bits"


def picture_values(words: np.ndarray, bits: StoredBits, *, is_as_coded: bool) -> np.ndarray:
    """The values of the picture, within ``bits.limits``; the same array where it holds them already.

    words: whole numbers as they were decoded. is_as_coded: they come from a code stream with a precision of
    its own (JPEG in all its kinds), whose values may lie at the bottom whatever the header says.
    Raises BitsContradicted where the picture would be cut.
    """
    if words.dtype.kind not in "iu" or not words.size:
        return words
    values = _moved_down(words, bits, is_as_coded=is_as_coded) if bits.shift else words
    if _fits(values, bits):
        return values
    cut = _cut(values, bits)
    if not bits.has_overlay and _goes_on(values, bits) and _roughness(values) < _roughness(cut):
        least, greatest = int(values.min()), int(values.max())
        needed = max(greatest, -least - 1).bit_length() + bits.is_signed
        raise BitsContradicted(
            f"the values of the picture need {needed} bits, but the header states {bits.stored} (BitsStored)"
        )
    return cut


def _moved_down(words: np.ndarray, bits: StoredBits, *, is_as_coded: bool) -> np.ndarray:
    """The words without the bits below the picture."""
    if bits.has_overlay or not (np.bitwise_or.reduce(words, axis=None) & ((1 << bits.shift) - 1)):
        return words >> bits.shift
    if is_as_coded and _fits(words, bits):
        return words
    raise BitsContradicted(
        f"the header states that the values lie in bits {bits.shift} to {bits.high} (BitsStored "
        f"{bits.stored}, HighBit {bits.high}), but the bits below are not empty"
    )


def _goes_on(values: np.ndarray, bits: StoredBits) -> bool:
    """Whether the bit above the picture is used as one more bit of it.

    It is not where it is empty or, in signed values, always the sign: then what stands higher is an overlay.
    """
    above = (values >> bits.stored) & 1
    return bool(above.any()) and not (
        bits.is_signed and np.array_equal(above, (values >> bits.stored - 1) & 1)
    )


def _fits(values: np.ndarray, bits: StoredBits) -> bool:
    low, high = bits.limits
    return int(values.min()) >= low and int(values.max()) <= high


def _cut(values: np.ndarray, bits: StoredBits) -> np.ndarray:
    """The lowest ``bits.stored`` bits; of signed values the sign is carried on."""
    free = 8 * values.dtype.itemsize - bits.stored
    cut: np.ndarray = values << free >> free
    return cut


def _roughness(values: np.ndarray) -> float:
    """Mean difference of neighbours: low where all bits belong to one picture.

    A picture that was cut jumps where its values pass the highest one; a foreign bit, such as that of a
    letter of an overlay, jumps where it is not cut off.
    """
    rows = values[..., ::ROW_STEP, :].astype(np.int64)
    return float(np.abs(np.diff(rows, axis=-1)).mean()) if rows.shape[-1] > 1 else 0.0


def _has_overlay(dataset: Dataset, low: int, high: int) -> bool:
    """Whether an overlay is declared in a bit outside of the picture (0060,0102 of groups 6000 to 601E)."""
    for group in range(0x6000, 0x6020, 2):
        element = dataset.get((group, 0x0102))
        place = None if element is None else _number(element.value)
        if place is not None and (place > high or place < low) and (group, 0x3000) not in dataset:
            return True
    return False


def _whole(dataset: Dataset, keyword: str) -> int | None:
    return _number(dataset.get(keyword))


def _number(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
