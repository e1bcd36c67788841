"""A labelled volume as lesions are drawn into it: its bodies, how wide they are, and its CSF."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.domain import Abstained
from core.errors import InputError
from data.phantom.mri.shape import Inside
from models.sparcc.anatomy.evaluate import image_of
from models.sparcc.anatomy.volumes import LabelledStack
from models.sparcc.rule.bodies import Body
from models.sparcc.rule.references import References
from models.sparcc.rule.settings import Settings
from models.sparcc.rule.stack import Anatomy, Stack, look_at

AIR = 0.02  # quantile that is air
WALL_MM = 1.5  # how near to its line a pixel is one of the wall


@dataclass(frozen=True)
class Measured:
    """A volume of which bodies are labelled, its air at 0. stack: as the rule sees it."""

    volume: LabelledStack
    stack: Stack

    @cached_property
    def csf(self) -> dict[str, float]:
        """Level -> signal of CSF behind it, or behind the nearest body where it shows; none where it shows
        nowhere.
        """
        references = References(self.stack)
        found = {level: references.csf(level) for level in self.levels}
        return {level: one.value for level, one in found.items() if not isinstance(one, str)}

    @cached_property
    def marrow(self) -> float:
        """Median signal of all labelled bodies."""
        return float(np.median(self.volume.frames[self.volume.labels > 0]))

    @property
    def levels(self) -> list[str]:
        """Levels whose bodies can be measured on a slice, from head to foot."""
        return [level for level, bodies in self.stack.bodies.items() if bodies]

    @property
    def step(self) -> float:
        """mm between slices."""
        return self.volume.spacing_mm[0]

    def half_width(self, level: str) -> float:
        """Half of how wide a body is across, mm."""
        return len(self.stack.bodies[level]) * self.step / 2

    def half_depth(self, level: str) -> float:
        """Half of how deep a body is from front to back on its middle slice, mm."""
        return float(np.ptp(self._middle(level).forward)) / 2

    def height(self, level: str) -> float:
        """How high a body is on its middle slice, mm."""
        body = self._middle(level)
        return float((body.top(body.forward) - body.bottom(body.forward)).mean())

    def wall_behind(self, frame: int) -> list[np.ndarray]:
        """Rows and columns of the posterior wall of each body of a slice, from head to foot."""
        found = []
        for level in self.levels:
            if (body := self.stack.bodies[level].get(frame)) is not None:
                near = np.abs(body.forward - body.back(body.upward)) <= WALL_MM
                found.append(body.pixels[near])
        return [pixels for pixels in found if len(pixels) > 2]

    def _middle(self, level: str) -> Body:
        bodies = self.stack.bodies[level]
        at = self.stack.middle_of(level)
        return bodies[min(bodies, key=lambda frame: abs(self.stack.plane.places[frame] - at))]

    def lateral(self, level: str, frame: int) -> float:
        """mm of a slice from the middle of a body."""
        return float(self.stack.plane.places[frame] - self.stack.middle_of(level))

    def inside(self, level: str, frame: int) -> tuple[np.ndarray, np.ndarray, Inside]:
        """Rows and columns of a body and what is around it on a slice, their place from front to back from
        its middle (mm), and how far they lie inside its walls and end plates.
        """
        body = self.stack.bodies[level][frame]
        grid = _around(body.pixels, self.volume.labels.shape[1:])
        forward, upward = body.axes(self.stack.plane.mm(grid))
        front, back = body.front(upward) - forward, forward - body.back(upward)
        upper, lower = body.top(forward) - upward, upward - body.bottom(forward)
        where = Inside(front, back, np.full(len(grid), np.inf), upper, lower)
        return grid, (front - back) / 2, where


def measure(volume: LabelledStack) -> Measured:
    """A volume measured. Raises InputError where nothing can be drawn into it, saying why."""
    if not volume.has_bodies:
        raise InputError(volume.file, "its discs are labelled, no bodies to draw into", "leave it out")
    frames = np.maximum(volume.frames - np.quantile(volume.frames, AIR), 0).astype(np.float32)
    volume = replace(volume, frames=frames)
    anatomy = Anatomy(volume.labels, dict(enumerate(volume.names, 1)))
    stack = look_at(image_of(volume), anatomy, np.zeros(volume.labels.shape, np.uint8), Settings())
    if isinstance(stack, Abstained):
        raise InputError(volume.file, stack.reason, "leave it out")
    found = Measured(volume, stack)
    if not found.csf:
        raise InputError(volume.file, "its CSF is not brighter than marrow", "leave it out")
    return found


def _around(pixels: np.ndarray, size: tuple[int, ...], margin: int = 4) -> np.ndarray:
    low = np.maximum(pixels.min(axis=0) - margin, 0)
    high = np.minimum(pixels.max(axis=0) + margin + 1, size)
    return np.asarray(low + np.argwhere(np.ones(high - low, dtype=bool)))
