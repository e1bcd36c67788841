"""Stacks of one visit to SPARCC: bodies found and named, oedema found, 18 items a unit by rule.

Nothing is graded by a network: two networks draw masks, a rule makes the points (``models.sparcc.rule``), so
that every point names the pixels, the value and the limit that made it. Names of levels are told across the
stacks of a visit, and a unit that two of them show is taken from one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.domain import Abstained, Image, Outline, Scored
from core.imaging.sequences import OEDEMA, SPINE
from core.imaging.spine import UNITS
from core.scores.sparcc import SLICES
from models import cards
from models.common.attention_unet import folded
from models.sparcc.anatomy.across import name_across
from models.sparcc.anatomy.segment import Segmented, Segmenter, build_segmenter
from models.sparcc.chances import chances_of
from models.sparcc.oedema.finder import OedemaFinder, build_finder
from models.sparcc.oedema.region import region_of
from models.sparcc.outlines import polygons_of
from models.sparcc.row import why_no_row
from models.sparcc.rule.plane import plane_of
from models.sparcc.rule.score import StackScore, score_stack
from models.system import reader_name

BODY, DISC, BRIGHT = "body", "disc", "oedema"


@dataclass(frozen=True)
class SparccReading:
    """What is seen of one stack.

    anatomy: masks of bodies and discs with their names. oedema (frames, rows, columns): bool mask at the
    operating point, at the bodies and behind them. chances: of each pixel there to be oedema. score: points
    by rule, or why there are none. pixel_area: mm2.
    """

    anatomy: Segmented
    oedema: np.ndarray
    chances: np.ndarray
    score: StackScore | Abstained
    pixel_area: float


class SparccScorer:
    """Scores the stacks of one visit together (read mode ``single``: each visit for itself)."""

    def __init__(
        self, segmenter: Segmenter, finder: OedemaFinder, *, size: str = "demo", weights_hash: str = ""
    ) -> None:
        self.segmenter, self.finder = segmenter, finder
        self.reader, self.weights_hash = reader_name("sparcc", size), weights_hash

    def score(self, images: Sequence[Image]) -> list[Scored | Abstained]:
        """One result per stack. A unit is graded on the one stack in whose middle it lies."""
        return self.judged(images, self.read_visit(images))

    def judged(
        self, images: Sequence[Image], readings: Sequence[SparccReading | Abstained]
    ) -> list[Scored | Abstained]:
        """The same of stacks that were read already."""
        own = taken_from(images, readings)
        told: set[str] = set()
        results: list[Scored | Abstained] = []
        for place, reading in enumerate(readings):
            result = judge(reading, {unit for unit, at in own.items() if at == place}, {*own, *told})
            if isinstance(result, Scored):
                told.update(site.partition(".")[0] for site in result.unscorable)
            results.append(result)
        return results

    def read(self, image: Image) -> SparccReading | Abstained:
        """Masks, named bodies and points of one stack alone, or why it is not looked at."""
        return self.read_visit([image])[0]

    def read_visit(self, images: Sequence[Image]) -> list[SparccReading | Abstained]:
        """The same of the stacks of one visit, named together, in the order given."""
        found = [self._segment(image) for image in images]
        seen = [(images[place], one) for place, one in enumerate(found) if isinstance(one, Segmented)]
        named = iter(name_across(seen))
        return [
            one if isinstance(one, Abstained) else self._look(image, next(named))
            for image, one in zip(images, found, strict=True)
        ]

    def _segment(self, image: Image) -> Segmented | Abstained:
        if why := why_not_looked_at(image):
            return Abstained(why)
        found = self.segmenter.segment(image)
        if isinstance(found, Segmented) and (why := why_no_row(found.bodies)):
            return Abstained(why)
        return found

    def _look(self, image: Image, anatomy: Segmented) -> SparccReading:
        """Oedema and points of a stack whose bodies are found."""
        assert image.spacing_mm is not None  # the segmenter abstains without
        bodies = np.isin(anatomy.labels, [body.label for body in anatomy.bodies])
        chances = self.finder.chances(image, region_of(image, bodies))
        oedema = self.finder.masks_of(chances, image.spacing_mm)
        score: StackScore | Abstained = (
            anatomy.named
            if isinstance(anatomy.named, Abstained)
            else score_stack(image, anatomy.anatomy(), oedema)
        )
        return SparccReading(anatomy, oedema, chances, score, float(np.prod(image.spacing_mm)))


def why_not_looked_at(image: Image) -> str:
    """What stands against looking at an image at all, whoever hands it over; ``""`` where nothing does."""
    if len(image.frames) < len(SLICES):
        many = "one picture" if image.is_film else f"{len(image.frames)} slices"
        return f"{many}: a unit is read on three slices of a stack"
    if image.modality not in ("", "MR"):
        return f"is {image.modality}, not MR"
    if image.body_part and image.body_part not in SPINE:
        return f"shows the {image.body_part}, not the spine"
    if image.sequence and image.sequence not in OEDEMA:
        return f"its sequence is {image.sequence}, on which marrow oedema cannot be told"
    return ""


def taken_from(images: Sequence[Image], readings: Sequence[SparccReading | Abstained]) -> dict[str, int]:
    """Unit -> place of the stack that it is taken from: that in whose middle, from head to foot, it lies."""
    away: dict[str, list[tuple[float, int]]] = {}
    for place, (image, reading) in enumerate(zip(images, readings, strict=True)):
        if isinstance(reading, SparccReading) and isinstance(reading.score, StackScore):
            for unit in reading.score.units:
                away.setdefault(unit, []).append((_from_middle(image, reading.anatomy, unit), place))
    return {unit: min(found)[1] for unit, found in away.items()}


def _from_middle(image: Image, anatomy: Segmented, unit: str) -> float:
    """mm along the spine between a unit and the middle of the picture."""
    plane = plane_of(image)
    assert not isinstance(plane, str)  # the stack has points
    labels = [label for label, name in anatomy.levels.items() if name in UNITS[unit]]
    pixels = np.argwhere(np.isin(anatomy.labels, labels))[:, 1:]
    middle = (np.array(image.frames.shape[1:]) - 1) / 2
    return round(abs(float(plane.mm(pixels.mean(axis=0)[None] - middle)[0] @ plane.cranial)), 3)


def judge(reading: SparccReading | Abstained, own: set[str], elsewhere: set[str]) -> Scored | Abstained:
    """Findings of the units that are taken from this stack, with outlines of what was found.

    elsewhere: units that are graded, or said to be missing, on some stack of the visit.
    """
    if isinstance(reading, Abstained):
        return reading
    if isinstance(reading.score, Abstained):
        return reading.score
    units = {unit: one for unit, one in reading.score.units.items() if unit in own}
    missing = {unit: why for unit, why in reading.score.missing.items() if unit not in elsewhere}
    score = replace(reading.score, units=units, missing=missing)
    result = score.scored(chances_of(score, reading.chances, reading.pixel_area))
    return replace(result, outlines=outlines_of(reading))


def outlines_of(reading: SparccReading) -> tuple[Outline, ...]:
    """Bodies, discs and oedema of every slice; discs and bodies with their names as far as they have any."""
    anatomy, found = reading.anatomy, []
    bodies = {body.label for body in anatomy.bodies}
    for frame, labels in enumerate(anatomy.labels):
        for label in np.unique(labels[labels > 0]).tolist():
            structure, name = BODY if label in bodies else DISC, anatomy.levels.get(label, "")
            found += [Outline(frame, structure, name, one) for one in polygons_of(labels == label)]
        found += [Outline(frame, BRIGHT, "", one) for one in polygons_of(reading.oedema[frame])]
    return tuple(found)


def build(
    *, size: str = "demo", device: str = "cpu", threads: int = 0, folder: Path = cards.FOLDER
) -> SparccScorer:
    """The scorer with its weights. Raises ModelError where they are absent or damaged."""
    if threads:
        torch.set_num_threads(threads)
    card: dict[str, Any] = cards.read_card("sparcc", size, folder)
    segmenter, finder = build_segmenter(size, folder), build_finder(size, folder)
    for network in (segmenter.network, finder.network):
        folded(network).to(memory_format=torch.channels_last)
    return SparccScorer(segmenter, finder, size=size, weights_hash=cards.weights_hash(card))
