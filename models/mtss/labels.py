"""Films of both hands with a box for each finger joint, from a COCO folder as labelling tools write it.

The category of a box is its finding (none, ankylosis, subluxation, luxation), its attribute ``unit`` says
which joint it is; boxes of other places (wrist, end joints of the fingers) are not looked for and left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from core.errors import InputError
from models.mtss.sites import POSITIVE, UNITS

LEAST_VISIBLE = 0.3


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
        image = cv2.imread(str(self.path), cv2.IMREAD_UNCHANGED)
        if image is None:
            raise InputError(str(self.path), "a readable image is needed", "check the file")
        return np.asarray(image if image.ndim == 2 else image[..., :3].mean(axis=2))

    def affected(self, finding: str) -> np.ndarray:
        """(n,) whether each joint has the finding that a detector looks for."""
        return np.array([one in POSITIVE[finding] for one in self.findings], dtype=bool)


def read_folder(folder: Path) -> list[LabelledHands]:
    """The labelled films of a COCO folder. Raises InputError where it is none or has no finger joint."""
    path = folder / "annotations.json"
    if not path.is_file():
        raise InputError(str(folder), "a COCO folder with annotations.json is needed", "give its path")
    content = json.loads(path.read_text(encoding="utf-8"))
    names = {one["id"]: one["name"] for one in content["categories"]}
    boxes: dict[int, list[dict]] = {}
    for one in content["annotations"]:
        if one["attributes"]["unit"] in UNITS:
            boxes.setdefault(one["image_id"], []).append(one)
    films = [_film(image, boxes.get(image["id"], []), names, folder) for image in content["images"]]
    if not boxes:
        raise InputError(str(path), f"boxes with a unit such as {UNITS[0]} are needed", "name the joints")
    return films


def _film(image: dict, found: list[dict], names: dict[int, str], folder: Path) -> LabelledHands:
    corners = np.array([one["bbox"] for one in found], float).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    spacing = image.get("spacing_mm")
    return LabelledHands(
        name=image["file_name"],
        patient=image["patient"],
        visit=image.get("visit", ""),
        path=folder / "images" / image["file_name"],
        spacing_mm=(spacing[0], spacing[1]) if spacing else None,
        units=tuple(one["attributes"]["unit"] for one in found),
        findings=tuple(names[one["category_id"]] for one in found),
        boxes=corners,
        visible=np.array([_visibility(one) >= LEAST_VISIBLE for one in found], dtype=bool),
        kind=image.get("kind", "good"),
    )


def _visibility(annotation: dict) -> float:
    value = annotation["attributes"].get("visibility")
    return 1.0 if value is None else float(value)
