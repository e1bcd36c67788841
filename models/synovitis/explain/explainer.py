"""Maps of the five networks: what speaks for a grade rather than for none, for a diagnosis rather than for
the other one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch

from core.domain import Image
from core.imaging.ultrasound import for_network
from models.common.frames import Frame
from models.explain.box_target import own_copy
from models.explain.cam import WEIGHTINGS, heat_map
from models.explain.question import Picture, Question, laid_on, spread
from models.synovitis.explain.view import view_of
from models.synovitis.networks import PIXELS, build, load, normalised, seen_rows
from models.synovitis.system import MAPS
from models.synovitis.tasks import GRADE, TASKS
from models.system import Method

METHOD = MAPS[GRADE]  # of diagnoses too
STAGES = {
    "last layer": ("fc",),
    "head": ("layer4", "fc"),
    "deep half": ("layer3", "layer4", "fc"),
    "all": ("",),
}
SHIFTS_MM = ((0.6, -0.4), (-0.5, 0.7), (0.9, 0.9))


@dataclass(frozen=True)
class ColourPicture(Picture):
    """What the networks see, the upper rows of a picture. colour: uint8 (rows, columns, 3)."""

    colour: np.ndarray = None  # type: ignore[assignment]

    @property
    def tensor(self) -> torch.Tensor:
        return normalised(self.colour[None])


@dataclass(frozen=True)
class Contrast:
    """The score that is explained: what the network says for one class less what it says for another."""

    column: int
    against: int

    def __call__(self, output: torch.Tensor) -> torch.Tensor:
        return output[0, self.column] - output[0, self.against]


def contrast(column: int) -> Contrast:
    """A class against the first one, and the first against the second: a grade against none, one diagnosis
    against the other.
    """
    return Contrast(column, 0 if column else 1)


class SynovitisExplainer:
    """Maps of copies of the networks. networks: by task."""

    def __init__(self, networks: Mapping[str, Any], size: str = "demo") -> None:
        self.networks = {task: own_copy(network) for task, network in networks.items()}
        self.stages: dict[str, dict[str, tuple[str, ...]]] = dict.fromkeys(self.networks, STAGES)
        self.shifts_mm = dict.fromkeys(self.networks, SHIFTS_MM)
        self.size = size

    def about(
        self, image: Image, task: str, column: int, frame: int | None = None,
        shift_mm: tuple[float, float] = (0.0, 0.0),
    ) -> Question:  # fmt: skip
        """Why this class of a task, on the picture of a frame (the middle one unless given)."""
        view = view_of(image, PIXELS)
        mm = view.mm_per_pixel
        colour = for_network(image, len(image.frames) // 2 if frame is None else frame, PIXELS)
        if any(shift_mm):
            way = np.array([[1.0, 0.0, -shift_mm[0] / mm], [0.0, 1.0, -shift_mm[1] / mm]])
            colour = cv2.warpAffine(colour, way, (PIXELS, PIXELS), borderMode=cv2.BORDER_REPLICATE)
        colour = colour[: seen_rows(PIXELS)]
        grey = (colour @ np.array([0.299, 0.587, 0.114], np.float32) / 255).astype(np.float32)
        place = Frame(np.array(shift_mm, float), np.array([mm, 0.0]), np.array([0.0, mm]))
        picture = ColourPicture(grey, place, (mm, mm), False, colour)
        box = np.minimum(view.inside, [PIXELS, len(grey), PIXELS, len(grey)])
        return Question(task, image.image, ((picture, box),), column)

    def again(self, film: Image, reading: Any, asked: Question, shift_mm: tuple[float, float]) -> Question:
        """The same question about the picture moved. reading: the frame."""
        return self.about(film, asked.network, asked.column, reading, shift_mm)

    def targets(self, question: Question, method: Method | None = None) -> Callable[[Any], torch.Tensor]:
        """The score that is explained."""
        return contrast(question.column)

    def fresh(self, name: str, size: str) -> Any:
        """A network of the same definition with random weights."""
        return build(name, size)

    def heat(
        self, question: Question, method: Method | None = None, *, targets: Any = None, network: Any = None
    ) -> np.ndarray:
        """The map at the size of the picture, float32, largest value 1 (0 where nothing speaks for it)."""
        chosen = method or METHOD
        used = network or self.networks[question.network]
        layer = getattr(used, str(chosen.layer))
        target = targets or self.targets(question, chosen)
        coarse = heat_map(used, layer, question.picture.tensor, target, WEIGHTINGS[chosen.weighting])
        return laid_on(spread(coarse, question.picture.grey.shape), question.picture, question.picture)


def build_explainer(size: str = "demo") -> SynovitisExplainer:
    """The maps of the shipped weights. Raises ModelError where they are absent."""
    torch.set_num_threads(1)
    return SynovitisExplainer({task: load(task, size).network for task in TASKS}, size)
