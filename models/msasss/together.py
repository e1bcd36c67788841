"""One corner on several films of a patient, read together without knowing which film came first.

The reading itself is that of :mod:`models.paired.posterior`; here are the four grades of a corner.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.domain import Abstained, Scored, ScoredPaired
from models.paired.posterior import Prior, SiteRead, read_site, site_components
from models.paired.posterior import read_paired as read_sites

GRADES = 4

__all__ = [
    "GRADES", "Prior", "SiteRead", "corner_components", "read_corner", "read_paired",
]  # fmt: skip


def read_corner(probabilities: np.ndarray, prior: Prior) -> SiteRead:
    """The grades of one corner on k films from what each film says alone, (k, 4) with rows that sum to 1."""
    return read_site(probabilities, prior)


def read_paired(films: Sequence[Scored | Abstained], prior: Prior) -> ScoredPaired:
    """What a patient's films say together, from what each says alone, whatever their order."""
    return read_sites(films, lambda finding: prior)


def corner_components() -> np.ndarray:
    """(34, 4) the components: one grade throughout (4), then two grades, the second on 10, 30, 50, 70, 90% of
    films (6 pairs of grades x 5).
    """
    return site_components(GRADES)
