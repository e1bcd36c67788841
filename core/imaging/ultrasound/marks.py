"""The mark of the probe's side, by which a mirrored picture is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.domain import Box, Image
from core.imaging.ultrasound.areas import scan_area
from core.imaging.ultrasound.pixels import BLACK, brightest_of, strongest_channel

LIT = 80  # of 255, from which a mark is seen
FILLED = 0.25  # of its box, by a mark: a circle with a letter in it
MARK_AT = 0.14  # of the height of the scan, from its end, within which the mark of the probe is looked for


@dataclass(frozen=True)
class Orientation:
    """Where the machine's mark of the probe's side is: ``left``, ``right`` or ``""`` where none is seen.

    is_upside_down: the mark lies below the scan, so the probe does.
    """

    mark: str = ""
    is_upside_down: bool = False

    @property
    def is_mirrored(self) -> bool:
        """Whether the mark is on the right, where by convention it is on the left."""
        return self.mark == "right"

    @property
    def words(self) -> str:
        """What to say of it."""
        if not self.mark:
            return "no mark of the probe's side is seen: whether the picture is mirrored is not known"
        side = f"the mark of the probe is on the {self.mark}"
        return side + ("; the probe is below the picture" if self.is_upside_down else "")


def orientation(image: Image) -> Orientation:
    """Where the mark of the probe lies: a small compact piece on black at the upper (or lower) end of the
    scan, with none on the other side.
    """
    area = scan_area(image)
    return Orientation() if area is None else orientation_of(brightest_of(image), area.box)


def orientation_of(picture: np.ndarray, box: Box) -> Orientation:
    """As ``orientation``, of what ``brightest_of`` gives, where the scan is known."""
    high = MARK_AT * (box.y1 - box.y0)
    middle = (box.x0 + box.x1) / 2
    pieces = [piece for piece in marks_of(picture) if box.x0 <= piece.centre[0] <= box.x1]
    for is_below, edge in ((False, box.y0), (True, box.y1)):
        near = [piece.centre[0] for piece in pieces if abs(piece.centre[1] - edge) < high]
        sides = {"left" if x < middle else "right" for x in near}
        if len(sides) == 1:
            return Orientation(sides.pop(), is_below)
    return Orientation()


@dataclass(frozen=True)
class _Piece:
    """A piece of the picture: its box in pixels."""

    x: int
    y: int
    wide: int
    high: int

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.wide / 2, self.y + self.high / 2


def marks_of(picture: np.ndarray) -> list[_Piece]:
    """Lit pieces about as high as wide, with black around them: marks, never the letters of a word."""
    import cv2

    bright = strongest_channel(picture)
    _, _, stats, _ = cv2.connectedComponentsWithStats((bright > LIT).astype(np.uint8), connectivity=8)
    stats = stats[1:]
    wide, high, size = (stats[:, column] for column in (2, 3, 4))
    least, most = max(9, 0.015 * bright.shape[0]), 0.07 * bright.shape[0]
    fits = (np.minimum(wide, high) >= least) & (np.maximum(wide, high) <= most)
    fits &= (wide < 1.4 * high) & (high < 1.4 * wide) & (size > FILLED * wide * high)
    pieces = [_Piece(*(int(value) for value in row[:4])) for row in stats[fits]]
    return [piece for piece in pieces if _is_alone(piece, bright, stats)]


def _is_alone(piece: _Piece, bright: np.ndarray, stats: np.ndarray) -> bool:
    """Whether what is around is black, and no piece of like height stands beside it as letters do."""
    if min(_lit_around(piece, bright, away) for away in (2, 4)) > 0.1:
        return False
    (x, y), high = piece.centre, piece.high
    across = np.abs(stats[:, 0] + stats[:, 2] / 2 - x)
    alike = (stats[:, 3] > 0.5 * high) & (stats[:, 3] < 1.6 * high)
    alike &= np.abs(stats[:, 1] + stats[:, 3] / 2 - y) < 0.4 * high
    return not bool((alike & (across > 0.5) & (across < 1.5 * high + stats[:, 2] / 2)).any())


def _lit_around(piece: _Piece, bright: np.ndarray, away: int) -> float:
    """Proportion of lit pixels on a line around a piece."""
    top, left = max(piece.y - away, 0), max(piece.x - away, 0)
    around = bright[top : piece.y + piece.high + away, left : piece.x + piece.wide + away]
    ring = np.ones(around.shape, bool)
    ring[1:-1, 1:-1] = False
    return float((around[ring] > 2 * BLACK).mean())
