"""COCO labels as labelling tools export them, a JSON file beside ``images/``, and the images' pixels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.errors import InputError
from data.phantom.coco import ANNOTATIONS

__all__ = ["ANNOTATIONS", "CocoFolder", "corners_of", "grey_pixels", "is_coco", "read_coco", "spacing_of"]


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

    def file_of(self, image: dict[str, Any], within: Path | None = None) -> Path:
        """Where the pixels of an image lie: beside the labels, in ``images/`` there or one folder up, or
        anywhere under ``within``. Raises InputError where they do not.
        """
        name, within = str(image["file_name"]), within or self.path
        beside = (self.path, self.path / "images", self.path.parent / "images", within)
        for path in (folder / name for folder in beside):
            if path.is_file():
                return path
        if hits := sorted(within.rglob(Path(name).name)):
            return hits[0]
        raise InputError(
            f"image {name}", f"a file of that name under {within} is needed", "export images too"
        )


def is_coco(path: Path) -> bool:
    """Whether a file holds COCO labels."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return False
    return isinstance(content, dict) and {"images", "annotations", "categories"} <= content.keys()


def read_coco(path: Path) -> CocoFolder:
    """The labels of a file, or of a folder with ``annotations.json``. Raises InputError where it has none."""
    folder, path = (path, path / ANNOTATIONS) if path.suffix != ".json" else (path.parent, path)
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
