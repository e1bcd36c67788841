"""Where the scored joints and bones of a film lie: what the site localiser gives and the grader takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Place:
    """Middle of a unit in pixels of the film (x to the right, y downwards), and how sure that is, 0 to 1."""

    x: float
    y: float
    confidence: float


@dataclass(frozen=True)
class Places:
    """The units of one film of both hands or both feet, or of one of them.

    view: ``hands`` or ``feet``. units: ``LH.MCP2`` -> its place. missing: unit -> why it has none.
    mm_per_pixel: as the file states it, else computed from the size of the limbs.
    ood_features: of the film, for the check of unknown images; empty for labelled ones. sides: ``L`` and
    ``R``, or the one that the film shows.
    """

    view: str
    units: dict[str, Place]
    missing: dict[str, str] = field(default_factory=dict)
    mm_per_pixel: float = 0.15
    ood_features: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False, repr=False)
    sides: tuple[str, ...] = ("L", "R")


MIN_VISIBLE = 0.3
