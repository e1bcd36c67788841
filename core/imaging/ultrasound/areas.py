"""Where the scan lies: as the file states (PS3.3, C.8.5.5), else by its echoes, which fill an area, while
letters and scales leave most of theirs black.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.domain import Box, Image, ScanArea
from core.imaging.ultrasound.colours import colour_pixels
from core.imaging.ultrasound.ink import inked
from core.imaging.ultrasound.pixels import BLACK, brightest_of, grey_of, part_of, size_of

DENSE = 0.5  # proportion of not black pixels around a pixel of the scan
FAINT = 2  # of 255; as deep echoes are
PARTS = 16  # of the width of the scan, of which half must be lit below it, nearly all above
ECHOING = 0.25  # proportion of lit rows on the way down
SMALLEST_SCAN = 0.05  # of the picture


def scan_area(image: Image) -> ScanArea | None:
    """Where the scan is: as the file says, else where echoes fill the picture; None where nothing is found.

    Of several scans side by side that of power Doppler is taken from a ``PD`` image (the one with most
    flow), else the largest, of equal ones the left one.
    """
    rows, columns = image.frames.shape[1:]
    tissue = [_inside(area, rows, columns) for area in image.areas if area.kind == "tissue"]
    scans = [area for area in tissue if area is not None]
    if not scans:
        found = _by_echoes(brightest_of(image))
        return None if found is None else ScanArea(found, image.spacing_mm)
    if image.mode == "PD" and image.colour is not None and len(scans) > 1:
        coloured = colour_pixels(image.colour[len(image.colour) // 2])
        return max(scans, key=lambda area: int(part_of(coloured, area.box).sum()))
    largest = max(size_of(area.box) for area in scans)
    return min((area for area in scans if size_of(area.box) > 0.8 * largest), key=lambda area: area.box.x0)


def scans_box(image: Image) -> Box | None:
    """The box around every scan of a picture, in pixels; None where nothing is found."""
    rows, columns = image.frames.shape[1:]
    scans = [_inside(area, rows, columns) for area in image.areas if area.kind == "tissue"]
    boxes = [area.box for area in scans if area is not None]
    if not boxes:
        found = scan_area(image)
        return None if found is None else found.box
    return Box(
        min(box.x0 for box in boxes), min(box.y0 for box in boxes),
        max(box.x1 for box in boxes), max(box.y1 for box in boxes),
    )  # fmt: skip


def _inside(area: ScanArea, rows: int, columns: int) -> ScanArea | None:
    """The area as far as it lies in the picture; None where hardly anything of it does."""
    box = area.box
    kept = Box(max(box.x0, 0), max(box.y0, 0), min(box.x1, columns), min(box.y1, rows))
    if kept.x1 - kept.x0 < 8 or kept.y1 - kept.y0 < 8:
        return None
    return replace(area, box=kept)


def _by_echoes(picture: np.ndarray) -> Box | None:
    """The box around the largest part of a picture that is filled, not flat, and not black."""
    import cv2

    echoes = _echoes(picture)
    filled = _filled(echoes)
    count, _, stats, _ = cv2.connectedComponentsWithStats(filled.astype(np.uint8), connectivity=4)
    if count < 2:
        return None
    x, y, wide, high, size = (int(value) for value in stats[1 + int(np.argmax(stats[1:, 4]))])
    if size < SMALLEST_SCAN * filled.size:
        return None
    inside = echoes[y : y + high, x : x + wide]
    (top, bottom), (left, right) = (_thick_part(inside.mean(axis=axis)) for axis in (1, 0))
    faint = _echoes(picture, FAINT) & ~inked(picture)
    above = _depth(faint[y + top - 1 :: -1, x + left : x + right] if y + top else faint[:0], PARTS - 2)
    below = _depth(faint[y + bottom :, x + left : x + right], PARTS // 2)
    return Box(x + left, y + top - above, x + right, y + bottom + below)


def _depth(beyond: np.ndarray, least: int) -> int:
    """How many rows further faint echoes reach: rows of which so many parts are lit here and there."""
    parts = np.array_split(beyond, PARTS, axis=1)
    is_lit = np.stack([part.any(axis=1) for part in parts]).sum(axis=0) >= least
    so_far = np.cumsum(is_lit) / np.arange(1, len(is_lit) + 1)
    rows = np.flatnonzero(is_lit & (so_far > ECHOING))
    return int(rows[-1]) + 1 if len(rows) else 0


def _thick_part(filled: np.ndarray) -> tuple[int, int]:
    """From where to where lines are filled a quarter as much as usual: beside it are marks of the scale."""
    places = np.flatnonzero(filled > 0.25 * float(np.median(filled)))
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, len(filled))


def _echoes(picture: np.ndarray, darkest: int = BLACK) -> np.ndarray:
    """Pixels that are neither black nor of one flat colour with those around."""
    import cv2

    grey = grey_of(picture)
    values = grey.astype(np.float32)
    mean, square = (cv2.blur(part, (5, 5)) for part in (values, values * values))
    echoes: np.ndarray = (grey > darkest) & (square - mean * mean > 0.3)
    return echoes


def _filled(echoes: np.ndarray) -> np.ndarray:
    """Where most of what is around are echoes: never a line of letters."""
    import cv2

    side = max(5, min(echoes.shape) // 15) | 1
    filled = cv2.blur(echoes.astype(np.float32), (side, side), borderType=cv2.BORDER_REFLECT) > DENSE
    thick = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    opened: np.ndarray = cv2.morphologyEx(filled.astype(np.uint8), cv2.MORPH_OPEN, thick) > 0
    return opened
