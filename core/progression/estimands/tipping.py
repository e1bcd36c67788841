"""Delta-adjusted tipping point: how far must missing changes be shifted until the verdict turns?

The comparison of arms is linear in the missing changes, and so is each leave-one-out estimate: estimate and
variance are a line and a parabola in the shift, and the points where the interval touches 0 are roots.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from scipy import special

from core.progression.estimands.imputation import Effects

GRID = 13  # shifts per arm
REACH = 1.5  # times the tipping point that the grid goes to


@dataclass(frozen=True)
class Tipping:
    """Where the verdict on arm minus other turns when the arm's missing changes are shifted.

    is_different: whether the interval leaves out 0 without a shift. up, down: the smallest shift upwards and
    downwards that turns this, None where no shift does. missing: patients whose change is shifted, by arm.
    """

    is_different: bool
    up: float | None
    down: float | None
    missing: tuple[int, int]

    @property
    def delta(self) -> float | None:
        """The smaller of the two shifts."""
        known = [value for value in (self.up, self.down) if value is not None]
        return min(known, key=abs) if known else None


def tipping_point(found: Effects, arm: int, other: int, missing: tuple[int, int]) -> Tipping:
    """missing: patients of the arm, and of the other, without the film."""
    base = found.means[:, arm] - found.means[:, other]
    slope = found.slope(arm, other, arm)
    t = float(special.stdtrit(found.df, 0.975))
    weight = (len(base) - 2) / (len(base) - 1)
    a, b = (values[1:] - values[1:].mean() for values in (base, slope))
    square = slope[0] ** 2 - t * t * weight * float(b @ b)
    middle = 2 * (base[0] * slope[0] - t * t * weight * float(a @ b))
    constant = base[0] ** 2 - t * t * weight * float(a @ a)
    roots = _roots(square, middle, constant) if missing[0] else []
    up = min((root for root in roots if root > 0), default=None)
    down = max((root for root in roots if root < 0), default=None)
    return Tipping(bool(constant > 0), up, down, missing)


def _roots(square: float, middle: float, constant: float) -> list[float]:
    if abs(square) < 1e-14 * max(abs(middle), abs(constant), 1e-300):
        return [-constant / middle] if middle else []
    inside = middle * middle - 4 * square * constant
    if inside < 0:
        return []
    large = -(middle + (1 if middle >= 0 else -1) * sqrt(inside)) / 2  # the root without cancellation first
    return [large / square, *([constant / large] if large else [])]


def tipping_grid(found: Effects, arm: int, other: int, reach: float) -> dict[str, Any]:
    """Estimate and limits where the missing changes of both arms are shifted, from -reach to reach.

    Rows of ``estimate, low, high`` are shifts of the arm, columns those of the other.
    """
    shifts = np.linspace(-reach, reach, GRID)
    cells = [[found.difference(arm, other, one, two) for two in shifts] for one in shifts]
    return {
        "shift": [float(value) for value in shifts],
        "shift_other": [float(value) for value in shifts],
        **{
            name: [[getattr(cell, name) for cell in row] for row in cells]
            for name in ("estimate", "low", "high")
        },
    }


def reach_of(point: Tipping, spread: float) -> float:
    """How far a grid should go: beyond the tipping point; without one, two standard deviations of change."""
    return REACH * abs(point.delta) if point.delta else 2 * spread if spread > 0 else 1.0


def tipping_sentence(row: dict[str, Any], *, bold: str = "") -> str:
    """The verdict, and the shift that turns it. row: of ``tipping``. bold: marks around the shift."""
    a, b = row["a"], row["b"]
    verdict = f"{a} and {b} differ" if row["is_different"] else f"No difference of {a} and {b} is shown"
    if not row["missing"][0]:
        return f"{verdict}. {a} has no missing film: nothing can be shifted."
    seen = f"Changes seen in {a}: mean {_signed(row['observed_mean'])}, SD {row['observed_sd']:.2f}."
    what = shifted(row["missing"][0], a)
    if row["delta"] is None:
        return f"{verdict}; no shift of the {what} turns this. {seen}"
    sides = " or ".join(_signed(row[side]) for side in ("up", "down") if row[side] is not None)
    verb = "is" if row["missing"][0] == 1 else "are"
    return f"{verdict}. {bold}The verdict turns when the {what} {verb} shifted by {sides}.{bold} {seen}"


def shifted(missing: int, arm: str) -> str:
    """The missing changes of an arm, in words."""
    return f"{missing} missing {'change' if missing == 1 else 'changes'} of {arm}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
