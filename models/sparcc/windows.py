"""The part of a stack that a network has to look at: what lies far from the spine costs time alone."""

from __future__ import annotations

import numpy as np

Window = tuple[slice, slice]  # rows, columns


def window_around(mask: np.ndarray, margin: int, step: int) -> Window:
    """Rows and columns of a picture around what is set in a mask; the whole picture where nothing is.

    With at least ``margin`` pixels more to each side as far as the picture goes. Starts and stops are
    multiples of ``step``, as the coarser levels of a network count pixels in steps.

    mask (rows, columns): both multiples of ``step``.
    """
    if not mask.any():
        return slice(0, mask.shape[0]), slice(0, mask.shape[1])
    edges = []
    for axis, length in enumerate(mask.shape):
        at = np.flatnonzero(mask.any(axis=1 - axis))
        start = max(int(at[0]) - margin, 0) // step * step
        stop = min(-(-(int(at[-1]) + 1 + margin) // step) * step, length)
        edges.append(slice(start, stop))
    return edges[0], edges[1]
