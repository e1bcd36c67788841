"""A stack with its masks as the rule looks at it: every named body on every slice, and what cuts it off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from core.domain import Abstained, Image
from core.errors import InputError
from core.imaging.spine import LEVELS
from models.sparcc.rule.bodies import Body, body_of
from models.sparcc.rule.plane import Plane, plane_of
from models.sparcc.rule.settings import Settings


@dataclass(frozen=True)
class Anatomy:
    """Bodies and discs of a stack. labels (frames, rows, columns), 0 for neither. levels: label -> name, of a
    body as in ``LEVELS``, anything else is no body. confidence: name -> how sure the name is, 1 if unstated.
    """

    labels: np.ndarray
    levels: Mapping[int, str]
    confidence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Stack:
    """An image, its plane, its anatomy and its oedema (frames, rows, columns) of one size."""

    image: Image
    plane: Plane
    anatomy: Anatomy
    oedema: np.ndarray
    settings: Settings

    @cached_property
    def label_of(self) -> dict[str, int]:
        """Level -> label, of bodies that have a pixel."""
        present = set(np.unique(self.anatomy.labels).tolist())
        named = {name: label for label, name in self.anatomy.levels.items() if label in present}
        return {name: named[name] for name in LEVELS if name in named}

    @cached_property
    def areas(self) -> dict[str, np.ndarray]:
        """Level -> pixels of its body on each frame."""
        return {
            name: (self.anatomy.labels == label).sum(axis=(1, 2)) for name, label in self.label_of.items()
        }

    @cached_property
    def bodies(self) -> dict[str, dict[int, Body]]:
        """Level -> frame -> body, of frames that show enough of it."""
        return {name: self._bodies(name) for name in self.label_of}

    def _bodies(self, name: str) -> dict[int, Body]:
        areas, label = self.areas[name], self.label_of[name]
        shown = np.flatnonzero(areas >= self.settings.min_body * areas.max())
        cranial = self._way_up(name)
        found = {
            int(frame): body_of(
                self.anatomy.labels[frame] == label, self.plane.pixel_mm, cranial, self.plane.anterior
            )
            for frame in shown
        }
        return {frame: body for frame, body in found.items() if body is not None}

    @cached_property
    def _centres(self) -> dict[str, np.ndarray]:
        """Level -> centre of its body in the plane, mm, over all frames."""
        return {
            name: self.plane.mm(np.argwhere(self.anatomy.labels == label)[:, 1:]).mean(axis=0)
            for name, label in self.label_of.items()
        }

    def _way_up(self, name: str) -> np.ndarray:
        """Up the spine at a body: from the named body below to the one above, else the patient's."""
        at = LEVELS.index(name)
        near = [
            LEVELS[place]
            for place in (at - 1, at, at + 1)
            if 0 <= place < len(LEVELS) and LEVELS[place] in self._centres
        ]
        if len(near) < 2:
            return self.plane.cranial
        along = self._centres[near[0]] - self._centres[near[-1]]
        return np.asarray(along / np.linalg.norm(along))

    def middle_of(self, name: str) -> float:
        """Place of a body's middle along the normal, mm: the mean of its pixels."""
        return float(np.average(self.plane.places, weights=self.areas[name]))

    def is_cut(self, name: str) -> bool:
        """Whether a body reaches the edge of the image on a frame that shows enough of it."""
        frames = list(self.bodies[name])
        mask = self.anatomy.labels[frames] == self.label_of[name]
        edges = (mask[:, 0], mask[:, -1], mask[:, :, 0], mask[:, :, -1])
        return any(bool(edge.any()) for edge in edges)

    def signal(self, frame: int, pixels: np.ndarray) -> np.ndarray:
        """The image's values at pixels (n, 2)."""
        return np.asarray(self.image.frames[frame][pixels[:, 0], pixels[:, 1]], dtype=float)

    def has_oedema(self, frame: int, pixels: np.ndarray) -> np.ndarray:
        """(n,) whether pixels (n, 2) are in the oedema mask."""
        return np.asarray(self.oedema[frame][pixels[:, 0], pixels[:, 1]], dtype=bool)


def look_at(image: Image, anatomy: Anatomy, oedema: np.ndarray, settings: Settings) -> Stack | Abstained:
    """The stack as the rule sees it, or why it does not.

    Raises InputError where masks and image differ in size, or two labels have one name.
    """
    for name, mask in (("bodies", anatomy.labels), ("oedema", oedema)):
        if mask.shape != image.frames.shape:
            raise InputError(
                f"a mask of {name} of shape {mask.shape}",
                f"the stack's shape {image.frames.shape} is needed",
                "give masks of the same stack",
            )
    bodies = [name for name in anatomy.levels.values() if name in LEVELS]
    if twice := sorted({name for name in bodies if bodies.count(name) > 1}):
        raise InputError(f"two bodies named {twice[0]}", "a level is one body", "name one of them only")
    plane = plane_of(image)
    if isinstance(plane, str):
        return Abstained(plane)
    stack = Stack(image, plane, anatomy, oedema > 0, settings)
    if not stack.label_of:
        return Abstained("no vertebral body has a name")
    if wrong := _out_of_order(stack):
        return Abstained(wrong)
    return stack


def _out_of_order(stack: Stack) -> str:
    """Why the names cannot be right: they do not run down the spine; ``""`` where they do."""
    heights = {name: float(centre @ stack.plane.cranial) for name, centre in stack._centres.items()}
    for (upper, high), (lower, low) in pairwise(heights.items()):
        if high <= low:
            return f"the levels are out of order: {lower} lies above {upper}"
    return ""
