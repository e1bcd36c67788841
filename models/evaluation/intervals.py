"""Intervals of evaluation figures: patients are resampled; a proportion of exactly 0 or 1, which no draw can
change, has Wilson's limits for as many cases as patients instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.agreement.bootstrap import DRAWS, draw_counts, percentiles
from core.agreement.estimate import Estimate, estimate
from core.agreement.proportion import wilson


def mean_by_patient(
    values: Any, subjects: Any, *, is_proportion: bool = False, draws: int = DRAWS
) -> Estimate:
    """Mean of the values (n,), booleans or numbers, over rows of the patients ``subjects`` (n,)."""
    values = np.asarray(values, float)
    return ratio(values, np.ones(len(values)), subjects, is_proportion=is_proportion, draws=draws)


def proportion(hit: np.ndarray, cases: np.ndarray, subjects: Any, *, draws: int = DRAWS) -> Estimate:
    """Proportion of the cases that are hits, both boolean (n,). Patients without a case are drawn too."""
    return ratio(hit & cases, cases, subjects, is_proportion=True, draws=draws)


def ratio(
    above: Any, below: Any, subjects: Any, *, is_proportion: bool = False, draws: int = DRAWS
) -> Estimate:
    """Sum of ``above`` over the sum of ``below``, both (n,), with 95% limits over patients.

    is_proportion: one of exactly 0 or 1 gets Wilson's limits, each patient with anything below being a case.
    None over nothing; no limits for a single patient.
    """
    names, place = np.unique(np.asarray(subjects, str), return_inverse=True)
    sums = np.stack(
        [np.bincount(place, np.asarray(one, float), minlength=len(names)) for one in (above, below)], axis=1
    )
    whole = sums.sum(axis=0)
    if not whole[1]:
        return estimate(None)
    value, patients = float(whole[0] / whole[1]), int((sums[:, 1] > 0).sum())
    if is_proportion and value in (0.0, 1.0):
        return estimate(value, *wilson(value * patients, patients))
    if len(names) < 2:
        return estimate(value)
    drawn = draw_counts(len(names), draws=draws) @ sums
    with np.errstate(divide="ignore", invalid="ignore"):
        limits, _ = percentiles(drawn[:, 0] / drawn[:, 1])
    return estimate(value, *limits)


def predictive_value(
    decided: Any, truth: Any, subjects: Any, prevalence: float, *, draws: int = DRAWS
) -> Estimate:
    """Positive predictive value of decisions (n,) at a prevalence, from sensitivity and specificity (Bayes).

    None without cases of both kinds, or without a positive decision. Draws are of patients.
    """
    decided, truth = np.asarray(decided, bool), np.asarray(truth, bool)
    if not truth.any() or truth.all():
        return estimate(None)
    right = np.where(truth, prevalence / truth.sum(), 0.0) * decided
    wrong = np.where(~truth, (1 - prevalence) / (~truth).sum(), 0.0) * decided
    return ratio(right, right + wrong, subjects, draws=draws)
