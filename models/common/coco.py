"""A COCO folder of labelled films as labelling tools export it: ``annotations.json`` beside ``images/``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.errors import InputError

ANNOTATIONS = "annotations.json"


@dataclass(frozen=True)
class CocoFolder:
    """images, boxes: rows as they stand in the file. names: id of a category -> its name."""

    path: Path
    images: list[dict[str, Any]]
    boxes: list[dict[str, Any]]
    names: dict[int, str]

    def films(
        self, wanted: Callable[[dict[str, Any]], bool] = lambda box: True
    ) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Each image with those of its boxes that are wanted."""
        of_image: dict[int, list[dict[str, Any]]] = {}
        for box in self.boxes:
            if wanted(box):
                of_image.setdefault(box["image_id"], []).append(box)
        return ((image, of_image.get(image["id"], [])) for image in self.images)

    def file_of(self, image: dict[str, Any]) -> Path:
        """Where the pixels of an image lie."""
        return self.path / "images" / str(image["file_name"])


def read_coco(folder: Path) -> CocoFolder:
    """The labels of a folder. Raises InputError where it has none."""
    path = folder / ANNOTATIONS
    if not path.is_file():
        raise InputError(str(folder), f"a COCO folder with {ANNOTATIONS} is needed", "give its path")
    content = json.loads(path.read_text(encoding="utf-8"))
    names = {one["id"]: one["name"] for one in content["categories"]}
    return CocoFolder(folder, content["images"], content["annotations"], names)


def grey_pixels(path: Path) -> np.ndarray:
    """Grey pixels (rows, columns), bone bright. Raises InputError where the file cannot be read."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise InputError(str(path), "a readable image is needed", "check the file")
    return np.asarray(image if image.ndim == 2 else image[..., :3].mean(axis=2))


def corners_of(boxes: list[dict[str, Any]]) -> np.ndarray:
    """(n, 4) corners x0, y0, x1, y1 of labelled boxes, in pixels of the film."""
    found = np.array([one["bbox"] for one in boxes], float).reshape(-1, 4)
    found[:, 2:] += found[:, :2]
    return found


def spacing_of(image: dict[str, Any]) -> tuple[float, float] | None:
    """(row, column) millimetres a pixel, None where the label does not say."""
    spacing = image.get("spacing_mm")
    return (float(spacing[0]), float(spacing[1])) if spacing else None
