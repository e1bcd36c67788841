"""Films with their sites for the finder, and how they are varied in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from core.errors import InputError
from data.phantom.hands.state import units_of
from models.common.coco import grey_pixels, read_coco, spacing_of
from models.mtss.finder.network import CHANNELS, INPUT_MM, LETTERS, UNITS, turned_over
from models.mtss.places import MIN_VISIBLE
from models.training import augment

SEEN, ABSENT, UNKNOWN = 1, 0, -1
CANVAS = (448, 544)  # rows and columns that training sees; multiples of 32
EDGE_MM = 4.0  # of the film, within which a site is neither asked for nor asked to be absent
FLIP = turned_over()


@dataclass(frozen=True)
class FinderFilm:
    """A film at 0.6 mm. grey (rows, columns) uint8. points (60, 2): sites and letters in its pixels, state
    (60,): seen, absent or unknown.
    """

    name: str
    patient: str
    view: str
    kind: str
    grey: np.ndarray
    points: np.ndarray
    state: np.ndarray


def resampled(pixels: np.ndarray, mm: tuple[float, float]) -> tuple[np.ndarray, tuple[float, float]]:
    """The film at 0.6 mm a pixel and the factors (x, y) used. mm: between rows, between columns.

    Returns float32 in [0, 1] between the film's 0.5th and 99.8th percentile; a film of one grey is all 0.
    """
    rows, columns = pixels.shape
    size = max(8, round(columns * mm[1] / INPUT_MM)), max(8, round(rows * mm[0] / INPUT_MM))
    method = cv2.INTER_AREA if size[0] < columns else cv2.INTER_LINEAR
    kept = pixels if pixels.dtype in (np.uint8, np.uint16, np.float32) else pixels.astype(np.float32)
    small = cv2.resize(kept, size, interpolation=method).astype(np.float32)
    low, high = np.percentile(small, (0.5, 99.8))
    grey = np.clip((small - low) / max(high - low, 1e-6), 0, 1).astype(np.float32)
    return np.asarray(grey), (size[0] / columns, size[1] / rows)


def to_small(points: np.ndarray, factors: tuple[float, float]) -> np.ndarray:
    """(n, 2) pixels of the film -> of the film at 0.6 mm; (0, 0) is the middle of the first pixel."""
    return np.asarray((points + 0.5) * np.array(factors) - 0.5)


def to_film(points: np.ndarray, factors: tuple[float, float]) -> np.ndarray:
    """(n, 2) pixels of the film at 0.6 mm -> of the film."""
    return np.asarray((points + 0.5) / np.array(factors) - 0.5)


def read_films(folders: Sequence[Path]) -> list[FinderFilm]:
    """The films of COCO folders, with sites and, where the folder names them, side markers.

    A film whose boxes are of another limb than it shows (``foot_as_hand``) is left out. Raises InputError
    where there is no film, or an image cannot be read.
    """
    films = [film for folder in folders for film in _read_folder(folder)]
    if not films:
        raise InputError(", ".join(map(str, folders)), "labelled films are needed", "give a COCO folder")
    return films


def _read_folder(folder: Path) -> list[FinderFilm]:
    found = read_coco(folder)
    labelled = {box["attributes"]["unit"] for box in found.boxes}
    return [
        read_film(image, boxes, labelled, folder)
        for image, boxes in found.films()
        if image.get("kind") != "foot_as_hand"
    ]


def read_film(image: dict, boxes: Sequence[dict], labelled: set[str], folder: Path) -> FinderFilm:
    """One film. labelled: the units that the folder names anywhere; the others are unknown."""
    pixels = grey_pixels(folder / "images" / image["file_name"])
    grey, factors = resampled(pixels, spacing_of(image) or (0.15, 0.15))
    points, state = _sites(image, boxes, labelled)
    return FinderFilm(
        image["file_name"], image["patient"], image.get("view", "hands"), image.get("kind", "good"),
        np.round(grey * 255).astype(np.uint8), to_small(points, factors), state,
    )  # fmt: skip


def _sites(image: dict, boxes: Sequence[dict], labelled: set[str]) -> tuple[np.ndarray, np.ndarray]:
    points, state = np.zeros((CHANNELS, 2)), np.full(CHANNELS, ABSENT)
    shown = units_of(image.get("view", "hands"))
    turned = image.get("kind") == "mirrored"
    for i, unit in enumerate(UNITS):
        if unit in shown and as_looks(unit, turned) not in labelled and boxes:
            state[i] = UNKNOWN
    for one in boxes:
        unit = as_looks(one["attributes"]["unit"], turned)
        if unit in UNITS:
            i, (x, y, width, height) = UNITS.index(unit), one["bbox"]
            points[i] = x + width / 2, y + height / 2
            state[i] = seen_state(one["attributes"].get("visibility"))
    if "letters" not in image:
        state[len(UNITS) :] = UNKNOWN
    for letter in image.get("letters", ()):
        i = len(UNITS) + LETTERS.index((letter["letter"], letter["mirrored"]))
        points[i], state[i] = (letter["x"], letter["y"]), SEEN
    return points, state


def as_looks(unit: str, turned: bool) -> str:
    """The unit's name by how its limb looks: the other side's on a film that was flipped."""
    return f"{'R' if unit[0] == 'L' else 'L'}{unit[1:]}" if turned else unit


def seen_state(visibility: float | None) -> int:
    """A site that nobody could see is neither asked for nor asked to be absent, unless it is off the film."""
    if visibility is None or visibility >= MIN_VISIBLE:
        return SEEN
    return ABSENT if visibility <= 0 else UNKNOWN


def varied(film: FinderFilm, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One training picture: grey (448, 544) float32, points (60, 2) and state (60,) on it.

    Flipped (half of them), resized by up to a fifth, turned, moved, brightened, blurred, noisy.
    """
    rows, columns = film.grey.shape
    grey, points, state = film.grey, film.points, film.state
    if rng.random() < 0.5:
        grey, points, state = grey[:, ::-1], points[FLIP], state[FLIP]
        points = np.stack([columns - 1 - points[:, 0], points[:, 1]], axis=1)
    matrix = _motion(rng, rows, columns)
    fill = float(rng.choice([0.0, 255.0, float(np.median(grey[:4]))]))
    moved = cv2.warpAffine(
        np.ascontiguousarray(grey), matrix, CANVAS[::-1], flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=fill,
    )  # fmt: skip
    points = augment.moved(points, matrix)
    return _exposed(moved.astype(np.float32) / 255, rng), points, at_edge(points, state)


def _motion(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    size, turn = float(np.exp(np.clip(rng.normal(0, 0.09), -0.22, 0.22))), np.radians(rng.normal(0, 6))
    size_x = size * float(np.exp(rng.normal(0, 0.02)))
    linear = augment.turn(turn) * np.array([size_x, size])
    matrix = augment.about(linear, np.array([columns / 2, rows / 2]), np.array(CANVAS[::-1]) / 2)
    matrix[:, 2] += rng.normal(0, [16, 12])
    return matrix


def at_edge(points: np.ndarray, state: np.ndarray) -> np.ndarray:
    """The state with sites beyond the picture absent and those at its edge unknown."""
    margin = np.minimum(points, np.array(CANVAS[::-1]) - 1 - points).min(axis=1)
    state = np.where((state == SEEN) & (margin < EDGE_MM / INPUT_MM), UNKNOWN, state)
    return np.where((state != ABSENT) & (margin < 0), ABSENT, state)


def _exposed(grey: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other processing, contrast, blur and noise."""
    if rng.random() < 0.35:
        grey = np.clip(augment.sharpened(grey, float(rng.uniform(4, 25)), rng.uniform(-0.4, 0.9)), 0, 1)
    grey = np.power(grey, float(np.exp(rng.normal(0, 0.35))), dtype=np.float32)
    if rng.random() < 0.2:
        grey = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.4, 1.6)))
    if rng.random() < 0.5:
        grey = augment.noisy(grey, 0.06, rng)
    low, high = float(rng.uniform(-0.15, 0.15)), float(rng.uniform(0.8, 1.2))
    return np.clip(low + (high - low) * grey, 0, 1).astype(np.float32)
