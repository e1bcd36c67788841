"""Smallest detectable change, from the readers' own disagreement about change.

Source: Bruynesteyn et al. 2005 (formula text not verified against the paper).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from scipy import special

from core.agreement.estimate import LIMITS
from core.agreement.icc import mean_squares
from core.agreement.sem import chi_square_limits, sdc


@dataclass(frozen=True)
class Sdc:
    """Residual mean square of change, and what follows from it.

    residual_ms: EMS of the subject x reader analysis of variance. subjects, readers: what it comes from.
    """

    residual_ms: float
    subjects: int
    readers: int

    def limit(self, averaged: int = 1, multiplier: float = LIMITS) -> float:
        """SDC of the mean of ``averaged`` readers: 1.96 sqrt(EMS / averaged); 80% with multiplier 1.2816."""
        return sdc(self.residual_ms, readers=averaged, multiplier=multiplier)

    def interval(self, averaged: int = 1, multiplier: float = LIMITS) -> tuple[float, float]:
        """95% limits of it, from the chi-square distribution of EMS."""
        return chi_square_limits(self.limit(averaged, multiplier), (self.subjects - 1) * (self.readers - 1))

    @property
    def sd_of_difference(self) -> float:
        """SD of the difference between two readers' changes: sqrt(2 EMS); for two readers their own SD."""
        return sqrt(2 * self.residual_ms)


def smallest_detectable_change(change: np.ndarray) -> Sdc | None:
    """The SDC from changes of shape (subjects, readers), complete; None below two of either.

    A constant difference between readers is not in it: show the bias beside it.
    """
    subjects, readers = change.shape
    if subjects < 2 or readers < 2:
        return None
    return Sdc(float(mean_squares(change).residual), subjects, readers)


def reader_bias(change: np.ndarray) -> tuple[float, float, float]:
    """Mean of first minus second reader's change and its 95% limits (t); NaN where it cannot be computed."""
    subjects, readers = change.shape
    if subjects < 1 or readers < 2:
        return nan, nan, nan
    difference = change[:, 0] - change[:, 1]
    if subjects < 2:
        return float(difference.mean()), nan, nan
    half = special.stdtrit(subjects - 1, 0.975) * difference.std(ddof=1) / sqrt(subjects)
    return float(difference.mean()), float(difference.mean() - half), float(difference.mean() + half)
