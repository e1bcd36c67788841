"""Maps of the mSASSS networks: the grader's for a corner on the tile of its unit, the finder's for a unit on
the whole film.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch

from core.domain import Abstained, Image
from core.errors import ModelError
from core.scores.msasss import MSASSS
from models.common import pixels as the_pixels
from models.common.frames import Frame
from models.explain.box_target import BoxTarget, box_target, own_copy
from models.explain.cam import WEIGHTINGS, heat_map
from models.explain.explanation import Explanation, Map
from models.explain.question import Picture, Question, laid_on, spread
from models.msasss import networks, pixels
from models.msasss.geometry import tile_frames
from models.msasss.grading import GradingRule
from models.msasss.scorer import VIEWS_MM, MsasssScorer, Reading, build
from models.msasss.sites import ALL_UNITS, UNIT_OF_SITE, UNITS
from models.msasss.system import MAPS
from models.system import Method


def _from(layer: int, last: int = 18) -> tuple[str, ...]:
    """How the names of the weights of this layer and all later ones begin."""
    return tuple(f"model.{number}." for number in range(layer, last + 1))


STAGES = {
    "grader": {"last layer": _from(13), "head": _from(10), "deep half": _from(6), "all": ("",)},
    "finder": {"last layer": _from(18), "head": _from(11), "deep half": _from(5), "all": ("",)},
}
SHIFTS_MM = {"grader": ((0.4, -0.3), (-0.3, 0.5), (0.6, 0.6)), "finder": ((3.0, -2.0), (-2.0, 4.0))}


class MsasssExplainer:
    """Maps for what a scorer read. It works on copies of the scorer's networks."""

    def __init__(self, scorer: MsasssScorer) -> None:
        self.scorer = scorer
        self.stages, self.shifts_mm = STAGES, SHIFTS_MM
        self.networks = {"grader": own_copy(scorer.grader), "finder": own_copy(scorer.finder)}

    def about_site(
        self, film: Image, reading: Reading, site: str, grade: int, shift_mm: tuple[float, float] = (0.0, 0.0)
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
            tile = the_pixels.cut_tile(grey, reading.spacing_mm, frame, shape.rows, shape.columns)
            centre = frame.to_tile(seen.centre[None])[0]
            half = seen.side_mm / 2 / frame.mm_per_pixel
            picture = Picture(tile, frame, reading.spacing_mm, reading.mirrored)
            views.append((picture, np.concatenate([centre - half, centre + half])))
        return Question("grader", site, tuple(views), grade)

    def about_unit(
        self, film: Image, reading: Reading, unit: str, shift_mm: tuple[float, float] = (0.0, 0.0)
    ) -> Question:
        """Why this name of this unit: the whole film, and a box as long as units lie apart."""
        grey = _grey(film, reading)
        if any(shift_mm):
            rows_mm, columns_mm = reading.spacing_mm
            way = np.array([[1.0, 0.0, -shift_mm[0] / columns_mm], [0.0, 1.0, -shift_mm[1] / rows_mm]])
            grey = cv2.warpAffine(grey, way, grey.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        small = the_pixels.pad_to_step(the_pixels.resample(grey, reading.spacing_mm, pixels.FINDER_MM))
        mm = pixels.FINDER_MM
        frame = Frame(np.array(shift_mm, float), np.array([mm, 0.0]), np.array([0.0, mm]))
        chain = reading.chain
        centre = (chain.xy[UNITS[chain.region].index(unit)] - frame.origin) / mm
        half = chain.spacing / 2 / mm
        picture = Picture(small, frame, reading.spacing_mm, reading.mirrored)
        column = ALL_UNITS.index(unit)
        return Question("finder", unit, ((picture, np.concatenate([centre - half, centre + half])),), column)

    def again(
        self, film: Image, reading: Reading, asked: Question, shift_mm: tuple[float, float]
    ) -> Question:
        """The same question about the picture moved on the film."""
        if asked.network == "grader":
            return self.about_site(film, reading, asked.name, asked.column, shift_mm)
        return self.about_unit(film, reading, asked.name, shift_mm)

    def targets(self, question: Question, method: Method | None = None) -> list[BoxTarget]:
        """The score that is explained on each view, chosen with the scorer's own weights."""
        chosen = method or MAPS[question.network]
        network, against = self.networks[question.network], None
        if chosen.contrast:
            against = 0 if question.column else 1
        return [
            box_target(network, view.tensor, box, question.column, against) for view, box in question.views
        ]

    def fresh(self, name: str, size: str) -> Any:
        """A network of the same definition with random weights."""
        return getattr(networks, name)(size)

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
        chosen = method or MAPS[question.network]
        used: Any = network or self.networks[question.network]
        layer, weigh = used.model[chosen.layer], WEIGHTINGS[chosen.weighting]
        asked = targets or self.targets(question, chosen)
        total = np.zeros(question.picture.grey.shape, np.float32)
        for (view, _), target in zip(question.views, asked, strict=True):
            fine = spread(heat_map(used, layer, view.tensor, target, weigh), view.grey.shape)
            total += laid_on(fine, view, question.picture)
        top = float(total.max())
        return total / top if top > 0 else total


def _grey(film: Image, reading: Reading) -> np.ndarray:
    grey = the_pixels.as_grey(film.pixels)
    return np.ascontiguousarray(grey[:, ::-1]) if reading.mirrored else grey


def _moved(frame: Frame, shift_mm: tuple[float, float]) -> Frame:
    unit = frame.mm_per_pixel
    across, down = shift_mm
    return replace(frame, origin=frame.origin + (frame.along_x * across + frame.along_y * down) / unit)


def explain_stored(film: Image, stored: pd.Series, size: str) -> Explanation:
    """Why the model gave its grade at a site: the film is read again by the same weights.

    stored: row of the finding. Raises ModelError where the site is no longer found.
    """
    site, used = str(stored["site"]), MsasssExplainer(build(size=size, threads=1))
    reading = used.scorer.read(film)
    if isinstance(reading, Abstained) or site not in reading.sites:
        raise ModelError(
            f"site {site} of film {film.image[:12]}", "it is no longer found on the film", "verify the cohort"
        )
    rule = used.scorer.rule
    probabilities = rule.probabilities(reading.sites[site].logits[None])
    grade = int(rule.grades(probabilities)[0])
    question = used.about_site(film, reading, site, grade)
    method = MAPS["grader"]
    place = MSASSS.by_code[site]
    words = MSASSS.by_feature[place.feature].grades
    given = int(stored["grade"])
    return Explanation(
        headline=f"{place.name}: grade {grade}, {words[grade]}",
        grade=grade,
        labels=tuple(f"{number} {word}" for number, word in enumerate(words)),
        probabilities=tuple(float(p) for p in probabilities[0]),
        tile=question.picture.grey,
        box=question.box,
        mm_per_pixel=question.picture.frame.mm_per_pixel,
        maps=(Map("grader", title_of(grade, method), method.name, used.heat(question)),),
        rule=f"Grade: {rule_text(rule)}",
        notes=() if given == grade else (f"stored grade {given}, read again now {grade}",),
    )


def title_of(grade: int, method: Method) -> str:
    """What a map of a grade shows, in words."""
    against = f" rather than {0 if grade else 1}" if method.contrast else ""
    return f"What speaks for grade {grade}{against}"


def rule_text(rule: GradingRule) -> str:
    """How a grade follows from probabilities, in words."""
    if len(set(rule.class_weight)) == 1:
        return "the most probable grade"
    weights = ", ".join(f"{value:g}" for value in rule.class_weight)
    return f"the largest of probability x {weights} (grades 0 to {len(rule.class_weight) - 1})"
