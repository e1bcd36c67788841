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
from models.common.coco import ANNOTATIONS, read_coco
from models.mtss.detectors.joints import POSITIVE, UNITS
from models.mtss.labels import BoxedFilm, boxed


@dataclass(frozen=True, kw_only=True)
class LabelledHands(BoxedFilm):
    """A film and its finger joints."""

    def affected(self, finding: str) -> np.ndarray:
        """(n,) whether each joint has the finding that a detector looks for."""
        return np.array([one in POSITIVE[finding] for one in self.findings], dtype=bool)


def read_folder(folder: Path) -> list[LabelledHands]:
    """The labelled films of a COCO folder. Raises InputError where it is none or has no finger joint."""
    labelled = read_coco(folder)
    films = [
        LabelledHands(**boxed(image, found, labelled))
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
