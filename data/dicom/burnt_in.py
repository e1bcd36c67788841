"""Text burnt into the pixels: it may name the patient, and no header can take it out.

Lettering by a machine is drawn at (nearly) one extreme value, in many short strokes side by side, in lines of
even height. That is looked for in two steps: rows in which many short runs of bright values begin and end
(cheap, the whole picture), then, in those rows only, connected pieces of letter shape standing on one line. A
single lead marker ("R") is not text. How often this is right: docs/decisions/burnt-in-text.md
"""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

SHORT_RUNS = 5  # bright runs that a row of lettering has at least
LARGE = 1200  # pixels; a picture larger than that is looked at in half its size
LEVELS = (0.96, 0.7)  # shares of the range above which lettering is looked for
LEVELS_LARGE = (0.85,)
LETTERS = 6  # pieces of like height on one line that count as lettering
SMALLEST, LARGEST = 5, 64  # height of a letter in pixels


def burnt_in_warning(dataset: Dataset, pixels: np.ndarray) -> str | None:
    """What to warn of, from the tag and from the pixels; None where neither speaks of text."""
    said = str(dataset.get("BurnedInAnnotation", "")).strip().upper()
    found = lines_of_text(pixels)
    if said == "YES":
        return "text is burnt into the picture (the file says so); check that it does not name the patient"
    if found:
        note = ", though the file says there is none" if said == "NO" else ""
        return f"text seems to be burnt into the picture{note}; check that it does not name the patient"
    return None


def lines_of_text(pixels: np.ndarray) -> int:
    """How many lines of bright lettering are seen.

    pixels: (rows, columns) of any unsigned type, or (rows, columns, 3) of bytes.
    """
    grey = _brightest_channel(pixels) if pixels.ndim == 3 else pixels
    if min(grey.shape) < 32:
        return 0
    grey = np.ascontiguousarray(grey)
    levels = LEVELS_LARGE if min(grey.shape) > LARGE else LEVELS
    return max(_lines_above(grey, share) for share in levels)


def _brightest_channel(colour: np.ndarray) -> np.ndarray:
    import cv2

    red, green, blue = cv2.split(colour)
    brightest: np.ndarray = cv2.max(cv2.max(red, green), blue)
    return brightest


def _lines_above(grey: np.ndarray, share: float) -> int:
    """Lines of lettering among the pixels brighter than ``share`` of the range."""
    import cv2

    large = min(grey.shape) > LARGE  # letters on a large film are large: half the size is enough
    low, high = (float(edge) for edge in cv2.minMaxLoc(grey)[:2])
    mask = cv2.compare(grey[::2] if large else grey, low + share * (high - low), cv2.CMP_GT)
    if large:
        mask = np.ascontiguousarray(mask[:, ::2])
    if cv2.countNonZero(mask) < 2 * LETTERS * SMALLEST:
        return 0
    return sum(_has_letters(mask[top:bottom]) for top, bottom in _bands(mask))


def _bands(mask: np.ndarray) -> list[tuple[int, int]]:
    """Stretches of rows (first, last + 1) that could be one line of lettering."""
    import cv2

    changes = cv2.absdiff(mask[:, 1:], mask[:, :-1])
    runs = cv2.reduce(changes, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel() // (2 * 255)
    lettering = runs >= SHORT_RUNS
    edges = np.flatnonzero(np.diff(np.concatenate(([0], lettering.astype(np.int8), [0]))))
    joined: list[tuple[int, int]] = []
    for top, bottom in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if joined and top - joined[-1][1] <= 3:
            joined[-1] = (joined[-1][0], bottom)
        else:
            joined.append((top, bottom))
    rows = mask.shape[0]
    return [
        (max(0, top - 3), min(rows, bottom + 3)) for top, bottom in joined if bottom - top >= SMALLEST - 1
    ]


def _has_letters(band: np.ndarray) -> bool:
    """True where at least LETTERS pieces like letters stand on one line, near each other."""
    import cv2

    _, _, stats, _ = cv2.connectedComponentsWithStats(band, connectivity=8)
    left, top, width, height, area = stats[1:].T
    shaped = (
        (height >= SMALLEST)
        & (height <= LARGEST)
        & (width <= 4 * height)  # letters may touch each other
        & (area >= 0.12 * width * height)
        & (area <= 0.85 * width * height)
    )
    left, foot, right, height = (side[shaped] for side in (left, top + height, left + width, height))
    on_line = np.bincount(foot, minlength=band.shape[0] + 2)
    around = on_line + np.roll(on_line, 1) + np.roll(on_line, -1)
    return any(
        _is_lettering(left[near], right[near], height[near])
        for near in (np.abs(foot - line) <= 1 for line in np.flatnonzero(around >= LETTERS))
    )


def _is_lettering(left: np.ndarray, right: np.ndarray, height: np.ndarray) -> bool:
    """True where enough pieces on one line are alike in height and follow each other closely."""
    for size in np.unique(height):
        alike = np.abs(height - size) <= max(1, size // 6)
        if alike.sum() >= LETTERS and _close_together(np.sort(left[alike]), np.sort(right[alike]), int(size)):
            return True
    return False


def _close_together(left: np.ndarray, right: np.ndarray, size: int) -> bool:
    """True where LETTERS of the pieces follow each other at the distance of letters in words."""
    near = left[1:] - right[:-1] <= 2 * size
    run = best = 1
    for step in near:
        run = run + 1 if step else 1
        best = max(best, run)
    return best >= LETTERS
