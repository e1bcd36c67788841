"""Films of both hands with a box for each finger joint, from a COCO folder as labelling tools write it.

The category of a box is its finding (none, ankylosis, subluxation, luxation), its attribute ``unit`` says
which joint it is; boxes of other places (wrist, end joints of the fingers) are not looked for and left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputError
from models.common.coco import ANNOTATIONS, CocoFolder, corners_of, grey_pixels, read_coco, spacing_of
from models.mtss.detectors.joints import POSITIVE, UNITS
from models.mtss.places import LEAST_VISIBLE


@dataclass(frozen=True)
class LabelledHands:
    """A film and its finger joints. boxes (n, 4): corners in pixels of the film, units and findings (n,).

    patient: never on both sides of a split. spacing_mm: (row, column), None where it is not known.
    visible (n,): a joint that nobody could see is neither trained on nor counted.
    """

    name: str
    patient: str
    visit: str
    path: Path
    spacing_mm: tuple[float, float] | None
    units: tuple[str, ...]
    findings: tuple[str, ...]
    boxes: np.ndarray
    visible: np.ndarray
    kind: str = "good"

    def load(self) -> np.ndarray:
        """Grey pixels (rows, columns), bone bright. Raises InputError where the file cannot be read."""
        return grey_pixels(self.path)

    def affected(self, finding: str) -> np.ndarray:
        """(n,) whether each joint has the finding that a detector looks for."""
        return np.array([one in POSITIVE[finding] for one in self.findings], dtype=bool)


def read_folder(folder: Path) -> list[LabelledHands]:
    """The labelled films of a COCO folder. Raises InputError where it is none or has no finger joint."""
    labelled = read_coco(folder)
    films = [
        _film(image, found, labelled)
        for image, found in labelled.films(lambda box: box["attributes"]["unit"] in UNITS)
    ]
    if not any(film.units for film in films):
        raise InputError(
            str(folder / ANNOTATIONS), f"boxes with a unit such as {UNITS[0]} are needed", "name the joints"
        )
    return films


def hands_in(folders: Iterable[Path]) -> list[LabelledHands]:
    """The films of folders that show finger joints; films of feet may lie beside them."""
    return [film for folder in folders for film in read_folder(folder) if film.units]


def _film(image: dict, found: list[dict], folder: CocoFolder) -> LabelledHands:
    return LabelledHands(
        name=image["file_name"],
        patient=image["patient"],
        visit=image.get("visit", ""),
        path=folder.file_of(image),
        spacing_mm=spacing_of(image),
        units=tuple(one["attributes"]["unit"] for one in found),
        findings=tuple(folder.names[one["category_id"]] for one in found),
        boxes=corners_of(found),
        visible=np.array([_visibility(one) >= LEAST_VISIBLE for one in found], dtype=bool),
        kind=image.get("kind", "good"),
    )


def _visibility(annotation: dict) -> float:
    value = annotation["attributes"].get("visibility")
    return 1.0 if value is None else float(value)
