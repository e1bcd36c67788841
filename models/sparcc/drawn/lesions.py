"""Oedema at corners and end plates of real bodies: where, how large, how bright, and how it is drawn.

Shapes are those of the phantom; sizes are drawn as there. A slice is the mean of three thin ones across its
thickness. The texture and noise of the volume stay: only its smooth part changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from data.phantom.mri.lesions import CORNER, PLATE, Lesion, relative_distance, strength
from data.phantom.mri.truth import WITHIN
from models.sparcc.drawn.contrast import SMOOTH_MM
from models.sparcc.drawn.measured import Measured

MEAN_MORE = 2.4  # lesions of a volume beyond the first, Poisson
THICK = 1.0  # of the distance between slices that a slice averages over: none is left out between them
RAGGED = 0.16  # of the relative distance, by which a border wanders
UNEVEN = 0.12  # of a lesion's brightness
PLATE_MM = 1.0  # of a labelled body's edge that is cortical bone and stays dark
BLUR_MM = 0.8  # of a border within the plane, beside the scanner's own
LEAST = 4  # pixels of a slice; less is no part of the reference


@dataclass(frozen=True)
class Drawn:
    """frames: float32, with lesions. oedema: 1 where a voxel is at least half inflamed; both of one shape."""

    frames: np.ndarray
    oedema: np.ndarray
    lesions: tuple[Lesion, ...]


def draw_lesions(found: Measured, rng: np.random.Generator) -> tuple[Lesion, ...]:
    """Lesions of one volume, at least one."""
    levels = [level for level in found.levels if len(found.stack.bodies[level]) >= 4]
    count = 1 + int(rng.poisson(MEAN_MORE))
    return tuple(_lesion(found, str(rng.choice(levels)), rng) for _ in range(count))


def _lesion(found: Measured, level: str, rng: np.random.Generator) -> Lesion:
    kind = PLATE if rng.random() < 0.24 else CORNER
    depth, height, width = found.half_depth(level), found.height(level), found.half_width(level)
    reach = np.exp(rng.normal(0, 0.38, 3)) * depth / 17.0
    along = (8.0 if kind == CORNER else 9.0) * reach[0]
    return Lesion(
        level=level,
        kind=kind,
        plate="upper" if rng.random() < 0.5 else "lower",
        place=float(rng.uniform(-0.6, 0.6)) if kind == PLATE else (-1.0 if rng.random() < 0.62 else 1.0),
        lateral=float(np.clip(rng.normal(0, 0.42), -0.8, 0.8) * width),
        along=float(np.clip(along, 2.5, 1.5 * depth)),
        deep=float(np.clip((7.0 if kind == CORNER else 5.2) * reach[1], 2.2, 0.92 * height)),
        wide=float(np.clip(6.2 * reach[2], 2.5, width)),
        brightness=float(np.clip(np.exp(rng.normal(np.log(0.66), 0.28)), 0.4, 1.25)),
    )


def drawn(
    found: Measured,
    frames: np.ndarray,
    rng: np.random.Generator,
    lesions: tuple[Lesion, ...] | None = None,
) -> Drawn:
    """Frames of a volume with lesions drawn into them, by chance where none are given. frames: as
    ``found.volume.frames``, or near STIR.
    """
    lesions = draw_lesions(found, rng) if lesions is None else lesions
    result = frames.astype(np.float32).copy()
    cover = np.zeros(frames.shape, np.float32)
    grain = _grain(frames.shape, rng)
    for lesion in lesions:
        for number in found.stack.bodies[lesion.level]:
            _paint(found, lesion, number, result, cover, grain)
    return Drawn(result, _without_specks(cover >= 0.5), lesions)


def _without_specks(cover: np.ndarray) -> np.ndarray:
    """Without parts of a slice that are a pixel or two."""
    parts, _ = ndimage.label(cover, np.stack([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))]))
    large = np.bincount(parts.ravel()) >= LEAST
    large[0] = False
    return np.asarray(large[parts], np.uint8)


def _paint(
    found: Measured, lesion: Lesion, number: int, frames: np.ndarray, cover: np.ndarray, grain: np.ndarray
) -> None:
    """Add one lesion to one slice."""
    grid, across, where = found.inside(lesion.level, number)
    at = (number, grid[:, 0], grid[:, 1])
    body = found.volume.labels[number] == found.stack.label_of[lesion.level]
    core = _marrow_of(body)
    shape = _Depth(found.half_depth(lesion.level))
    lateral = found.lateral(lesion.level, number)
    there, full = np.zeros(body.shape, np.float32), np.zeros(len(grid), np.float32)
    for part in WITHIN:
        beside = np.full(len(grid), lateral + part * THICK * found.step)
        distance = relative_distance(lesion, shape, where, -across, beside)
        distance = distance + RAGGED * grain[at] * np.minimum(distance, 1)
        there[at[1:]] += np.float32(strength(distance)) / len(WITHIN)
        full += np.float32(distance <= 1) / len(WITHIN)
    if not there.any():
        return
    share = ndimage.gaussian_filter(there * core, BLUR_MM)
    tissue = ndimage.gaussian_filter(frames[number], SMOOTH_MM)
    bright = lesion.brightness * found.csf[lesion.level] * (1 + UNEVEN * grain[number])
    frames[number] += share * np.maximum(bright - tissue, 0)
    cover[at] = np.maximum(cover[at], full * (core[at[1:]] >= 0.5))


def _marrow_of(body: np.ndarray) -> np.ndarray:
    """Share of marrow of each pixel of a labelled body, whose edge is bone."""
    depth = ndimage.distance_transform_edt(body)
    return np.asarray(np.clip(depth - PLATE_MM, 0, 1), np.float32)


@dataclass(frozen=True)
class _Depth:
    """What ``relative_distance`` asks of a vertebra: half of its depth."""

    depth: float


def _grain(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Smooth noise of unit spread, coarse and fine together."""
    noise = rng.normal(size=(2, *shape)).astype(np.float32)
    parts = [
        ndimage.gaussian_filter(one, (0.5, size, size)) for one, size in zip(noise, (3.0, 1.5), strict=True)
    ]
    return np.asarray(sum(part / part.std() for part in parts) / np.sqrt(2), np.float32)
