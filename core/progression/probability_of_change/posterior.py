"""The probability that a patient truly worsened, and where none is given.

It is given where it held in simulated studies (docs/probability-of-change.md): from ``MIN_PATIENTS`` patients
on, stated and true shares differ by at most 3 points, whether readers' error is constant, grows with change
or is absent in half of the patients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.agreement.estimate import number
from core.progression.probability_of_change.model import WORSENED, Cohort, Seen, fit

MIN_PATIENTS = 150  # read by two or more readers
MIN_UNCHANGED = 0.2  # share without change below which probabilities under a half did not hold
WITHIN = 0.03  # mean distance of stated and true shares that was allowed in every kind of simulated study
METHOD = "empirical Bayes: share without change, lognormal change, readers' error that may grow or be absent"
SHARED_ERROR = (
    "An error that all readers share (position, exposure) cannot be seen in their readings; where there is "
    "one, the probability is too high."
)
FEW_UNCHANGED = (
    f"the model finds fewer than {MIN_UNCHANGED:.0%} of the patients without change; small changes cannot be "
    "told from none then"
)


@dataclass(frozen=True)
class TrueChange:
    """worsened: probability of each patient, shape (n,), NaN where none is given; None with a reason.

    patients: with two readings or more, whom the readers' error comes from. cohort: the model, in units of
    ``unit`` points.
    """

    worsened: np.ndarray | None
    reason: str
    patients: int
    cohort: Cohort | None = None
    unit: float = 1.0

    @property
    def about(self) -> dict[str, Any] | None:
        """The fitted model in points of the score."""
        found, unit = self.cohort, self.unit
        if found is None:
            return None
        return {
            "no_change": found.same,
            "worse": found.worse,
            "better": found.better,
            "median_size": number(float(np.exp(found.centre)) * unit),
            "log_sd": found.spread,
            "error_sd": found.error * unit,
            "error_growth": found.growth,
            "without_error": found.silent,
        }


def true_change(change: np.ndarray) -> TrueChange:
    """Probabilities of true worsening from changes of shape (patients, readers), NaN where not read."""
    known = ~np.isnan(change)
    patients = int((known.sum(axis=1) > 1).sum())
    if patients < MIN_PATIENTS:
        why = (
            f"{patients} patients have a change from two readers; {MIN_PATIENTS} are needed for a "
            "probability that holds within 3 points"
        )
        return TrueChange(None, why, patients)
    read = known.any(axis=1)
    seen = Seen.of(change[read])
    if seen is None:
        return TrueChange(None, "the readers saw no change, or never disagreed about one", patients)
    cohort = fit(seen)
    worsened = np.full(len(change), np.nan)
    worsened[read] = cohort.worsened(seen)
    if cohort.same >= MIN_UNCHANGED:
        return TrueChange(worsened, "", patients, cohort, seen.unit)
    worsened[worsened < 0.5] = np.nan
    return TrueChange(worsened, FEW_UNCHANGED, patients, cohort, seen.unit)


def plain(found: TrueChange, subjects: list[str]) -> dict[str, Any]:
    """As in the JSON of ``progression``."""
    values = found.worsened
    return {
        "method": METHOD,
        "worsened_above": WORSENED,
        "patients": found.patients,
        "min_patients": MIN_PATIENTS,
        "by_subject": None
        if values is None
        else {name: number(float(value)) for name, value in zip(subjects, values, strict=True)},
        "model": found.about,
        "note": found.reason if values is None else f"{_partly(found)}{SHARED_ERROR}",
    }


def _partly(found: TrueChange) -> str:
    return f"No probability below a half is given: {found.reason}. " if found.reason else ""


@dataclass(frozen=True)
class Worsening:
    """Of one patient. probability: None with a reason. cohort: patients whom the model is of."""

    probability: float | None
    reason: str
    cohort: int


def by_subject(found: TrueChange, subjects: list[str]) -> dict[str, Worsening]:
    """The same by patient."""
    if found.worsened is None:
        return dict.fromkeys(subjects, Worsening(None, found.reason, len(subjects)))
    values = [None if np.isnan(value) else float(value) for value in found.worsened]
    return {
        name: Worsening(value, found.reason if value is None else "", len(subjects))
        for name, value in zip(subjects, values, strict=True)
    }


def in_words(probability: float) -> str:
    """A percentage that claims no more than the calibration holds: "below 3%", "62%", "above 97%"."""
    if probability < WITHIN:
        return f"below {WITHIN:.0%}"
    if probability > 1 - WITHIN:
        return f"above {1 - WITHIN:.0%}"
    return f"{probability:.0%}"


def meaning_of(found: Worsening) -> str:
    """What the probability says in one line; empty where none is given."""
    if found.probability is None:
        return ""
    return (
        "Probability of true worsening: of patients read like this one in a cohort like this, "
        f"{in_words(found.probability)} truly changed by more than {WORSENED:g}; in simulated studies it "
        f"held within {100 * WITHIN:.0f} points on average. {SHARED_ERROR}"
    )
