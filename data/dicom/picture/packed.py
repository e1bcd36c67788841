"""Frames of a preview packed without loss, each on its own (docs/decisions/preview-format.md).

A screen of ultrasound is mostly black, and most of the rest is grey: green, and how far red and blue are from
it, pack to a tenth. Of grey values low and high bytes are packed apart: a picture of 8 bits has no high ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

CODEC, LEVEL = "zstd", 1
WORTH = 0.75  # of its size, above which a picture is kept as it is


def packed(pixels: np.ndarray) -> tuple[np.ndarray, dict[str, Any]] | None:
    """A picture as packed bytes, and what it takes to unpack them; None where they are not much fewer.

    pixels: uint16 (rows, columns) or uint8 (rows, columns, 3), of several frames with the frames in front.
    """
    codec = pa.Codec(CODEC, compression_level=LEVEL)
    parts, room = [], WORTH * pixels.nbytes
    for frame in _frames(pixels):
        parts.append(codec.compress(_planes(frame).data, asbytes=True))
        room -= len(parts[-1])
        if room < 0:
            return None
    ends = np.cumsum([len(part) for part in parts]).tolist()
    note = {"codec": CODEC, "shape": list(pixels.shape), "kind": pixels.dtype.name, "ends": ends}
    return np.frombuffer(b"".join(parts), np.uint8), note


def unpacked(content: np.ndarray, note: dict[str, Any]) -> np.ndarray:
    """The picture again, read-only. Raises ValueError or OSError where ``content`` is damaged."""
    pixels = np.empty(note["shape"], note["kind"])
    codec, places = pa.Codec(note["codec"]), [0, *note["ends"]]
    if places[-1] != len(content):
        raise ValueError("more or fewer bytes than were packed")
    for frame, (start, end) in zip(_frames(pixels), pairwise(places), strict=True):
        plain = codec.decompress(content[start:end].data, frame.nbytes)
        _join(np.frombuffer(plain, np.uint8), frame)
    pixels.flags.writeable = False
    return pixels


def _frames(pixels: np.ndarray) -> Iterable[np.ndarray]:
    """One after the other, so that of a long cine only one is in memory twice."""
    has_frames = pixels.ndim == (4 if pixels.dtype == np.uint8 else 3)
    return pixels if has_frames else pixels[None]


def _planes(frame: np.ndarray) -> np.ndarray:
    """Bytes that pack well, plane after plane."""
    import cv2

    if frame.dtype == np.uint8:
        red, green, blue = cv2.split(frame)
        return np.stack([green, red - green, blue - green])
    return np.stack([frame & 255, frame >> 8]).astype(np.uint8)


def _join(plain: np.ndarray, frame: np.ndarray) -> None:
    """Write the pixels that these planes are of into a frame."""
    import cv2

    if frame.dtype == np.uint8:
        green, red, blue = plain.reshape(3, *frame.shape[:2])
        cv2.merge([red + green, green, blue + green], frame)
    else:
        low, high = plain.reshape(2, *frame.shape)
        np.bitwise_or(low, high.astype(np.uint16) << 8, out=frame)
