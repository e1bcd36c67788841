"""Flow within the scan, and the mode that it tells."""

from __future__ import annotations

import numpy as np

from core.domain import Image, ScanArea
from core.imaging.ultrasound.areas import scan_area
from core.imaging.ultrasound.colours import colour_pixels
from core.imaging.ultrasound.drawn import furniture_of
from core.imaging.ultrasound.pixels import (
    brightest_of,
    patches,
    size_of,
    some_frames,
    strongest_channel,
    within,
)

FLOW_PARTS = 3e-4  # proportion of coloured pixels of the scan from which there is flow


def flow(image: Image, frame: int = 0) -> np.ndarray:
    """Colour-coded flow of a frame, bool (rows, columns): coloured, within the scan, and not furniture."""
    area = scan_area(image)
    if image.colour is None or area is None:
        return np.zeros(image.frames.shape[1:], bool)
    return colour_pixels(image.colour[frame]) & _seen(image, area)


def _seen(image: Image, area: ScanArea) -> np.ndarray:
    return within(area.box, image.frames.shape[1:]) & ~furniture_of(image, brightest_of(image), area)


def mode_by_colour(image: Image) -> str:
    """``PD`` where flow in red or yellow is seen on a frame, else ``""``: Doppler without any signal looks
    like grey scale.
    """
    area = scan_area(image)
    if image.colour is None or area is None:
        return ""
    seen = _seen(image, area)
    for frame in some_frames(len(image.frames)):
        colour = image.colour[frame]
        warm = colour_pixels(colour) & (colour[..., 0] >= strongest_channel(colour)) & seen
        if patches(warm).sum() > FLOW_PARTS * size_of(area.box):
            return "PD"
    return ""
