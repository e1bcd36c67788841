"""Where marrow oedema of a spine can be: the column of vertebral bodies, and what lies behind it.

Facet joints, arches and processes lie behind the bodies as far as ``BEHIND_MM``; in front of them there is no
bone of the spine. What is bright elsewhere (bowel, bladder, vessels, fat near the coil) is not looked at.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.domain import Image
from core.errors import InputError
from models import cards
from models.sparcc.anatomy.segment import Segmented, Segmenter, build_segmenter
from models.sparcc.anatomy.upright import upright
from models.sparcc.oedema.finder import OedemaFinder, Point, build_finder
from models.sparcc.row import why_no_row

IN_FRONT_MM = 4.0
BEHIND_MM = 45.0
BEYOND_MM = 6.0  # above the uppermost and below the lowest body
BESIDE = 2  # slices beside the outermost one with bodies, on which facets and processes still show


def around_column(bodies: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """Mask (frames, rows, columns) of where oedema is looked for, from that of bodies; empty without any.

    Frames in the order of their place, head up, front to the left. The column is that of all slices together,
    as a facet shows on slices beside the bodies as well.
    """
    found = np.zeros(bodies.shape, bool)
    column = np.asarray(bodies.any(axis=0))
    if not column.any():
        return found
    rows = np.flatnonzero(column.any(axis=1))
    first, last = int(rows[0]), int(rows[-1])
    front = column.argmax(axis=1)[rows]
    back = column.shape[1] - 1 - column[:, ::-1].argmax(axis=1)[rows]
    beyond = round(BEYOND_MM / spacing_mm[0])
    lines = np.arange(max(first - beyond, 0), min(last + beyond + 1, column.shape[0]))
    starts = np.interp(lines, rows, front) - IN_FRONT_MM / spacing_mm[1]
    stops = np.interp(lines, rows, back) + BEHIND_MM / spacing_mm[1]
    across = np.arange(column.shape[1])
    shown = np.flatnonzero(bodies.any(axis=(1, 2)))
    slices = slice(max(int(shown[0]) - BESIDE, 0), int(shown[-1]) + BESIDE + 1)
    found[slices, lines] = (across >= starts[:, None]) & (across <= stops[:, None])
    return found


def region_of(image: Image, bodies: np.ndarray) -> np.ndarray:
    """The same in the order and direction of an image's frames.

    Raises InputError where it is not sagittal, or the files do not say how large pixels are.
    """
    way = upright(image)
    if image.spacing_mm is None or isinstance(way, str):
        why = way if isinstance(way, str) else "the files do not say how large its pixels are"
        raise InputError(f"stack {image.image}", why, "leave it out")
    return way.back(around_column(way.stand(bodies), image.spacing_mm))


class ColumnFinder:
    """Looks for marrow oedema as a stack is scored: bodies first, then oedema around them."""

    def __init__(self, segmenter: Segmenter, finder: OedemaFinder) -> None:
        self.segmenter, self.finder = segmenter, finder

    @property
    def point(self) -> Point:
        """Where masks end, and which of them count."""
        return self.finder.point

    def chances(self, image: Image) -> np.ndarray:
        """As ``OedemaFinder.chances``, none away from the column. Raises InputError without a column."""
        found = self.segmenter.segment(image)
        why = why_no_row(found.bodies) if isinstance(found, Segmented) else found.reason
        if why or not isinstance(found, Segmented):
            raise InputError(f"stack {image.image}", why, "leave it out")
        bodies = np.isin(found.labels, [body.label for body in found.bodies])
        return self.finder.chances(image, region_of(image, bodies))

    def masks_of(self, chances: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
        """(frames, rows, columns) bool: oedema at the operating point."""
        return self.finder.masks_of(chances, spacing_mm)

    def masks(self, image: Image) -> np.ndarray:
        """The same of a stack."""
        chances = self.chances(image)
        assert image.spacing_mm is not None  # there are no chances without
        return self.masks_of(chances, image.spacing_mm)


def build_column_finder(size: str = "demo", folder: Path = cards.FOLDER) -> ColumnFinder:
    """Both networks with their weights. Raises ModelError where they are absent or damaged."""
    return ColumnFinder(build_segmenter(size, folder), build_finder(size, folder))
