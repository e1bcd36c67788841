"""Words of a line of lettering as pictures, and words drawn in fonts to compare them with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from data.dicom.burnt_in import Lettering

SIZE = (48, 14)  # columns and rows to which words are brought
CAPITALS = (8, 9, 11, 14)  # pixels of the capitals of the fonts
STROKE_CAPITAL = 21  # units of the capitals of a stroke font
GAPS = (0.15, 0.19, 0.25, 0.32, 0.4)  # of the height of a line, between words: fonts differ
SOFT = 0.9  # pixels by which words are blurred, as letters fall on pixels in different ways
INKED = 0.35  # of the strongest ink of a line, from which a pixel is of a letter


def words_of_line(grey: np.ndarray, line: Lettering, gap: float) -> list[np.ndarray]:
    """Ink of each word of a line from left to right, as far as letters follow each other on both sides.

    grey: bytes (rows, columns) of the whole screen. gap: between words, of the line's height.
    """
    high = line.y1 - line.y0
    top, bottom = max(line.y0 - high // 2, 0), min(line.y1 + high // 2, grey.shape[0])
    left, right = max(line.x0 - 12 * high, 0), min(line.x1 + 12 * high, grey.shape[1])
    band = grey[top:bottom, left:right].astype(np.float32)
    ground = float(np.median(grey[max(line.y0 - 2, 0) : line.y1 + 2, line.x0 : line.x1]))
    ink = np.abs(band - ground)
    own = ink[line.y0 - top : line.y1 - top, line.x0 - left : line.x1 - left]
    is_ink = ink > INKED * float(np.percentile(own, 98))
    row = slice(max(line.y0 - top - 1, 0), line.y1 - top + 1)
    parts = _parts(is_ink[row].any(axis=0), gap * high)
    return [
        _trimmed(ink[:, x0:x1], is_ink[:, x0:x1], row)
        for x0, x1 in _near(parts, line.x0 - left, line.x1 - left, high)
    ]


def _parts(inked: np.ndarray, gap: float) -> list[tuple[int, int]]:
    """From where to where columns are inked, without gaps wider than this."""
    columns = np.flatnonzero(inked)
    if not len(columns):
        return []
    breaks = np.flatnonzero(np.diff(columns) - 1 > gap)
    starts, ends = columns[np.r_[0, breaks + 1]], columns[np.r_[breaks, len(columns) - 1]] + 1
    return [(int(x0), int(x1)) for x0, x1 in zip(starts, ends, strict=True)]


def _near(parts: list[tuple[int, int]], x0: int, x1: int, high: int) -> list[tuple[int, int]]:
    """Words of the line, and those beside it that are no further away than two heights."""
    inside = [place for place, (left, right) in enumerate(parts) if right > x0 and left < x1]
    if not inside:
        return []
    first, last = inside[0], inside[-1]
    while first > 0 and parts[first][0] - parts[first - 1][1] < 2 * high:
        first -= 1
    while last + 1 < len(parts) and parts[last + 1][0] - parts[last][1] < 2 * high:
        last += 1
    return parts[first : last + 1]


def _trimmed(ink: np.ndarray, is_ink: np.ndarray, row: slice) -> np.ndarray:
    """The rows of a word that touch the line: other lines above and below are left out."""
    filled: np.ndarray = np.any(is_ink, axis=1)
    top, bottom = row.start, row.stop
    while top > 0 and filled[top - 1]:
        top -= 1
    while bottom < len(filled) and filled[bottom]:
        bottom += 1
    rows = np.flatnonzero(filled[top:bottom])
    return ink[top + rows[0] : top + rows[-1] + 1]


def vector_of(word: np.ndarray) -> np.ndarray:
    """A word brought to one size, mean 0 and length 1."""
    import cv2

    sized = cv2.resize(word.astype(np.float32), SIZE, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(sized, (0, 0), SOFT).ravel()
    small -= small.mean()
    vector: np.ndarray = small / max(float(np.linalg.norm(small)), 1e-6)
    return vector


def drawn_words(text: str) -> Iterator[np.ndarray]:
    """A word drawn in each font and size, its ink trimmed."""
    import cv2

    for face, scale, thick in _stroke_fonts():
        high = round(40 * scale) + 8
        picture = np.zeros((2 * high, round(len(text) * 30 * scale) + 24), np.uint8)
        cv2.putText(picture, text, (6, high), face, scale, 255, thick, cv2.LINE_AA)
        yield _cut(picture)
    for font in _outline_fonts():
        picture = np.zeros((3 * font.size, round(font.getlength(text)) + 12), np.uint8)
        yield _cut(_write(picture, text, font))


def _write(picture: np.ndarray, text: str, font) -> np.ndarray:  # type: ignore[no-untyped-def]
    from PIL import Image, ImageDraw

    drawn = Image.fromarray(picture)
    ImageDraw.Draw(drawn).text((6, 2 * font.size), text, fill=255, font=font, anchor="ls")
    return np.asarray(drawn)


def _cut(picture: np.ndarray) -> np.ndarray:
    inked = picture > INKED * 255
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@lru_cache(maxsize=1)
def _stroke_fonts() -> list[tuple[int, float, int]]:
    import cv2

    return [
        (face, capital / STROKE_CAPITAL, 1)
        for face in (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX)
        for capital in CAPITALS
    ]


@lru_cache(maxsize=1)
def _outline_fonts() -> list:  # type: ignore[type-arg]
    from matplotlib import get_data_path
    from PIL import ImageFont

    folder = f"{get_data_path()}/fonts/ttf"
    return [
        ImageFont.truetype(f"{folder}/{name}.ttf", round(capital / 0.73))
        for name in ("DejaVuSans",)
        for capital in CAPITALS
    ]
