"""Lines along the spine by image row: what lies before and behind it is drawn at distances from them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from data.phantom.mri.anatomy import DRAWN, Spine


@dataclass(frozen=True)
class Lines:
    """One number a row, shape (rows, 1).

    back: x of the posterior wall. lateral: z of the midline. slope: cosine of the spine's slant in the plane.
    place: index into ``DRAWN``, whole in the middle of a body, falling below 0 above C2. depth: half depth
    of the bodies.
    """

    back: np.ndarray
    lateral: np.ndarray
    slope: np.ndarray
    place: np.ndarray
    depth: np.ndarray
    smooth_back: np.ndarray

    def of_rows(self, rows: slice) -> Lines:
        """The lines of some of the rows."""
        own = (getattr(self, field.name)[rows] for field in fields(self))
        return Lines(*own)

    def along(self, levels: tuple[str, ...], values: tuple[float, ...]) -> np.ndarray:
        """A measure by row from its values at some levels; the same beyond the first and the last."""
        at = [DRAWN.index(level) for level in levels]
        return np.interp(self.place[:, 0], at, values)[:, None].astype(np.float32)


def lines(spine: Spine, y: np.ndarray) -> Lines:
    """The lines of a spine at these rows."""
    placed = list(spine.placed.values())
    walls = np.array([p.point(0.86 * p.vertebra.depth, 0, 0) for p in placed])
    centres = spine.centres()
    tilt = np.interp(y, walls[:, 1], [p.tilt for p in placed])
    back = _extended(walls[:, 1], walls[:, 0], y)
    lateral = _extended(walls[:, 1], centres[:, 2], y, flat=True)
    place = _extended(walls[:, 1], np.arange(len(placed), dtype=float), y)
    depth = np.interp(y, walls[:, 1], [p.vertebra.depth for p in placed])
    wide = np.linspace(y[0] - 90, y[-1] + 90, 400)
    far = _extended(walls[:, 1], walls[:, 0], wide)
    step = wide[1] - wide[0]
    kernel = np.exp(-0.5 * (np.arange(-120, 121) * step / 45) ** 2)
    smooth = np.convolve(np.pad(far, 120, mode="edge"), kernel / kernel.sum(), mode="valid")
    column = [
        back, lateral, np.cos(np.radians(tilt)), place, depth, np.interp(y, wide, smooth),
    ]  # fmt: skip
    return Lines(*(one[:, None].astype(np.float32) for one in column))


def _extended(at, values, y, *, flat: bool = False) -> np.ndarray:
    """A smooth curve through values, straight beyond both ends."""
    from scipy.interpolate import PchipInterpolator

    inner = np.clip(y, at[0], at[-1])
    curve = PchipInterpolator(at, values)
    found = curve(inner)
    if not flat:
        first = (values[1] - values[0]) / (at[1] - at[0])
        last = (values[-1] - values[-2]) / (at[-1] - at[-2])
        found = found + np.minimum(y - at[0], 0) * first + np.maximum(y - at[-1], 0) * last
    return np.asarray(found)
