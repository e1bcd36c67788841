"""Training samples: a labelled film becomes one finder picture and up to six tiles, small 8-bit arrays in
memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.common import pixels as the_pixels
from models.common.frames import TileShape
from models.msasss import pixels
from models.msasss.geometry import tile_frames, unit_boxes
from models.msasss.labels import Corner, LabelledFilm
from models.msasss.sites import ALL_UNITS, CORNERS, UNITS

MARGIN = 1.3  # tiles are kept larger than the network sees, for shifts and turns in training


@dataclass(frozen=True)
class FinderSample:
    """A film at ``pixels.FINDER_MM``. units: (k, 5) class, centre x, y, width, height in pixels."""

    image: np.ndarray
    units: np.ndarray
    patient: str


@dataclass(frozen=True)
class TileSample:
    """A tile with margin, its unit, and its visible corners: (k, 5) grade, centre x, y, width, height in
    pixels.
    """

    image: np.ndarray
    corners: np.ndarray
    unit: str
    patient: str


def with_margin(shape: TileShape) -> TileShape:
    """The same tile with room around it."""
    return replace(shape, rows=round(shape.rows * MARGIN), columns=round(shape.columns * MARGIN))


def prepare(film: LabelledFilm) -> tuple[FinderSample, list[TileSample]]:
    """The samples of one labelled film. A film without corners gives a finder picture with nothing to
    find.
    """
    grey = the_pixels.as_grey(film.load())
    image = to_bytes(the_pixels.resample(grey, film.spacing_mm, pixels.FINDER_MM))
    midpoints, units = _midpoints(film)
    if len(units) < 2:
        return FinderSample(image, np.zeros((0, 5), np.float32), film.patient), []
    boxes = unit_boxes(midpoints) / pixels.FINDER_MM
    classes = np.array([[ALL_UNITS.index(unit)] for unit in units])
    keep = np.array([_is_seen(film, unit) for unit in units])
    labels = np.concatenate([classes, boxes], axis=1)[keep].astype(np.float32)
    return FinderSample(image, labels, film.patient), _tiles(film, grey, midpoints, units)


def to_bytes(grey: np.ndarray) -> np.ndarray:
    """[0, 1] -> uint8."""
    return np.asarray(np.round(grey * 255), dtype=np.uint8)


def _corners_of(film: LabelledFilm) -> dict[str, Corner]:
    return {corner.site: corner for corner in film.corners}


def _midpoints(film: LabelledFilm) -> tuple[np.ndarray, list[str]]:
    """(k, 2) midpoints in mm of the units of which both corners are labelled, head to foot, and their
    names.
    """
    corners = _corners_of(film)
    per_pixel = np.array([film.spacing_mm[1], film.spacing_mm[0]])
    units = [unit for unit in UNITS.get(film.region, ()) if all(site in corners for site in CORNERS[unit])]
    points = [[(corners[site].x, corners[site].y) for site in CORNERS[unit]] for unit in units]
    return (np.array(points).mean(axis=1) * per_pixel if units else np.zeros((0, 2))), units


def _is_seen(film: LabelledFilm, unit: str) -> bool:
    corners = _corners_of(film)
    return any(corners[site].visible for site in CORNERS[unit])


def _tiles(film: LabelledFilm, grey: np.ndarray, midpoints: np.ndarray, units: list[str]) -> list[TileSample]:
    shape = with_margin(pixels.TILES[film.region])
    corners = _corners_of(film)
    per_pixel = np.array([film.spacing_mm[1], film.spacing_mm[0]])
    samples = []
    for unit, frame in zip(units, tile_frames(midpoints, shape), strict=True):
        seen = [corners[site] for site in CORNERS[unit] if corners[site].visible]
        points = frame.to_tile(np.array([[c.x, c.y] for c in seen]).reshape(-1, 2) * per_pixel)
        sizes = np.array([[c.width, c.height] for c in seen]).reshape(-1, 2) * per_pixel / shape.mm_per_pixel
        grades = np.array([[c.grade] for c in seen]).reshape(-1, 1)
        tile = the_pixels.cut_tile(grey, film.spacing_mm, frame, shape.rows, shape.columns)
        labels = np.concatenate([grades, points, sizes], axis=1).astype(np.float32)
        samples.append(TileSample(to_bytes(tile), labels, unit, film.patient))
    return samples


@dataclass(frozen=True)
class SampleSet:
    """All samples of some films."""

    finder: list[FinderSample]
    tiles: list[TileSample]

    @property
    def patients(self) -> set[str]:
        return {sample.patient for sample in self.finder}

    def __add__(self, other: SampleSet) -> SampleSet:
        return SampleSet(self.finder + other.finder, self.tiles + other.tiles)


def prepare_all(films: Iterable[LabelledFilm]) -> SampleSet:
    """The samples of many films, in order."""
    pairs = [prepare(film) for film in films]
    return SampleSet([finder for finder, _ in pairs], [tile for _, tiles in pairs for tile in tiles])


def save(samples: SampleSet, path: Path) -> None:
    """Write samples to one .npz without pickling; the file appears under its name only when it is whole."""
    arrays: dict[str, np.ndarray] = {}
    for name, group, labels in (
        ("finder", samples.finder, [sample.units for sample in samples.finder]),
        ("tiles", samples.tiles, [sample.corners for sample in samples.tiles]),
    ):
        arrays |= _pack(f"{name}_image", [sample.image for sample in group])
        arrays |= _pack(f"{name}_label", labels)
        arrays[f"{name}_patient"] = np.array([sample.patient for sample in group], dtype=str)
    arrays["tiles_unit"] = np.array([sample.unit for sample in samples.tiles], dtype=str)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    partial.replace(path)


def load(path: Path) -> SampleSet:
    """Read what :func:`save` wrote."""
    with np.load(path, allow_pickle=False) as file:
        finder = zip(
            _unpack(file, "finder_image"),
            _unpack(file, "finder_label"),
            file["finder_patient"].tolist(),
            strict=True,
        )
        tiles = zip(
            _unpack(file, "tiles_image"),
            _unpack(file, "tiles_label"),
            file["tiles_unit"].tolist(),
            file["tiles_patient"].tolist(),
            strict=True,
        )
        return SampleSet([FinderSample(*row) for row in finder], [TileSample(*row) for row in tiles])


def _pack(name: str, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    flat = [array.ravel() for array in arrays]
    return {
        name: np.concatenate(flat) if flat else np.zeros(0, np.uint8),
        f"{name}_shape": np.array([array.shape for array in arrays], dtype=np.int64).reshape(-1, 2),
    }


def _unpack(file: np.lib.npyio.NpzFile, name: str) -> list[np.ndarray]:
    flat, shapes = file[name], file[f"{name}_shape"]
    ends = np.cumsum(shapes.prod(axis=1))[:-1]
    return (
        [part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True)]
        if len(shapes)
        else []
    )
