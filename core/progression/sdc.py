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
from core.agreement.mixed import mixed_icc
from core.agreement.reader_pool import usual_number
from core.agreement.sem import chi_square_limits, sdc


@dataclass(frozen=True)
class Sdc:
    """Residual mean square of change, and what follows from it.

    residual_ms: EMS of the subject x reader analysis of variance, or the residual variance of the mixed model
    of a pool. subjects, readers: what it comes from. averaged: readers that a patient usually has. df: of the
    residual. is_pool: whether it is of a pool, where not every patient has every reader.
    """

    residual_ms: float
    subjects: int
    readers: int
    averaged: int
    df: int
    is_pool: bool = False

    @property
    def usual(self) -> float:
        """SDC of the mean of as many readers as a patient usually has."""
        return self.limit(self.averaged)

    def limits_of(self, readers: np.ndarray) -> np.ndarray | float:
        """SDC that each patient's change is judged by in counts of the study: the rule is ``judged_by``."""
        return judged_by(self.limit(), self.averaged, readers, is_pool=self.is_pool)

    def limit(self, averaged: int = 1, multiplier: float = LIMITS) -> float:
        """SDC of the mean of ``averaged`` readers: 1.96 sqrt(EMS / averaged); 80% with multiplier 1.2816."""
        return sdc(self.residual_ms, readers=averaged, multiplier=multiplier)

    def interval(self, averaged: int = 1, multiplier: float = LIMITS) -> tuple[float, float]:
        """95% limits of it, from the chi-square distribution of the residual."""
        return chi_square_limits(self.limit(averaged, multiplier), self.df)

    @property
    def sd_of_difference(self) -> float:
        """SD of the difference between two readers' changes: sqrt(2 EMS); for two readers their own SD."""
        return sqrt(2 * self.residual_ms)


def judged_by(one: float, averaged: int, readers: np.ndarray | float, *, is_pool: bool) -> np.ndarray | float:
    """The SDC that a change of so many ``readers`` is judged by in counts of a study. one: of one reader.

    Where readers read all patients, everybody is judged by the SDC of the mean of all of them, also who lacks
    one: one cut-off for the study. In a pool, where that is nobody's, each by that of the readers he has;
    NaN or 0 readers (a change that was put in) by that of as many as are usual.
    """
    if not is_pool:
        return one / sqrt(averaged)
    count = np.asarray(readers, float)
    found = one / np.sqrt(np.where(count >= 1, count, averaged))
    return found if found.ndim else float(found)


def smallest_detectable_change(change: np.ndarray) -> Sdc | None:
    """The SDC from changes of shape (subjects, readers), complete; None below two of either.

    A constant difference between readers is not in it: show the bias beside it.
    """
    subjects, readers = change.shape
    if subjects < 2 or readers < 2:
        return None
    df = (subjects - 1) * (readers - 1)
    return Sdc(float(mean_squares(change).residual), subjects, readers, readers, df)


def study_sdc(per_reader: np.ndarray) -> Sdc | None:
    """The SDC of a study: from subjects that all readers cover, else from the pool; None without either.

    per_reader: changes, shape (subjects, readers), NaN where a reader lacks a film. Where fewer than two
    subjects have every reader, a mixed model of all changes gives the residual: reader fixed, subject random,
    REML. On a complete table both are one and the same, so are the degrees of freedom: changes less subjects
    less readers plus 1.
    """
    complete = per_reader[~np.isnan(per_reader).any(axis=1)]
    found = smallest_detectable_change(complete)
    if found is not None or per_reader.shape[1] < 2:
        return found
    count = (~np.isnan(per_reader)).sum(axis=1)
    table = per_reader[count > 0]
    readers = int((~np.isnan(table)).any(axis=0).sum())
    residual = mixed_icc(table)["variance_components"]["residual"]
    df = int(count.sum()) - len(table) - readers + 1
    if residual is None or df < 1:
        return None
    averaged = usual_number(table[count[count > 0] > 1])
    return Sdc(residual, int((count > 1).sum()), readers, averaged, df, is_pool=True)


def says(sdc: float) -> str:
    """What an SDC95 says about the change of one patient, and what it does not."""
    return (
        f"Beyond reading error: larger than the SDC95 of {sdc:.2f}. It speaks of error, not of this patient: "
        "by the readers' disagreement with each other, 95% of the changes read where nothing changed lie "
        f"within ±{sdc:.2f}. An error that all readers share is not in it, and it is no probability that the "
        "patient changed: that also depends on how many patients change at all."
    )


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
