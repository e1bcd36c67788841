"""Images of the cohort as stored: the de-identified files, decoded previews, and series made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from core.domain import Image
from core.errors import StoreError
from core.imaging.stacks import stack_of
from data.dicom.frame_geometry import FrameGeometry, geometry_of
from data.dicom.pixel_values import to_picture
from data.dicom.previews import ULTRASOUND, film_path, holds_all_frames, preview_path, read_preview, to_image
from data.dicom.read import Refusal, decode_frames, quiet, read_dicom
from data.dicom.ultrasound.areas import from_json
from data.store.cohort import CohortStore


def load_preview(store: CohortStore, image: str) -> tuple[np.ndarray, dict[str, Any]]:
    """The decoded picture of an image, read-only and mapped where it is not packed, and what is known of it.

    Grey: uint16 (rows, columns), bone bright. Colour: uint8 (rows, columns, 3). Of an image of several frames
    with the frames in front, where the preview has them all (``previews.holds_all_frames``).
    The description has ``window`` [darkest, brightest grey value to show first], ``spacing_mm`` [row, column]
    or None, ``colour``, ``frame`` (to show first), ``frames``, ``modality``, ``body_part``, ``view``,
    ``laterality`` and the linear way back to the file's own values (``slope``, ``sign``, ``offset``,
    ``intercept``); of several frames also what ``frame_geometry.FrameGeometry`` holds.
    """
    return read_preview(preview_path(store.folder, image))


def load_image(store: CohortStore, image: str) -> Image:
    """The image as a scorer takes it: uint16 (frames, rows, columns), bone bright; colour as its brightness.

    Of ultrasound also colour, device, regions of the screen, and joint, mode, side and view as the cohort has
    them now: a person may have stated them since. Raises StoreError where files are missing or damaged.
    """
    pixels, description = load_preview(store, image)
    if not holds_all_frames(pixels, description):
        pixels, geometry = _decoded(stored_film(store, image))
        description = description | geometry.fields()
    loaded = to_image(image, pixels, description)
    return _with_what_is_shown(store, loaded) if loaded.modality == ULTRASOUND else loaded


def _with_what_is_shown(store: CohortStore, image: Image) -> Image:
    rows = store.query(
        "SELECT joint, mode, laterality, view, manufacturer, device, areas FROM main.image "
        "WHERE image = ? AND superseded_by IS NULL",
        [image.image],
    )
    if rows.empty:
        return image
    row = {name: value or "" for name, value in rows.astype(object).where(rows.notna(), "").iloc[0].items()}
    return replace(
        image,
        joint=row["joint"],
        mode=row["mode"],
        laterality=row["laterality"],
        view=row["view"],
        device=" ".join(word for word in (row["manufacturer"], row["device"]) if word),
        areas=from_json(json.loads(row["areas"] or "[]")),
    )


def load_stack(
    store: CohortStore,
    series: str,
    slices: Iterable[tuple[str, FrameGeometry]],
    frames: Mapping[str, Sequence[int]] | None = None,
) -> Image:
    """Images of one series as one stack (``core.imaging.stacks.stack_of``), grey values on one scale.

    slices: each image and where it lies. frames: which of an image's frames are of this stack, all of them
    where nothing is said of it; the geometry is then that of these frames. Raises InputError where they are
    no stack.
    """
    images, scales = [], []
    for image, geometry in slices:
        whole = load_image(store, image)
        chosen = None if frames is None else frames.get(image)
        images.append(replace(_some_of(whole, chosen), **geometry.fields()))
        about = load_preview(store, image)[1]
        scales.append(tuple(float(about[name]) for name in ("slope", "sign", "offset", "intercept")))
    return stack_of(series, _on_one_scale(images, scales))


def _some_of(image: Image, frames: Sequence[int] | None) -> Image:
    """Those frames of an image; all, where none are named."""
    if frames is None:
        return image
    colour = None if image.colour is None else image.colour[list(frames)]
    bare = replace(image, colour=None, positions_mm=None, times_ms=None)
    return replace(bare, frames=image.frames[list(frames)], colour=colour)


def _on_one_scale(images: list[Image], scales: list[tuple[float, ...]]) -> list[Image]:
    """Grey values that mean the same on every image: as stored, or through the file's own values."""
    if len(set(scales)) == 1:
        return images
    values = [
        slope * (sign * image.frames.astype(np.float64) + offset) + intercept
        for image, (slope, sign, offset, intercept) in zip(images, scales, strict=True)
    ]
    low, high = min(float(part.min()) for part in values), max(float(part.max()) for part in values)
    step = (high - low) / 65535 or 1.0
    return [
        replace(image, frames=np.rint((part - low) / step).astype(np.uint16))
        for image, part in zip(images, values, strict=True)
    ]


def stored_film(store: CohortStore, image: str) -> Path:
    """The de-identified DICOM file of a film. Raises StoreError where it is missing."""
    path = film_path(store.folder, image)
    if not path.is_file():
        raise StoreError(
            f"the film {image[:12]} is missing from {store.folder.name}",
            "it was there when it was imported",
            "run 'sharpline ingest' on the delivery again; missing files are made anew",
        )
    return path


def _decoded(path: Path) -> tuple[np.ndarray, FrameGeometry]:
    """All frames of a stored file, for an image whose preview holds one of them only."""
    try:
        with open(path, "rb") as stream, quiet():
            file = read_dicom(stream)
            frames = np.stack(list(decode_frames(file)))
            picture = to_picture(frames, file.dataset, several=True)
            return picture.pixels, geometry_of(file.dataset, len(frames))
    except (Refusal, pydicom.errors.InvalidDicomError) as error:
        raise StoreError(
            f"the stored file of image {path.stem[:12]} ({error})",
            "it could be read when it was imported",
            "run 'sharpline verify'",
        ) from None
