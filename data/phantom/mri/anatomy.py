"""The whole spine of one body, lying on its back in the scanner: vertebrae C2 to S3 in place.

Coordinates are those of a stack: x along a row (to the back), y along a column (downwards), z along the slice
normal, which for these two points to the patient's right. Millimetres.

The body of the films has C2-T3 and T9-S3. T4-T8 lie on straight lines between T3 and T9 in every measure, as
heights, depths and widths of thoracic vertebrae rise nearly evenly from level to level (Panjabi 1991; not
verified here), with a spread of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from core.imaging import spine
from core.imaging.spine import LEVELS
from data.phantom.spine.body import Body, Vertebra
from data.phantom.spine.placement import axes_of

DRAWN = (*LEVELS, "S2", "S3")
UNITS = tuple(spine.UNITS)
BODY_LABEL = {level: number for number, level in enumerate(LEVELS, 1)}
DISC_LABEL = {unit: 100 + number for number, unit in enumerate(UNITS, 1)}
BETWEEN = ("T4", "T5", "T6", "T7", "T8")  # vertebrae that no film shows
THORACIC_GAP = 0.21  # anterior height of a disc T3-T8 / height of its vertebra
SUPINE = 0.85  # share of the curves that is left lying down


@dataclass(frozen=True)
class Placed:
    """One vertebra in the stack. centre: mm. axes: rows e_a (to the back), e_h (down), e_l (to the right)."""

    vertebra: Vertebra
    centre: np.ndarray
    axes: np.ndarray
    tilt: float

    def local(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, ...]:
        """Coordinates a, h, l of points in the stack."""
        cx, cy, cz = self.centre.tolist()  # plain numbers leave arrays of 32 bits as they are
        p, q, r = x - cx, y - cy, z - cz
        a, h, l = (i * p + j * q + k * r for i, j, k in self.axes.tolist())  # noqa: E741
        return a, h, l

    def point(self, a: float, h: float, l: float) -> np.ndarray:  # noqa: E741 - the field's axis name
        """A local point in the stack."""
        return self.centre + a * self.axes[0] + h * self.axes[1] + l * self.axes[2]


@dataclass(frozen=True)
class Spine:
    """All drawn vertebrae, cranial to caudal. gaps: height in mm of the disc below, in its middle."""

    body: Body
    placed: dict[str, Placed]
    gaps: dict[str, float]

    def centres(self) -> np.ndarray:
        return np.array([one.centre for one in self.placed.values()])

    def moved(self, turn: np.ndarray, shift: np.ndarray) -> Spine:
        """The same spine turned by a rotation matrix about the origin, then shifted."""
        placed = {
            level: Placed(p.vertebra, turn @ p.centre + shift, p.axes @ turn.T, p.tilt)
            for level, p in self.placed.items()
        }
        return Spine(self.body, placed, self.gaps)


def whole_spine(body: Body) -> tuple[dict[str, Vertebra], dict[str, float]]:
    """Vertebrae C2 to S3 and anterior disc gaps in mm by the level above, T4-T8 between their neighbours."""
    rng = np.random.default_rng([body.seed, 83])
    upper, lower = body.vertebrae["T3"], body.vertebrae["T9"]
    vertebrae, gaps = dict(body.vertebrae), dict(body.gaps)
    for number, level in enumerate(BETWEEN, 1):
        vertebrae[level] = _between(upper, lower, number / (len(BETWEEN) + 1), level, rng)
    for level, below in zip(("T3", *BETWEEN), (*BETWEEN, "T9"), strict=True):
        height = (vertebrae[level].anterior + vertebrae[below].anterior) / 2
        gaps[level] = THORACIC_GAP * height * float(np.clip(rng.normal(1, 0.08), 0.85, 1.16))
    return {level: vertebrae[level] for level in DRAWN}, gaps


def _between(upper: Vertebra, lower: Vertebra, share: float, level: str, rng) -> Vertebra:
    values: dict[str, object] = {"level": level, "texture": upper.texture + 131 + round(97 * 6 * share)}
    for field in fields(Vertebra):
        if field.name in values:
            continue
        first, last = getattr(upper, field.name), getattr(lower, field.name)
        spread = 0.02 if field.name in ("anterior", "posterior", "depth", "width") else 0.0
        values[field.name] = float((first + share * (last - first)) * (1 + rng.normal(0, spread)))
    return Vertebra(**values)  # type: ignore[arg-type]


def lying(body: Body, *, flexion: float = 0.0, roll: float = 0.0) -> Spine:
    """The spine of a body on its back. flexion: change of the curves at this visit; roll: degrees about the
    long axis."""
    vertebrae, gaps = whole_spine(body)
    rng = np.random.default_rng([body.seed, 89])
    steps = rng.normal(0, 0.35, len(vertebrae))
    tilts = _tilts(vertebrae, gaps, SUPINE + flexion)
    placed: dict[str, Placed] = {}
    middle: dict[str, float] = {}
    before: Placed | None = None
    for level, tilt, step in zip(vertebrae, tilts, steps, strict=True):
        v = vertebrae[level]
        axes = axes_of(np.radians(tilt), np.radians(v.side_tilt), np.radians(v.axial + roll))
        centre = np.zeros(3)
        if before is not None:
            above = before.vertebra
            middle[above.level] = _middle_gap(above, v, gaps[above.level], tilt - before.tilt)
            across = axes_of(
                np.radians((tilt + before.tilt) / 2), np.radians((v.side_tilt + above.side_tilt) / 2), 0.0
            )
            centre = (
                before.centre
                + (above.anterior + above.posterior) / 4 * before.axes[1]
                + middle[above.level] * across[1]
                + (v.anterior + v.posterior) / 4 * axes[1]
                + (above.depth - v.depth + step) * across[0]
            )
        before = placed[level] = Placed(v, centre, axes, float(tilt))
    return Spine(body, placed, middle)


def _tilts(vertebrae: dict[str, Vertebra], gaps: dict[str, float], share: float) -> np.ndarray:
    """Tilts in degrees; a disc that the curve would close behind turns what is below it."""
    tilts = np.array([v.tilt for v in vertebrae.values()])
    tilts = tilts.mean() + share * (tilts - tilts.mean())
    levels = list(vertebrae.values())
    for i in range(1, len(levels)):
        upper, lower = levels[i - 1], levels[i]
        closed = 2 * _middle_gap(upper, lower, gaps[upper.level], tilts[i] - tilts[i - 1])
        short = min(3.0, 0.5 * gaps[upper.level]) - (closed - gaps[upper.level])
        if short > 0:
            tilts[i:] -= np.degrees(short / (upper.depth + lower.depth))
    return tilts


def _middle_gap(upper: Vertebra, lower: Vertebra, anterior: float, turn: float) -> float:
    """Height of a disc in its middle: its front less what the plates close on the way there."""
    wedge = np.radians(turn) * (upper.depth + lower.depth)
    wedge += ((upper.posterior - upper.anterior) + (lower.posterior - lower.anterior)) / 2
    return float(anterior - wedge / 2)
