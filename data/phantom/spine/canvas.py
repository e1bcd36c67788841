"""What accumulates along the rays of one film, and simple ways to add shapes to it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from data.phantom.spine.conditions import Conditions
from data.phantom.spine.ray_kernels import add_tube


@dataclass
class Canvas:
    """Path lengths in patient mm, float32 (rows, columns); ``metal`` and ``soft`` included.

    soft: water equivalent (gas takes away from it). x, y: detector mm of columns and rows, coarse = every
    ``step`` pixels for smooth things.
    """

    cortical: np.ndarray
    trabecular: np.ndarray
    soft: np.ndarray
    metal: np.ndarray
    pixel: float
    conditions: Conditions
    rng: np.random.Generator

    @classmethod
    def empty(cls, c: Conditions) -> Canvas:
        shape = (round(c.field[0] / c.spacing), round(c.field[1] / c.spacing))
        empty = np.zeros(shape, np.float32)
        rng = np.random.default_rng([c.draw, 11])
        return cls(empty, empty.copy(), empty.copy(), empty.copy(), pixel=c.spacing, conditions=c, rng=rng)

    @property
    def shape(self) -> tuple[int, int]:
        return self.cortical.shape

    def grid(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """x (1, n) and y (m, 1) in detector mm of a coarse grid that covers the image."""
        rows, cols = self.shape
        x = (np.arange(int(np.ceil(cols / step)), dtype=np.float32) + 0.5) * step * self.pixel
        y = (np.arange(int(np.ceil(rows / step)), dtype=np.float32) + 0.5) * step * self.pixel
        return x[None, :], y[:, None]

    def spread(self, coarse: np.ndarray, step: int) -> np.ndarray:
        """A coarse map at full size."""
        big = cv2.resize(
            np.ascontiguousarray(coarse, dtype=np.float32),
            None,
            fx=step,
            fy=step,
            interpolation=cv2.INTER_CUBIC,
        )
        return big[: self.shape[0], : self.shape[1]]

    def tissue(
        self, shape, step: int, slope: float = 1.85, longest: float = 45.0, lean: float = 0.0
    ) -> np.ndarray:
        """Noise of unit variance over all scales from ``longest`` mm down, like layers of fat and muscle."""
        rows, cols = shape
        spectrum = np.fft.rfft2(self.rng.standard_normal(shape, dtype=np.float32))
        fy = np.fft.fftfreq(rows, step * self.pixel)[:, None]
        fx = np.fft.rfftfreq(cols, step * self.pixel)[None, :]
        along, across = fy * np.cos(lean) + fx * np.sin(lean), fx * np.cos(lean) - fy * np.sin(lean)
        frequency = np.hypot(across, 1.7 * along) + 1.0 / longest
        field = np.fft.irfft2(spectrum * frequency**-slope, s=shape)
        return (field / field.std()).astype(np.float32)

    def noise(self, shape, correlation: float, step: int, stretch: float = 1.0) -> np.ndarray:
        """Smooth noise of unit variance on a coarse grid; ``correlation`` in detector mm."""
        raw = self.rng.standard_normal(shape, dtype=np.float32)
        sigma = max(correlation / (step * self.pixel), 0.3)
        field = cv2.GaussianBlur(
            raw, (0, 0), sigmaX=sigma, sigmaY=sigma * stretch, borderType=cv2.BORDER_REFLECT
        )
        return field / max(float(field.std()), 1e-6)

    def tube(self, points, radius, *, mag, shell=0.7, core=0.8, flat=1.0, slope=1.0, rough=0.25) -> None:
        """Hollow tube through detector points (n, 2); radius (n,) or a number, patient mm."""
        points = np.asarray(points, dtype=float)
        path = np.empty((len(points), 4))
        path[:, :2] = points
        path[:, 2] = radius
        path[:, 3] = slope
        warp = np.empty((4, 4))
        angle = self.rng.uniform(0, 2 * np.pi, 4)
        pitch = 2 * np.pi / np.array([31.0, 17.0, 9.0, 5.0])
        warp[:, 0], warp[:, 1] = pitch * np.cos(angle), pitch * np.sin(angle)
        warp[:, 2] = self.rng.uniform(0, 2 * np.pi, 4)
        warp[:, 3] = rough * np.array([2.0, 1.0, 0.35, 0.12])
        add_tube(
            self.cortical,
            self.trabecular,
            self.pixel,
            0.0,
            0.0,
            path,
            float(mag),
            shell,
            core,
            float(flat),
            warp,
        )

    def plate(
        self,
        outline,
        thickness: float,
        *,
        shell: float = 1.2,
        core: float = 0.5,
        soften: float = 0.0,
        mottle: float = 0.25,
        round_off: float = 6.0,
        wander: float = 0.4,
        step: int = 2,
        sign: float = 1.0,
    ) -> None:
        """Flat bone or slab from its outline (n, 2) in detector mm: thick inside, thinner at the rounded
        edge.

        thickness: patient mm along the beam. shell: cortical mm at each face; the edge is all cortex.
        round_off: mm over which the edge rises. wander: mm by which the outline leaves its ideal shape.
        """
        outline = self._wander(np.asarray(outline, dtype=float), wander)
        unit = step * self.pixel
        rows, cols = (int(np.ceil(n / step)) for n in self.shape)
        pad = int(np.ceil((2 + 3 * soften) / unit)) + 1
        low = np.floor(outline.min(axis=0) / unit).astype(int) - pad
        high = np.ceil(outline.max(axis=0) / unit).astype(int) + pad
        c0, r0 = max(low[0], 0), max(low[1], 0)
        c1, r1 = min(high[0], cols), min(high[1], rows)
        if c1 - c0 < 2 or r1 - r0 < 2:
            return
        big = 40  # room beyond the image, so that a bone cut by the edge has no rounded edge there
        mask = np.zeros((r1 - r0 + 2 * big, c1 - c0 + 2 * big), np.uint8)
        points = np.round((outline / unit - [c0 - big, r0 - big]) * 16).astype(np.int32)
        cv2.fillPoly(mask, [points], 1, shift=4)
        distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5)[big:-big, big:-big] * unit
        if not distance.any():
            return
        distance = cv2.GaussianBlur(distance, (0, 0), max(0.6, soften / unit))
        depth = _dome(distance / round_off)
        hollow = _dome((distance - shell) / round_off)
        outer, core_path = thickness * depth, max(thickness - 2 * shell, 0) * hollow
        texture = (
            1
            + mottle * self.noise(distance.shape, 0.55, step)
            + 0.6 * mottle * self.noise(distance.shape, 3, step)
        )
        window = (
            slice(r0 * step, min(r1 * step, self.shape[0])),
            slice(c0 * step, min(c1 * step, self.shape[1])),
        )
        for target, part in (
            (self.cortical, np.maximum(outer - core_path, 0)),
            (self.trabecular, core_path * core * np.clip(texture, 0.1, None)),
        ):
            large = cv2.resize(
                part.astype(np.float32), None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR
            )
            view = target[window]
            view += sign * large[: view.shape[0], : view.shape[1]]

    def _wander(self, outline: np.ndarray, amount: float) -> np.ndarray:
        """Move the points of a closed outline by smooth noise."""
        if amount <= 0 or len(outline) < 8:
            return outline
        t = np.linspace(0, 2 * np.pi, len(outline), endpoint=False)
        shift = np.zeros_like(outline)
        for k in range(2, 9):
            phase = self.rng.uniform(0, 2 * np.pi, 2)
            shift += np.sin(k * t[:, None] + phase) * self.rng.normal(0, 1, 2) / k**0.7
        return outline + amount * 0.6 * shift


def _dome(distance: np.ndarray) -> np.ndarray:
    """Height of a rounded edge: 0 at 0, 1 from 1 on."""
    return np.sqrt(np.clip(1 - (1 - np.clip(distance, 0, 1)) ** 2, 0, 1))


def smooth(points, closed: bool = True, each: int = 8) -> np.ndarray:
    """A smooth curve through points (Catmull-Rom), ``each`` steps a piece."""
    points = np.asarray(points, dtype=float)
    n = len(points)
    out = []
    t = np.linspace(0, 1, each, endpoint=False)[:, None]
    for i in range(n if closed else n - 1):
        if closed:
            a, b, c, d = (points[(i + k) % n] for k in (-1, 0, 1, 2))
        else:
            a, b, c, d = (points[min(max(i + k, 0), n - 1)] for k in (-1, 0, 1, 2))
        out.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    if not closed:
        out.append(points[-1:])
    return np.concatenate(out)
