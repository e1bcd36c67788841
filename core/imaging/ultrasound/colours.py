"""Colour-coded flow, told from grey pixels."""

from __future__ import annotations

import numpy as np

COLOURED = 40  # of 255, between the strongest and the weakest channel: more than rounding and JPEG make
BRIGHT = 48  # of 255; from there on the colour of a pixel can be told
TINT = 0.1, 0.7  # saturation of a grey scale that is tinted; flow has more
EVEN = 0.25  # by which the saturation of most pixels differs where a tint, and no flow, makes it


def colour_pixels(colour: np.ndarray) -> np.ndarray:
    """Pixels that are coded by colour, against grey ones: bool (..., rows, columns).

    colour: uint8 (..., rows, columns, 3). A picture of which nearly all echoes have one tint (a sepia or blue
    grey scale) is grey: there, coloured is what differs from that tint.
    """
    import cv2

    if colour.ndim > 3:
        return np.stack([colour_pixels(frame) for frame in colour])
    red, green, blue = cv2.split(colour)
    strongest = cv2.max(cv2.max(red, green), blue)
    spread = strongest - cv2.min(cv2.min(red, green), blue)
    coloured: np.ndarray = spread >= COLOURED
    lit = strongest > BRIGHT
    lit[:, 1:] &= (colour[:, 1:] != colour[:, :-1]).any(axis=-1)  # not the flat ground of a line of text
    tint = _tint(colour[lit], spread[lit], strongest[lit])
    if tint is None:
        return coloured
    away = colour - strongest[..., None] * tint
    beside_the_tint: np.ndarray = np.ptp(away, axis=-1) >= COLOURED
    return beside_the_tint


def _tint(lit: np.ndarray, spread: np.ndarray, strongest: np.ndarray) -> np.ndarray | None:
    """The usual proportions of the channels of lit pixels, where a tint makes them; else None."""
    if len(lit) < 100:
        return None
    low, high = np.percentile(spread / strongest, (20, 80))
    if not (TINT[0] < low and high < TINT[1] and high - low < EVEN):
        return None
    tint: np.ndarray = np.median(lit / strongest[:, None], axis=0)
    return tint
