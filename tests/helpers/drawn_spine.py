"""A sagittal stack drawn from rectangles whose places are known to the mm: bodies, discs, canal, oedema."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.domain import Image
from core.imaging.spine import LEVELS
from models.sparcc.rule.stack import Anatomy

MARROW, DISC, CSF, ELSEWHERE, LESION = 100.0, 60.0, 500.0, 20.0, 300.0


@dataclass
class DrawnSpine:
    """Bodies from ``top`` to ``bottom`` in a column that is turned by ``tilt`` degrees (head forwards), each
    turned by its own ``tilts`` more.

    width, height: of a body, mm. gap: of a disc. spacing: (row, column) mm of a pixel. step: between slices.
    size: of the image in mm. In a body's own mm, forward and up from its centre.
    """

    top: str = "L1"
    bottom: str = "S1"
    tilt: float = 0.0
    tilts: dict[str, float] = field(default_factory=dict)
    width: float = 34.0
    height: float = 26.0
    gap: float = 8.0
    spacing: tuple[float, float] = (1.0, 1.0)
    step: float = 4.0
    slices: int = 9
    size: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        first, last = LEVELS.index(self.top), LEVELS.index(self.bottom)
        self.levels = LEVELS[first : last + 1]
        pitch = self.height + self.gap
        length = pitch * len(self.levels)
        self.size = self.size or (length + 60, 0.5 * length + 110)
        rows, columns = (round(mm / one) for mm, one in zip(self.size, self.spacing, strict=True))
        y, x = np.mgrid[:rows, :columns].astype(float)
        self.x, self.y = x * self.spacing[1], y * self.spacing[0]
        middle = np.array([self.size[1] / 2 - 10, self.size[0] / 2])
        self.centres = {
            name: middle - self._axes()[1] * pitch * ((len(self.levels) - 1) / 2 - number)
            for number, name in enumerate(self.levels)
        }
        self.labels = np.zeros((self.slices, rows, columns), np.uint8)
        self.frames = np.full(self.labels.shape, ELSEWHERE, np.float32)
        self.oedema = np.zeros(self.labels.shape, bool)
        self._draw()

    def _axes(self, name: str = "") -> tuple[np.ndarray, np.ndarray]:
        """Forward and down, unit vectors (x, y)."""
        angle = np.radians(self.tilt + self.tilts.get(name, 0.0))
        return np.array([-np.cos(angle), np.sin(angle)]), np.array([np.sin(angle), np.cos(angle)])

    def own(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Forward and up of every pixel in a body's own mm."""
        forward, down = self._axes(name)
        dx, dy = self.x - self.centres[name][0], self.y - self.centres[name][1]
        return dx * forward[0] + dy * forward[1], -(dx * down[0] + dy * down[1])

    def _draw(self) -> None:
        self.label_of = {name: number for number, name in enumerate(self.levels, 1)}
        for name in self.levels:
            forward, up = self.own(name)
            canal = (forward < -self.width / 2 - 4) & (forward > -self.width / 2 - 14)
            self.frames[:, canal & (np.abs(up) <= (self.height + self.gap) / 2)] = CSF
        for name, number in self.label_of.items():
            forward, up = self.own(name)
            inside = (np.abs(forward) <= self.width / 2) & (np.abs(up) <= self.height / 2)
            self.labels[:, inside] = number
            self.frames[:, inside] = MARROW

    def lesion(
        self,
        name: str,
        forward: tuple[float, float],
        up: tuple[float, float],
        frames: tuple[int, ...],
        signal: float = LESION,
    ) -> None:
        """Oedema in a rectangle of a body's own mm, on some frames."""
        ahead, above = self.own(name)
        inside = (ahead >= forward[0]) & (ahead <= forward[1]) & (above >= up[0]) & (above <= up[1])
        for frame in frames:
            where = inside & (self.labels[frame] == self.label_of[name])
            self.oedema[frame][where] = True
            self.frames[frame][where] = signal

    def corner(self, name: str, which: str, frames: tuple[int, ...], side: float = 6.0, **more) -> None:
        """Oedema in a body's corner: ``upper anterior``, ``lower posterior`` ..."""
        width, height = self.width / 2, self.height / 2
        up = (height - side, height) if which.startswith("upper") else (-height, side - height)
        forward = (width - side, width) if which.endswith("anterior") else (-width, side - width)
        self.lesion(name, forward, up, frames, **more)

    @property
    def image(self) -> Image:
        """The stack as an image: slices from the patient's left to the right, rows down, columns back."""
        return Image(
            image="drawn",
            frames=self.frames,
            spacing_mm=self.spacing,
            modality="MR",
            slice_spacing_mm=self.step,
            orientation=((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
            positions_mm=tuple((16.0 - number * self.step, 0.0, 0.0) for number in range(self.slices)),
        )

    @property
    def anatomy(self) -> Anatomy:
        """The masks of its bodies."""
        return Anatomy(self.labels, {number: name for name, number in self.label_of.items()})
