"""What an explainer hands back about one stored finding, whatever its network: plain arrays and words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HEAT = "Heat shows what raises this score in this network, not what is diseased."


@dataclass(frozen=True)
class Map:
    """One heat map. network: its name in the file of verdicts. method: layer and weighting, in words. heat:
    (rows, columns) on the tile, largest value 1."""

    network: str
    title: str
    method: str
    heat: np.ndarray


@dataclass(frozen=True)
class Explanation:
    """A finding explained.

    headline: the finding in words. grade: index into ``labels`` and ``probabilities``, one of each a grade.
    tile: what the network saw, (rows, columns) in [0, 1]. box: (x0, y0, x1, y1) in its pixels. rule: how
    probabilities became the grade. notes: what else a person should know. meaning: what heat shows, and what
    it does not.
    """

    headline: str
    grade: int
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    tile: np.ndarray
    box: np.ndarray
    mm_per_pixel: float
    maps: tuple[Map, ...]
    rule: str
    notes: tuple[str, ...] = ()
    meaning: str = HEAT
