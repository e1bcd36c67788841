"""How likely each item of SPARCC is, from the network's chances of oedema.

They say how near a grade was to the other one, and are no calibrated probabilities (docs/decisions/
stacks-scored.md). A grade that the rule gave never has the smaller chance.
"""

from __future__ import annotations

import numpy as np

from models.sparcc.rule.points import OEDEMA, Point
from models.sparcc.rule.score import StackScore

EVEN = 0.5


def chances_of(score: StackScore, chances: np.ndarray, pixel_area: float) -> dict[str, float]:
    """Site -> chance that its grade is 1. chances (frames, rows, columns): of each pixel to be oedema.
    pixel_area: mm2.

    An item that is 1: the mean chance of the pixels that made it. A quadrant without oedema: that of the
    smallest area that would have been some, where it is highest. That a lesion is not intense or not deep is
    the rule's word alone, for which no chance is known: it has none.
    """
    least = max(1, int(np.ceil(score.settings.min_oedema / pixel_area - 1e-9)))
    points = [point for unit in score.units.values() for point in unit.points]
    return {
        point.site: round(_chance(point, chances, least), 4) for point in points if point.grade is not None
    }


def _chance(point: Point, chances: np.ndarray, least: int) -> float:
    """least: pixels of the smallest lesion."""
    rows, columns = point.pixels.T
    values = np.sort(chances[point.frame][rows, columns].astype(float))
    if point.grade:
        return max(EVEN, float(values.mean()))
    if point.rule != OEDEMA or not len(values):
        return 0.0
    return min(EVEN, float(values[-least:].mean()))
