"""What a lesion's signal is compared with: CSF behind the body and normal marrow at a body's centre.

Both are taken near the body that is read, because coils make the same tissue brighter at one end of a stack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.imaging.spine import LEVELS
from models.sparcc.rule.bodies import Body
from models.sparcc.rule.stack import Stack
from models.sparcc.rule.units import frames_near

MIN_SHARE = 0.6  # of the band behind a body that must lie on the image
MIN_CENTRE = 5  # pixels of a body's centre on all its slices together


@dataclass(frozen=True)
class Reference:
    """A signal to compare with. level: the body it was measured at. frames, pixels: where."""

    value: float
    level: str
    frames: tuple[int, ...]
    pixels: int


class References:
    """CSF and marrow of a stack; each body is measured once."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._csf: dict[str, Reference | None] = {}
        self._marrow: dict[str, Reference | None] = {}

    def marrow(self, level: str) -> Reference | str:
        """Normal marrow at the centre of this body, else of the nearest body whose centre is normal."""
        found = self._nearest(level, self._marrow, self._marrow_of)
        return found or "no body of the stack has a centre without oedema"

    def csf(self, level: str) -> Reference | str:
        """CSF behind this body, else behind the nearest body where it shows."""
        found = self._nearest(level, self._csf, self._csf_of)
        return found or "no CSF brighter than marrow shows behind the bodies"

    def _nearest(
        self,
        level: str,
        known: dict[str, Reference | None],
        measure: Callable[[str], Reference | None],
    ) -> Reference | None:
        """The measurement at a body or at the nearest one along the spine; of equals the cranial one."""
        at = LEVELS.index(level)
        for name in sorted(self._stack.bodies, key=lambda name: abs(LEVELS.index(name) - at)):
            if name not in known:
                known[name] = measure(name)
            if (found := known[name]) is not None:
                return found
        return None

    def _marrow_of(self, level: str) -> Reference | None:
        """The median signal of a body's centre on its middle slices; None where oedema reaches it."""
        stack = self._stack
        frames = tuple(frames_near(stack, level, stack.settings.csf_reach))
        values, ill = [], []
        for frame in frames:
            body = stack.bodies[level][frame]
            centre = body.pixels[body.is_central()]
            values.append(stack.signal(frame, centre))
            ill.append(stack.has_oedema(frame, centre))
        if sum(map(len, values)) < MIN_CENTRE:
            return None
        if np.concatenate(ill).mean() > stack.settings.normal_centre:
            return None
        pooled = np.concatenate(values)
        return Reference(float(np.median(pooled)), level, frames, len(pooled))

    def _csf_of(self, level: str) -> Reference | None:
        """The median of what is bright in a band behind a body; None where the band lies off the image, or is
        nowhere clearly brighter than marrow (no STIR or T2, no canal).
        """
        stack = self._stack
        frames = tuple(frames_near(stack, level, stack.settings.csf_reach))
        values = [self._behind(frame, stack.bodies[level][frame]) for frame in frames]
        pooled = np.concatenate(values) if values else np.empty(0)
        marrow = self.marrow(level)
        if not len(pooled) or isinstance(marrow, str):
            return None
        value = float(np.median(brighter_class(pooled)))
        if value <= stack.settings.csf_contrast * max(marrow.value, 0.0) or value <= 0:
            return None
        return Reference(value, level, frames, len(pooled))

    def _behind(self, frame: int, body: Body) -> np.ndarray:
        """Signals in the band behind a body, as high as the body; none where too much of it is off the
        image.
        """
        stack, (near, far) = self._stack, self._stack.settings.csf_band
        around = np.ceil((2 * far) / np.array(stack.plane.pixel_mm[::-1])).astype(int)
        low = np.maximum(body.pixels.min(axis=0) - around, 0)
        high = np.minimum(body.pixels.max(axis=0) + around + 1, stack.image.frames.shape[1:])
        grid = low + np.argwhere(np.ones(high - low, dtype=bool))
        forward, upward = body.axes(stack.plane.mm(grid))
        behind = body.back(upward) - forward
        at_wall = body.back(upward)
        height = (upward < body.top(at_wall)) & (upward > body.bottom(at_wall))
        band = grid[(behind > near) & (behind < far) & height]
        free = stack.anatomy.labels[frame][band[:, 0], band[:, 1]] == 0
        wall = float(np.ptp(body.upward)) * (far - near) / stack.plane.pixel_area
        if len(band) < MIN_SHARE * wall:
            return np.empty(0)
        return stack.signal(frame, band[free])


def brighter_class(values: np.ndarray) -> np.ndarray:
    """The values above Otsu's threshold, which parts them into two classes that differ most; all of equal
    values. Otsu 1979, IEEE Trans Syst Man Cybern 9:62-66.
    """
    ordered = np.sort(values)
    count = np.arange(1, len(ordered))
    sums = np.cumsum(ordered)
    rest = len(ordered) - count
    between = count * rest * (sums[:-1] / count - (sums[-1] - sums[:-1]) / rest) ** 2
    between[np.diff(ordered) <= 0] = -1.0
    if not len(between) or between.max() <= 0:
        return ordered
    return np.asarray(ordered[int(between.argmax()) + 1 :])
