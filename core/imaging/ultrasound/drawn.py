"""What the machine draws around and over the scan: letters, lines, marks, bars of its scales."""

from __future__ import annotations

import numpy as np

from core.domain import Image, ScanArea
from core.imaging.ultrasound.areas import scan_area
from core.imaging.ultrasound.ink import inked
from core.imaging.ultrasound.marks import marks_of
from core.imaging.ultrasound.pixels import (
    BLACK,
    brightest_of,
    bytes_of,
    grey_of,
    part_of,
    patches,
    size_of,
    some_frames,
    strongest_channel,
    within,
)

BAR = 8, 30  # columns and rows of a bar of the scale, at least


def furniture(image: Image) -> np.ndarray:
    """What the machine drew, bool (rows, columns): all that is lit outside of the scan, and within it
    letters, lines and marks (sharp edges, one ink), bars of the scale, and what stands still in a cine.
    """
    return furniture_of(image, brightest_of(image), scan_area(image))


def furniture_of(image: Image, picture: np.ndarray, area: ScanArea | None) -> np.ndarray:
    """As ``furniture``, of what ``brightest_of`` gives, where the scan is known."""
    import cv2

    grey = grey_of(picture)
    drawn = inked(picture) | _bars(picture) | _stated(image) | _still(image)
    for piece in marks_of(picture):
        drawn[piece.y : piece.y + piece.high, piece.x : piece.x + piece.wide] = True
    if area is not None:
        drawn |= ~within(area.box, grey.shape) & (grey > BLACK)
    grown: np.ndarray = cv2.dilate(drawn.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return grown


def _bars(picture: np.ndarray) -> np.ndarray:
    """Bars of the grey or colour scale: rows that are of one colour each, changing from row to row."""
    import cv2

    same = np.zeros(picture.shape[:2], np.uint8)
    apart = cv2.absdiff(picture[:, 1:], picture[:, :-1])
    same[:, 1:] = (strongest_channel(apart) <= 2) & (strongest_channel(picture)[:, 1:] > BLACK)
    runs = cv2.morphologyEx(same, cv2.MORPH_OPEN, np.ones((1, BAR[0] - 1), np.uint8))
    tall = cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((BAR[1], BAR[0] - 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(tall, connectivity=4)
    bars = np.zeros(tall.shape, bool)
    values = picture.reshape(*tall.shape, -1)
    for number in range(1, count):
        x, y, wide, high = (int(value) for value in stats[number, :4])
        inside = values[y : y + high, x : x + wide][labels[y : y + high, x : x + wide] == number]
        if wide <= 0.1 * tall.shape[1] and int(np.ptp(inside, axis=0).max()) > 60:
            bars[y : y + high, max(x - 1, 0) : x + wide] = True
    return bars


def _stated(image: Image) -> np.ndarray:
    """Small boxes that the file says hold something else than the scan, and the outline of that of colour."""
    rows, columns = image.frames.shape[1:]
    stated = np.zeros((rows, columns), bool)
    for area in image.areas:
        if area.kind == "other" and 0 < size_of(area.box) < 0.1 * rows * columns:
            part_of(stated, area.box)[:] = True
        if area.kind == "doppler":
            inside = part_of(stated, area.box)
            inside[[0, -1]] = inside[:, [0, -1]] = inside.size > 0
    return stated


def _still(image: Image) -> np.ndarray:
    """Lit pixels that are the same on all frames of a cine in which most of what is lit changes."""
    frames = image.frames
    if len(frames) < 3:
        return np.zeros(frames.shape[1:], bool)
    some = frames[some_frames(len(frames))]
    low, high = some.min(axis=0), some.max(axis=0)
    still, lit = low == high, bytes_of(high) > BLACK
    if not lit.any() or float(still[lit].mean()) > 0.3:
        return np.zeros(frames.shape[1:], bool)
    return patches(still & lit)
