"""What tells a scan that is unlike those that the networks know: its greys, and what they see in it.

The texture of the speckle is left out: it tells another machine (alone, 18% of scans of the second domain),
not another part of the body (docs/synovitis-model.md).
"""

from __future__ import annotations

import cv2
import numpy as np

from models.ood.check import Features, exposure

EMPTY = 8  # of 255, beside the scan


def features_of(pictures: np.ndarray, pooled: np.ndarray) -> list[Features]:
    """Of pictures (n, size, size, 3) as networks see them.

    pooled (n, channels): what a layer makes of each.
    """
    return [
        {
            "exposure": exposure(grey),
            "what the network sees": np.log1p(seen.astype(float)),
        }
        for grey, seen in ((scan_of(picture), seen) for picture, seen in zip(pictures, pooled, strict=True))
    ]


def scan_of(picture: np.ndarray) -> np.ndarray:
    """The scan in a picture without what is empty beside it: grey values in [0, 1], (rows, columns)."""
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    rows, columns = np.nonzero(grey > EMPTY)
    if len(rows) < 2 or np.ptp(rows) < 16 or np.ptp(columns) < 16:
        return np.asarray(grey, np.float32) / 255
    part = grey[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return np.asarray(part, np.float32) / 255
