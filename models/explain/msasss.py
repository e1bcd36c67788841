"""Maps of the mSASSS networks: the grader's for a corner on the tile of its unit, the finder's for a unit on
the whole film.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch

from core.domain import Film
from models.explain.boxes import BoxTarget, box_target, own_copy
from models.explain.cam import WEIGHTINGS, heat_map
from models.explain.method import METHODS, Method
from models.msasss import pixels
from models.msasss.geometry import Frame, tile_frames
from models.msasss.infer import VIEWS_MM, MsasssScorer, Reading
from models.msasss.sites import ALL_UNITS, UNIT_OF_SITE, UNITS


@dataclass(frozen=True)
class Picture:
    """A network's input, (rows, columns) in [0, 1], with where it lies on the film.

    frame: film millimetres of its pixels, in the film's mirror image where ``mirrored``.
    """

    grey: np.ndarray
    frame: Frame
    spacing_mm: tuple[float, float]
    mirrored: bool

    @property
    def tensor(self) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(self.grey))[None, None]

    def cut(self, film_mask: np.ndarray) -> np.ndarray:
        """A mask of the whole film, as the network's input lies: share of each pixel inside, 0 to 1."""
        mask = np.ascontiguousarray(film_mask[:, ::-1] if self.mirrored else film_mask).astype(np.float32)
        per_mm = np.array([1 / self.spacing_mm[1], 1 / self.spacing_mm[0]])
        along_x, along_y = self.frame.along_x / 3 * per_mm, self.frame.along_y / 3 * per_mm
        first = self.frame.origin * per_mm + (along_x + along_y) / 2 - 0.5
        rows, columns = self.grey.shape
        way = np.stack([along_x, along_y, first], axis=1)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        fine = cv2.warpAffine(mask, way, (3 * columns, 3 * rows), flags=flags)
        return np.asarray(cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA))


@dataclass(frozen=True)
class Question:
    """What a map is asked: a class at a box, on the pictures that the scorer looks at.

    views: pictures with the box on each, (x0, y0, x1, y1) in its pixels; the map lies on the first of them. A
    grade is the mean over the views, and so is its map.
    """

    network: str
    name: str
    views: tuple[tuple[Picture, np.ndarray], ...]
    column: int

    @property
    def picture(self) -> Picture:
        return self.views[0][0]

    @property
    def box(self) -> np.ndarray:
        return self.views[0][1]


class MsasssExplainer:
    """Maps for what a scorer read. It works on copies of the scorer's networks."""

    def __init__(self, scorer: MsasssScorer) -> None:
        self.scorer = scorer
        self.networks = {"grader": own_copy(scorer.grader), "finder": own_copy(scorer.finder)}

    def about_site(
        self, film: Film, reading: Reading, site: str, grade: int, shift_mm: tuple[float, float] = (0.0, 0.0)
    ) -> Question:
        """Why this grade at this site: its unit's tile and its box. shift_mm: moves the tile on the film."""
        grey = _grey(film, reading)
        shape = pixels.TILES[reading.chain.region]
        scale = shape.mm_per_pixel / pixels.TILES["lumbar"].mm_per_pixel
        number = UNITS[reading.chain.region].index(UNIT_OF_SITE[site])
        base = _moved(tile_frames(reading.chain.xy, shape)[number], shift_mm)
        seen, views = reading.sites[site], []
        for across, down in VIEWS_MM[: self.scorer.settings.views]:
            frame = _moved(base, (across * scale, down * scale))
            tile = pixels.cut_tile(grey, reading.spacing_mm, frame, shape.rows, shape.columns)
            centre = frame.to_tile(seen.centre[None])[0]
            half = seen.side_mm / 2 / frame.mm_per_pixel
            picture = Picture(tile, frame, reading.spacing_mm, reading.mirrored)
            views.append((picture, np.concatenate([centre - half, centre + half])))
        return Question("grader", site, tuple(views), grade)

    def about_unit(
        self, film: Film, reading: Reading, unit: str, shift_mm: tuple[float, float] = (0.0, 0.0)
    ) -> Question:
        """Why this name of this unit: the whole film, and a box as long as units lie apart."""
        grey = _grey(film, reading)
        if any(shift_mm):
            rows_mm, columns_mm = reading.spacing_mm
            way = np.array([[1.0, 0.0, -shift_mm[0] / columns_mm], [0.0, 1.0, -shift_mm[1] / rows_mm]])
            grey = cv2.warpAffine(grey, way, grey.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        small = pixels.pad_to_step(pixels.resample(grey, reading.spacing_mm, pixels.FINDER_MM))
        mm = pixels.FINDER_MM
        frame = Frame(np.array(shift_mm, float), np.array([mm, 0.0]), np.array([0.0, mm]))
        chain = reading.chain
        centre = (chain.xy[UNITS[chain.region].index(unit)] - frame.origin) / mm
        half = chain.spacing / 2 / mm
        picture = Picture(small, frame, reading.spacing_mm, reading.mirrored)
        column = ALL_UNITS.index(unit)
        return Question("finder", unit, ((picture, np.concatenate([centre - half, centre + half])),), column)

    def targets(self, question: Question) -> list[BoxTarget]:
        """The score that is explained on each view, chosen with the scorer's own weights."""
        network = self.networks[question.network]
        return [box_target(network, view.tensor, box, question.column) for view, box in question.views]

    def heat(
        self,
        question: Question,
        method: Method | None = None,
        *,
        targets: list[BoxTarget] | None = None,
        network: torch.nn.Module | None = None,
    ) -> np.ndarray:
        """The map at the size of the picture, float32, largest value 1 (all 0 where nothing speaks for it).

        network: other weights of the same definition, for the randomisation test.
        """
        chosen = method or METHODS["msasss"][question.network]
        used: Any = network or self.networks[question.network]
        layer, weigh = used.model[chosen.layer], WEIGHTINGS[chosen.weighting]
        asked = targets or self.targets(question)
        total = np.zeros(question.picture.grey.shape, np.float32)
        for (view, _), target in zip(question.views, asked, strict=True):
            fine = spread(heat_map(used, layer, view.tensor, target, weigh), view.grey.shape)
            total += laid_on(fine, view, question.picture)
        top = float(total.max())
        return total / top if top > 0 else total


def laid_on(heat: np.ndarray, own: Picture, other: Picture) -> np.ndarray:
    """A map of one picture as it lies on another one of the same film that is shifted against it."""
    across, down = other.frame.to_tile(own.frame.origin[None])[0]
    if not (across or down):
        return heat
    way = np.array([[1.0, 0.0, across], [0.0, 1.0, down]])
    return np.asarray(cv2.warpAffine(heat, way, heat.shape[::-1]))


def spread(coarse: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A layer's map at the size of the picture, scaled to a largest value of 1."""
    fine = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    top = float(fine.max())
    return np.asarray(fine / top if top > 0 else np.zeros_like(fine), dtype=np.float32)


def _grey(film: Film, reading: Reading) -> np.ndarray:
    grey = pixels.as_grey(film.pixels)
    return np.ascontiguousarray(grey[:, ::-1]) if reading.mirrored else grey


def _moved(frame: Frame, shift_mm: tuple[float, float]) -> Frame:
    unit = frame.mm_per_pixel
    across, down = shift_mm
    return replace(frame, origin=frame.origin + (frame.along_x * across + frame.along_y * down) / unit)
