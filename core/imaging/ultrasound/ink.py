"""Letters and lines that the machine draws, known by their ink."""

from __future__ import annotations

import numpy as np

from core.imaging.ultrasound.colours import COLOURED, colour_pixels
from core.imaging.ultrasound.pixels import PIECE, grey_of, patches, strongest_channel

JUMP = 60  # of 255, from the ink of a line or letter to what is beside it
INK = 150  # of 255; what is drawn over the scan is bright
WHITE = 240  # as most of it is; also looked for by itself, as it may touch bright echoes
SHARP = 0.55  # proportion of the edge of a drawn piece with such a jump


def inked(picture: np.ndarray) -> np.ndarray:
    """Thin bright pieces of one ink with sharp edges, and green ones of one shade, which no flow has. Bone is
    as bright, but it fades into what is beside.
    """
    import cv2

    grey = grey_of(picture)
    if picture.ndim == 2:
        return _sharp_pieces(grey, grey > INK) | _sharp_pieces(grey, grey > WHITE)
    ink = strongest_channel(picture)
    coloured = colour_pixels(picture)
    drawn = _sharp_pieces(ink, ~coloured & (ink > INK)) | _sharp_pieces(ink, ~coloured & (ink > WHITE))
    red, green, blue = cv2.split(picture.astype(np.int16))
    drawn |= patches(coloured & (green - np.maximum(red, blue) > COLOURED))
    return drawn


def _sharp_pieces(ink: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Thin pieces of which most of the edge is a jump to less than half, and that are of one brightness."""
    import cv2

    small = np.ones((3, 3), np.uint8)
    hat = cv2.morphologyEx(ink, cv2.MORPH_TOPHAT, np.ones((9, 9), np.uint8))
    thin = (hat > JUMP) & among
    count, labels = cv2.connectedComponents(thin.astype(np.uint8), connectivity=8)
    edge = thin & (cv2.erode(thin.astype(np.uint8), small) == 0)
    sharp = edge & (cv2.erode(ink, small) < 0.4 * ink)
    edges, jumps, sizes = (np.bincount(labels[which], minlength=count) for which in (edge, sharp, thin))
    levels, squares = (
        np.bincount(labels[thin], ink[thin].astype(float) ** power, count) / np.maximum(sizes, 1)
        for power in (1, 2)
    )
    spread = np.sqrt(np.maximum(squares - levels**2, 0))
    is_drawn = (jumps > SHARP * np.maximum(edges, 1)) & (sizes >= PIECE) & (spread < 45)
    is_drawn[0] = False
    drawn: np.ndarray = is_drawn[labels]
    return drawn
