"""One corner on several films of a patient, read together without knowing which film came first.

The reading itself is that of :mod:`models.paired.posterior`; here are the four grades of a corner.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.domain import Abstained, Scored, ScoredTogether
from models.paired.posterior import Expectation, SiteRead, kinds_of_site, read_site
from models.paired.posterior import read_together as read_sites_together

GRADES = 4

__all__ = [
    "GRADES", "Expectation", "SiteRead", "kinds_of_corner", "read_corner", "read_together",
]  # fmt: skip


def read_corner(probabilities: np.ndarray, expected: Expectation) -> SiteRead:
    """The grades of one corner on k films from what each film says alone, (k, 4) with rows that sum to 1."""
    return read_site(probabilities, expected)


def read_together(films: Sequence[Scored | Abstained], expected: Expectation) -> ScoredTogether:
    """What a patient's films say together, from what each says alone, whatever their order."""
    return read_sites_together(films, lambda finding: expected)


def kinds_of_corner() -> np.ndarray:
    """(34, 4) the kinds: one grade throughout (4), then two grades, the second on 10, 30, 50, 70, 90% of
    films (6 pairs of grades x 5).
    """
    return kinds_of_site(GRADES)
