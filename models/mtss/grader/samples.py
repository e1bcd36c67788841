"""Training samples of the grader: tiles with room around them, as 8-bit arrays, and views drawn from them.

A view differs as much as the site localiser errs (places by a millimetre or so, hence directions by some
degrees) and as films differ (size of the patient, exposure, sharpness, noise). Never a flip: tiles of left
limbs are mirrored already.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import cv2
import numpy as np

from models.common.pixels import stretch
from models.mtss.grader import tiles
from models.mtss.labels import GradedFilm
from models.training import augment

ROOM = 168  # pixels of a side as kept, for shifts and turns


@dataclass(frozen=True)
class TileSet:
    """Visible places of labelled films. image (n, ROOM, ROOM) uint8; kind (n,) index into ``tiles.KINDS``;
    erosion, jsn (n,) grades, -1 without such a site; gap_mm (n,), NaN where not known; patient (n,).
    """

    image: np.ndarray
    kind: np.ndarray
    erosion: np.ndarray
    jsn: np.ndarray
    gap_mm: np.ndarray
    patient: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)


def prepare(films: Iterable[GradedFilm]) -> TileSet:
    """The tiles of labelled films, in order; films without a visible place give none."""
    rows: dict[str, list] = {one.name: [] for one in fields(TileSet)}
    for film in films:
        places = film.places()
        if not places.units:
            continue
        frames = tiles.frames(places, side=ROOM)
        at = [i for i, unit in enumerate(film.units) if unit in frames]
        grey = film.as_film().pixels.astype(np.float32)
        images = tiles.cut(grey, [frames[film.units[i]] for i in at], places.mm_per_pixel, side=ROOM)
        rows["image"].append(np.round(images * 255).astype(np.uint8))
        rows["kind"] += [tiles.KIND_INDEX[film.units[i][1:]] for i in at]
        rows["erosion"] += film.grades["erosion"][at].tolist()
        rows["jsn"] += film.grades["jsn"][at].tolist()
        rows["gap_mm"] += film.gap_mm[at].tolist()
        rows["patient"] += [film.patient] * len(at)
    image = rows.pop("image")
    none = np.zeros((0, ROOM, ROOM), np.uint8)
    return TileSet(
        np.concatenate(image) if image else none,
        np.array(rows["kind"], np.int64),
        np.array(rows["erosion"], np.int64),
        np.array(rows["jsn"], np.int64),
        np.array(rows["gap_mm"], np.float32),
        np.array(rows["patient"], dtype=str),
    )


@dataclass(frozen=True)
class Strength:
    """How far a view differs. shift_mm: SD of each direction; degrees, scale (log), gamma (log): limits."""

    shift_mm: float = 0.9
    degrees: float = 9.0
    scale: float = 0.07
    gamma: float = 0.35
    sharpness: float = 0.8
    noise: float = 0.05


NONE = Strength(shift_mm=0, degrees=0, scale=0, gamma=0, sharpness=0, noise=0)


def view(
    image: np.ndarray, mm: float, strength: Strength, rng: np.random.Generator, *, side: int = tiles.TILE
) -> np.ndarray:
    """float32 (side, side) in [0, 1]: one view of a tile of ``mm`` a pixel."""
    angle = np.deg2rad(rng.uniform(-strength.degrees, strength.degrees))
    scale = float(np.exp(rng.uniform(-strength.scale, strength.scale)))
    shift = np.clip(rng.normal(0, strength.shift_mm, 2), -2.6, 2.6) / mm
    middle, target = np.full(2, (image.shape[0] - 1) / 2), np.full(2, (side - 1) / 2) + shift
    affine = augment.about(augment.turn(angle, scale), middle, target)
    seen = cv2.warpAffine(
        image, affine, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return _expose(seen.astype(np.float32) / 255, strength, rng)


def _expose(grey: np.ndarray, strength: Strength, rng: np.random.Generator) -> np.ndarray:
    """Stretched as when a film is graded, then another gamma, blur or sharpening, and noise."""
    grey = stretch(grey, step=3)
    if strength.gamma > 0 and rng.random() < 0.7:
        grey = cv2.pow(grey, float(np.exp(rng.uniform(-strength.gamma, strength.gamma))))
    if strength.sharpness > 0 and rng.random() < 0.4:
        sigma = float(rng.uniform(0.5, 2.0))
        grey = augment.sharpened(grey, sigma, rng.uniform(-1, 1) * -strength.sharpness)
    if strength.noise > 0 and rng.random() < 0.5:
        grey = augment.noisy(grey, strength.noise, rng)
    return np.asarray(np.clip(grey, 0, 1), dtype=np.float32)


def draw_weights(samples: TileSet) -> np.ndarray:
    """(n,) drawing probabilities: the mean over a place's grades of 1 / sqrt(frequency of the grade in its
    block).
    """
    is_foot = np.array([kind.startswith("F") for kind in tiles.KINDS])[samples.kind]
    total, count = np.zeros(len(samples)), np.zeros(len(samples))
    for grades in (samples.erosion, samples.jsn):
        for block in (is_foot, ~is_foot):
            rows = np.flatnonzero(block & (grades >= 0))
            counts = np.bincount(grades[rows], minlength=11) + 1.0
            total[rows] += np.sqrt(counts.max() / counts)[grades[rows]]
            count[rows] += 1
    weights = total / np.maximum(count, 1)
    return np.asarray(weights / weights.sum())
