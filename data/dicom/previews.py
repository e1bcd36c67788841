"""Decoded pictures beside the stored films, for fast viewing and scoring (docs/decisions/preview-format.md).

``<image>.npy`` is the image as a plain NumPy file, so that it can be mapped into memory (a film of 2010 x
1670 is there in under a millisecond); behind the array stand a JSON description and its
length in eight bytes, which NumPy does not look at. Where the stored film holds the very same values
uncompressed (or these flipped), the array is empty and the description says where they begin in
``<image>.dcm``.
Colour, ultrasound and images of several frames are packed where that makes them much smaller: the array then
holds packed bytes (``picture.packed``), and reading gives the picture.
Of an image of several frames all are there, unless there are too many or an older version wrote it: then the
middle one stands for them (``holds_all_frames``).
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from core.domain import Image
from core.errors import StoreError
from data.dicom.frame_geometry import from_fields
from data.dicom.picture.packed import packed, unpacked
from data.dicom.pixel_values import brightness_of
from data.dicom.stored_file import ReadBack

ULTRASOUND = "US"  # of modality


def film_path(folder: Path, image: str) -> Path:
    """Where the de-identified film lies."""
    return folder / image[:2] / f"{image}.dcm"


def preview_path(folder: Path, image: str) -> Path:
    """Where its decoded picture lies."""
    return folder / image[:2] / f"{image}.npy"


def write_preview(
    path: Path,
    pixels: np.ndarray,
    description: dict[str, Any],
    *,
    in_film: int | None = None,
    turned_over: int | None = None,
) -> str:
    """Write a picture and its description; they are on the disk when this returns. Gives the file's SHA-256.

    pixels: uint16 (rows, columns) or uint8 (rows, columns, 3), of several frames with the frames in front.
    in_film: where these pixels, as little endian, begin in the stored film beside it; None where they do not.
    turned_over: the film holds this value minus the pixels instead of the pixels.
    """
    if in_film is not None:
        place = {"offset": in_film, "shape": list(pixels.shape), "turned_over": turned_over}
        description = description | {"in_film": place}
        pixels = np.empty(0, np.uint16)
    elif is_colour(pixels) or pixels.ndim > 2 or description.get("modality") == ULTRASOUND:
        smaller = packed(pixels)
        if smaller is not None:
            pixels, description = smaller[0], description | {"packed": smaller[1]}
    flat = np.ascontiguousarray(pixels)
    note = _note(description)
    start = io.BytesIO()
    npy.write_array_header_1_0(start, npy.header_data_from_array_1_0(flat))
    digest = hashlib.sha256()
    with open(path, "wb", buffering=0) as stream:
        picture = flat.data.cast("B") if flat.size else b""
        for part in (start.getvalue(), picture, note + struct.pack("<Q", len(note))):
            digest.update(part)
            stream.write(part)
        os.fsync(stream.fileno())
    return digest.hexdigest()


def digest_of(path: Path) -> str:
    """SHA-256 of a preview as it lies on disk, ``""`` where there is none."""
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _note(description: dict[str, Any]) -> bytes:
    return json.dumps(description, ensure_ascii=False).encode()


def preview_fault(path: Path, film: ReadBack, preview_hash: str | None = None) -> str:
    """What is wrong with the preview of a whole film, to follow "the preview"; ``""`` where nothing is.

    preview_hash: SHA-256 of the file as it was written. A preview of an older version has none: it is whole
    where it can be read and fits its film.
    """
    if not path.is_file():
        return "is missing"
    try:
        words = _fault(path, film)
    except Exception:  # damage shows in many ways
        return "is cut short or damaged"
    return words or ("was changed" if preview_hash and digest_of(path) != preview_hash else "")


def _fault(path: Path, film: ReadBack) -> str:
    """As ``preview_fault``; raises anything where the file cannot be read."""
    description = _description(path)
    if description["image"] != film.image:
        return "is that of another image"  # before its pixels: those it names in the film may lie elsewhere
    read_preview(path)
    stored = np.load(path, allow_pickle=False)
    if path.stat().st_size != _length(path, stored, description):
        return "is longer than it was written"
    place = description.get("in_film")
    lies = None if place is None else (place["offset"], 2 * math.prod(place["shape"]))
    if lies is not None and lies != (film.pixels_at, film.pixels_length):
        return "does not fit its film"
    return ""


def _length(path: Path, stored: np.ndarray, description: dict[str, Any]) -> int:
    with open(path, "rb") as stream:
        npy.read_magic(stream)
        npy.read_array_header_1_0(stream)
        return stream.tell() + stored.nbytes + len(_note(description)) + 8


def read_preview(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """The picture, read-only (mapped into memory where it lies there as it is seen), and its description.

    Raises StoreError where the file is missing or cut short.
    """
    try:
        description = _description(path)
        if "in_film" in description:
            place = description["in_film"]
            film, shape = path.with_suffix(".dcm"), tuple(place["shape"])
            return _as_seen(np.memmap(film, "<u2", "r", place["offset"], shape), place), description
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        note = description.pop("packed", None)
        return (stored if note is None else unpacked(stored, note)), description
    except (OSError, ValueError, KeyError, struct.error) as error:
        raise StoreError(
            f"the preview of image {path.stem[:12]} ({type(error).__name__})",
            "it was written when the film was imported",
            "run 'sharpline ingest' on the delivery again; missing files are made anew",
        ) from None


def _as_seen(stored: np.ndarray, place: dict[str, Any]) -> np.ndarray:
    if place["turned_over"] is None:
        return stored
    turned: np.ndarray = np.subtract(np.uint16(place["turned_over"]), stored, dtype=np.uint16)
    turned.flags.writeable = False
    return turned


def _description(path: Path) -> dict[str, Any]:
    with open(path, "rb") as stream:
        stream.seek(-8, 2)
        end = stream.tell()
        (length,) = struct.unpack("<Q", stream.read(8))
        stream.seek(end - length)
        description: dict[str, Any] = json.loads(stream.read(length))
    return description


def holds_all_frames(pixels: np.ndarray, description: dict[str, Any]) -> bool:
    """Whether a preview has every frame of its image."""
    shape = pixels.shape[:-1] if is_colour(pixels) else pixels.shape
    return int(description.get("frames") or 1) == (shape[0] if len(shape) == 3 else 1)


def is_colour(pixels: np.ndarray) -> bool:
    """Whether the pixels of a preview are red, green and blue."""
    return pixels.dtype == np.uint8


def to_image(image: str, pixels: np.ndarray, description: dict[str, Any]) -> Image:
    """The picture as a scorer takes it: one channel, bone bright; colour as its brightness (0 to 65535), of
    ultrasound with its colours.

    Geometry and times are those that the description of an image of several frames has.
    """
    spacing, modality = description.get("spacing_mm"), str(description.get("modality", ""))
    return Image(
        image=image,
        frames=brightness_of(pixels) if is_colour(pixels) else pixels,
        colour=_frames_of(pixels) if is_colour(pixels) and modality == ULTRASOUND else None,
        spacing_mm=(float(spacing[0]), float(spacing[1])) if spacing else None,
        modality=modality,
        body_part=str(description.get("body_part", "")),
        view=str(description.get("view", "")),
        laterality=str(description.get("laterality", "")),
        **from_fields(description).fields(),
    )


def _frames_of(colour: np.ndarray) -> np.ndarray:
    return colour if colour.ndim == 4 else colour[None]
