"""Measurement error in score units: SEM, MDC95 and SDC, from mean squares.

A constant difference between raters is in none of the consistency figures: show the bias beside them.
Multipliers are exactly 1.96 (95%) and 1.2816 (80%). The SDC has the form of Bruynesteyn et al. 2005 (formula
text not verified against the paper).
"""

from __future__ import annotations

import math
from typing import Any

from scipy import special

from core.agreement.estimate import LIMITS, LIMITS_80


def sem_agreement(within_ms: float) -> float:
    """SEM with the rater variance in it, unclamped: sqrt(WMS)."""
    return math.sqrt(within_ms)


def sem_consistency(residual_ms: float) -> float:
    """SEM without constant rater differences: sqrt(EMS); for two raters SD of the difference / sqrt(2)."""
    return math.sqrt(residual_ms)


def mdc(sem: float, *, readers: int = 1, multiplier: float = LIMITS) -> float:
    """Minimal detectable change of status scores: multiplier x sqrt(2) x SEM / sqrt(readers averaged)."""
    return multiplier * math.sqrt(2 * sem**2 / readers)


def sdc(residual_ms: float, *, readers: int = 1, multiplier: float = LIMITS) -> float:
    """Smallest detectable change from change scores: multiplier x sqrt(EMS / readers averaged).

    residual_ms: residual mean square of the subject x reader ANOVA of *change* scores; for two readers
    that is SDd^2 / 2, so the result is 1.96 SDd / sqrt(2 readers) (Bruynesteyn 2005,
    doi:10.1136/ard.2004.023051).
    """
    return multiplier * math.sqrt(residual_ms / readers)


def chi_square_limits(value: float, df: float) -> tuple[float, float]:
    """95% limits of a standard deviation, or a multiple of one, that rests on ``df`` degrees of freedom."""
    if df <= 0:
        return math.nan, math.nan
    low, high = (df / float(special.chdtri(df, tail)) for tail in (0.025, 0.975))
    return value * math.sqrt(low), value * math.sqrt(high)


def standard_errors(
    residual_ms: float | None, within_ms: float | None, subjects: int, raters: int
) -> dict[str, Any]:
    """The block ``sem``, ``mdc95`` (one rater, raters fixed) and its relatives; None where not computable."""
    if residual_ms is None or within_ms is None:
        missing = dict.fromkeys(("mdc95", "mdc95_agreement", "mdc95_mean_of_raters", "mdc80"))
        none = {"agreement": None, "consistency": None}
        return {"sem": none, **missing, "mdc95_ci": [None, None]}
    agreement, consistency = sem_agreement(within_ms), sem_consistency(residual_ms)
    return {
        "sem": {"agreement": agreement, "consistency": consistency},
        "mdc95": mdc(consistency),
        "mdc95_agreement": mdc(agreement),
        "mdc95_mean_of_raters": mdc(consistency, readers=raters),
        "mdc80": mdc(consistency, multiplier=LIMITS_80),
        "mdc95_ci": list(chi_square_limits(mdc(consistency), (subjects - 1) * (raters - 1))),
    }
