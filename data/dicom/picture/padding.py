"""Pixels that are no picture: the padding outside of the field, or beside a picture that was turned."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from data.dicom.picture.stored_bits import stored_bits

NEAR = 1 / 16  # of the picture's range by which padding may be darker than all of it and stay as it is


def is_padding(values: np.ndarray, dataset: Dataset) -> np.ndarray | None:
    """True where a stored value is padding (PS3.3, C.7.5.1.1.2); None where none is, or all are."""
    limits = _limits(dataset)
    if limits is None:
        return None
    mask: np.ndarray = (values >= limits[0]) & (values <= limits[1])
    return mask if mask.any() and not mask.all() else None


def _limits(dataset: Dataset) -> tuple[int, int] | None:
    value, other = (dataset.get(keyword) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"))
    bits = stored_bits(dataset)
    if bits is None or not isinstance(value, int):
        return None
    ends = (value, other if isinstance(other, int) else value)
    low, high = sorted(_as_stored(end, bits.allocated, is_signed=bits.is_signed) for end in ends)
    return low, high


def _as_stored(value: int, allocated: int, *, is_signed: bool) -> int:
    """A value as the words hold it: some files write a signed one as unsigned, or the other way round."""
    if is_signed and value >= 1 << (allocated - 1):
        return value - (1 << allocated)
    if not is_signed and value < 0:
        return value + (1 << allocated)
    return value


def darken(values: np.ndarray, padding: np.ndarray, *, is_inverted: bool) -> np.ndarray:
    """Values in which padding is as dark as the darkest of the picture, so that it is background.

    is_inverted: a low value is bright. The same array where padding is that already, or a little darker.
    """
    inside, filled = values[~padding], values[padding]
    low, high = inside.min(), inside.max()
    darkest = high if is_inverted else low
    darker_by = [float(value) - float(darkest) for value in (filled.min(), filled.max())]
    darker_by = sorted(step if is_inverted else -step for step in darker_by)
    if darker_by[0] >= 0 and darker_by[1] <= NEAR * (float(high) - float(low)):
        return values
    return np.where(padding, darkest, values)
