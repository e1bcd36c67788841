"""Rendered films and their boxes as a labelling tool exports them: 16-bit PNG and COCO labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ANNOTATIONS = "annotations.json"


def write_pixels(pixels: np.ndarray, folder: Path, name: str) -> None:
    """The pixels of an image as PNG in ``images/``."""
    path = folder / "images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def write_labels(
    films: Iterable[tuple[dict[str, Any], list[dict[str, Any]]]],
    names: Sequence[str],
    folder: Path,
    about: str,
) -> Path:
    """Write ``annotations.json``: the row of each image and the rows of its boxes, numbered here.

    A box has ``category_id``, ``bbox`` (x, y, width, height in pixels) and ``attributes``. names: of the
    categories, which are numbered from 1.
    """
    folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for image, found in films:
        images.append({"id": len(images) + 1, **image})
        boxes += [_box(box, len(boxes) + number, len(images)) for number, box in enumerate(found, 1)]
    content = {
        "info": {"description": about, "phantom": True},
        "images": images,
        "annotations": boxes,
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)],
    }
    path = folder / ANNOTATIONS
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _box(box: dict[str, Any], number: int, image: int) -> dict[str, Any]:
    area = box["bbox"][2] * box["bbox"][3]
    return {
        "id": number,
        "image_id": image,
        "category_id": box["category_id"],
        "bbox": box["bbox"],
        "area": area,
        "iscrowd": 0,
        "attributes": box["attributes"],
    }
