"""What accumulates along the rays of one film, and simple ways to add shapes to it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from data.phantom.conditions import Conditions
from data.phantom.placement import Frame
from data.phantom.shapes import add_tube


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
        arrays = [np.zeros(shape, np.float32) for _ in range(4)]
        return cls(*arrays, pixel=c.spacing, conditions=c, rng=np.random.default_rng([c.draw, 11]))

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
        warp[:, 3] = rough * np.array([2.4, 1.3, 0.8, 0.4])
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

    def bone_tube(self, frame: Frame, local, radius, **options) -> None:
        """Tube through local points (n, 3) of a vertebra."""
        local = np.asarray(local, dtype=float)
        self.tube(
            frame.project(local[:, 0], local[:, 1], local[:, 2]), radius, mag=frame.magnification, **options
        )

    def plate(
        self, outline, thickness, *, shell=1.2, core=0.5, soften=0.0, mottle=0.25, round_off=6.0, step=2
    ) -> None:
        """Flat bone or slab from its outline (n, 2) in detector mm: thick inside, thinner at the rounded edge.

        thickness: patient mm along the beam. shell: cortical mm at each face; the edge is all cortex.
        """
        rows, cols = (int(np.ceil(n / step)) for n in self.shape)
        mask = np.zeros((rows, cols), np.uint8)
        points = np.round(np.asarray(outline) / (step * self.pixel) * 16).astype(np.int32)
        cv2.fillPoly(mask, [points], 1, shift=4)
        if not mask.any():
            return
        distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5) * step * self.pixel
        if soften:
            distance = cv2.GaussianBlur(distance, (0, 0), soften / (step * self.pixel))
        depth = np.sqrt(np.clip(1 - (1 - np.clip(distance / round_off, 0, 1)) ** 2, 0, 1))
        inner = np.clip(distance - shell, 0, None)
        hollow = np.sqrt(np.clip(1 - (1 - np.clip(inner / round_off, 0, 1)) ** 2, 0, 1))
        outer, core_path = thickness * depth, np.maximum(thickness - 2 * shell, 0) * hollow
        texture = 1 + mottle * self.noise(mask.shape, 0.7, step) + mottle * self.noise(mask.shape, 4, step)
        self.cortical += self.spread(np.maximum(outer - core_path, 0), step)
        self.trabecular += self.spread(core_path * core * np.clip(texture, 0.1, None), step)
