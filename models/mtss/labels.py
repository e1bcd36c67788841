"""Labelled films of hands or feet with the grades of every scored place, from a COCO folder.

Each box has an attribute ``unit`` (``LH.MCP2``) and its grades ``erosion`` and ``jsn``, null where the place
has no such site. ``gap_mm`` (joint space) and ``visibility`` may be absent. Boxes of other places are left
out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.domain import Image
from core.errors import InputError
from core.scores.mtss import MTSS
from models.common.coco import ANNOTATIONS, CocoFolder, corners_of, grey_pixels, read_coco, spacing_of
from models.mtss.places import MIN_VISIBLE, Place, Places

UNITS = frozenset(site.unit for site in MTSS.sites)
NO_SITE = -1  # in place of a grade


@dataclass(frozen=True, kw_only=True)
class BoxedFilm:
    """A film with a box around each place. boxes (n, 4): corners in pixels of the film; units and findings
    (n,). visibility (n,): 0 to 1. patient: never on both sides of a split. spacing_mm: (row, column), None
    where it is not known.
    """

    name: str
    patient: str
    visit: str
    path: Path
    spacing_mm: tuple[float, float] | None
    units: tuple[str, ...]
    findings: tuple[str, ...]
    boxes: np.ndarray
    visibility: np.ndarray
    kind: str = "good"

    @property
    def visible(self) -> np.ndarray:
        """(n,) whether a reader could see the place; others are neither trained on nor counted."""
        return np.asarray(self.visibility >= MIN_VISIBLE)

    def load(self) -> np.ndarray:
        """Grey pixels (rows, columns), bone bright. Raises InputError where the file cannot be read."""
        return grey_pixels(self.path)


@dataclass(frozen=True, kw_only=True)
class GradedFilm(BoxedFilm):
    """A film and its scored places.

    grades: feature -> (n,) grade as a reader gives it, ``NO_SITE`` where the place has no such site. gap_mm
    (n,): joint space, NaN where it is not known.
    """

    view: str
    grades: dict[str, np.ndarray]
    gap_mm: np.ndarray

    @property
    def mm_per_pixel(self) -> float:
        return 0.15 if self.spacing_mm is None else float(np.mean(self.spacing_mm))

    def places(self, rng: np.random.Generator | None = None, jitter_mm: float = 0.0) -> Places:
        """The middles of the boxes that can be seen, as the site localiser gives them.

        jitter_mm: SD of its error in each direction, drawn from ``rng``; none without one.
        """
        middles = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        if rng is not None:
            middles = middles + rng.normal(0, jitter_mm / self.mm_per_pixel, middles.shape)
        found = {
            unit: Place(float(x), float(y), 1.0)
            for unit, (x, y), seen in zip(self.units, middles, self.visible, strict=True)
            if seen
        }
        return Places(self.view, found, {}, self.mm_per_pixel)

    def as_film(self) -> Image:
        """The film as a scorer gets it. Raises InputError where the file cannot be read."""
        return Image(self.name, self.load(), self.spacing_mm)


def read_graded(folder: Path) -> list[GradedFilm]:
    """The labelled films of a COCO folder. Raises InputError where it is none or has no graded place."""
    labelled = read_coco(folder)
    films = [_film(image, found, labelled) for image, found in labelled.films(_is_graded)]
    if not any(film.units for film in films):
        needed = "boxes with unit, erosion and jsn are needed"
        raise InputError(str(folder / ANNOTATIONS), needed, "grade the joints")
    return films


def read_all(folders: Iterable[Path]) -> list[GradedFilm]:
    """The labelled films of several folders, in order."""
    return [film for folder in folders for film in read_graded(folder)]


def _is_graded(box: dict) -> bool:
    about = box["attributes"]
    return about["unit"] in UNITS and any(about.get(name) is not None for name in ("erosion", "jsn"))


def _film(image: dict, found: list[dict], folder: CocoFolder) -> GradedFilm:
    units = tuple(one["attributes"]["unit"] for one in found)
    is_foot = bool(units) and units[0][1] == "F"
    return GradedFilm(
        **boxed(image, found, folder),
        view=image.get("view") or ("feet" if is_foot else "hands"),
        grades={name: numbers(found, name, NO_SITE).astype(int) for name in ("erosion", "jsn")},
        gap_mm=numbers(found, "gap_mm", np.nan),
    )


def boxed(image: dict, found: list[dict], folder: CocoFolder) -> dict[str, Any]:
    """What every labelled film of hands or feet has, by the names of its fields."""
    return {
        "name": image["file_name"],
        "patient": image["patient"],
        "visit": image.get("visit", ""),
        "path": folder.file_of(image),
        "spacing_mm": spacing_of(image),
        "units": tuple(one["attributes"]["unit"] for one in found),
        "findings": tuple(folder.names[one["category_id"]] for one in found),
        "boxes": corners_of(found),
        "visibility": numbers(found, "visibility", 1.0),
        "kind": image.get("kind", "good"),
    }


def numbers(found: list[dict], name: str, missing: float) -> np.ndarray:
    """(n,) an attribute of boxes, ``missing`` where it is absent or null."""
    values = [one["attributes"].get(name) for one in found]
    return np.array([missing if value is None else float(value) for value in values])
