"""Whether what was found on a stack is a row of vertebral bodies, as on a picture of a spine."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from models.sparcc.anatomy.levels import Found

MIN_BODIES = 4  # in a row
NEAR_MM, FAR_MM = (
    11.0,
    55.0,
)  # between the centres of neighbours, from C3 of a small woman to L5 of a tall man
ALIKE = 2.0  # times the height of its neighbour that a body may have
STEEP = 0.5  # of the way to its neighbour, at least so much goes up or down
NO_ROW = "no row of vertebral bodies was found"


def why_no_row(bodies: Sequence[Found]) -> str:
    """Why bodies in any order are no row; ``""`` where at least ``MIN_BODIES`` of them are one."""
    column = sorted(bodies, key=lambda body: -body.centre[1])
    longest = run = min(len(column), 1)
    for upper, lower in pairwise(column):
        run = run + 1 if _are_neighbours(upper, lower) else 1
        longest = max(longest, run)
    return "" if longest >= MIN_BODIES else f"{NO_ROW} ({longest} in a row, {MIN_BODIES} are needed)"


def _are_neighbours(upper: Found, lower: Found) -> bool:
    way = np.subtract(upper.centre, lower.centre)
    apart = float(np.linalg.norm(way))
    heights = sorted((upper.height, lower.height))
    return NEAR_MM <= apart <= FAR_MM and way[1] >= STEEP * apart and heights[1] <= ALIKE * heights[0]
