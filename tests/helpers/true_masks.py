"""Stacks of phantom MRI, and doubles of the two networks of SPARCC that know what was drawn on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.domain import Image
from core.imaging.sequences import STIR
from data.phantom.mri.anatomy import BODY_LABEL, DISC_LABEL
from data.phantom.mri.patients import Patient
from data.phantom.mri.render import RenderedStack
from models.sparcc.anatomy.segment import Segmenter
from models.sparcc.anatomy.targets import CHANNELS
from models.sparcc.anatomy.upright import upright
from models.sparcc.oedema.finder import OedemaFinder
from models.sparcc.scorer import SparccScorer

SURE = 0.9  # chance of what was drawn


def image_of(stack: RenderedStack, name: str, region: str) -> Image:
    """A rendered stack as the store hands it to a scorer."""
    return Image(
        name,
        stack.stir,
        stack.spacing_mm,
        "MR",
        f"{region} spine",
        orientation=stack.plan.orientation,
        positions_mm=stack.plan.positions_mm,
        sequence=STIR,
        region=region,
    )


def drawn(patient: Patient, week: int, views: Sequence[str]) -> list[tuple[Image, RenderedStack]]:
    """The stacks of a visit, each with what was drawn on it."""
    stacks = [(view, patient.stack(week, view)) for view in views]
    return [(image_of(stack, view, view), stack) for view, stack in stacks]


class TrueSegmenter(Segmenter):
    """Chances of bodies, discs, L5 and C2 as drawn; parts and names are told as by the real one."""

    def __init__(self, stacks: Sequence[tuple[Image, RenderedStack]]) -> None:
        self._known = [(upright(image), image, stack) for image, stack in stacks]

    def chances(self, frames: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
        for way, image, stack in self._known:
            if not isinstance(way, str) and np.array_equal(way.stand(image.frames), frames):
                return np.stack([self._of(name, way.stand(stack.structures)) for name in CHANNELS])
        return np.zeros((len(CHANNELS), *frames.shape), np.float16)

    def _of(self, channel: str, structures: np.ndarray) -> np.ndarray:
        labels = {"body": BODY_LABEL.values(), "disc": DISC_LABEL.values()}.get(channel) or [
            BODY_LABEL[channel]
        ]
        return np.where(np.isin(structures, list(labels)), SURE, 0.02).astype(np.float16)


class TrueFinder(OedemaFinder):
    """Oedema as drawn."""

    def __init__(self, stacks: Sequence[tuple[Image, RenderedStack]]) -> None:
        self._known = [(image, stack) for image, stack in stacks]

    def chances(self, image: Image, within: np.ndarray | None = None) -> np.ndarray:
        for known, stack in self._known:
            if np.array_equal(known.frames, image.frames):
                return np.where(stack.oedema > 0, SURE, 0.01).astype(np.float16)
        return np.zeros(image.frames.shape, np.float16)

    def masks_of(self, chances: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
        return np.asarray(chances > 0.5)


def true_scorer(stacks: Sequence[tuple[Image, RenderedStack]]) -> SparccScorer:
    """The scorer on true masks."""
    return SparccScorer(TrueSegmenter(stacks), TrueFinder(stacks))
