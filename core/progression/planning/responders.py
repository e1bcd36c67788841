"""Power of the comparison of two shares of progressors.

Normal approximation with pooled variance under no difference, as R's power.prop.test (Fleiss, Levin and Paik
2003, chapter 4, for unequal arms); beside it the exact power of Pearson's chi-square test, from every table.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats


def share_power(control: int, treated: int, *, p_control: float, p_treated: float, alpha: float) -> float:
    """Power of the chi-square test without continuity correction, by its formula (the nearer tail)."""
    pooled = (control * p_control + treated * p_treated) / (control + treated)
    null = math.sqrt(pooled * (1 - pooled) * (1 / control + 1 / treated))
    real = math.sqrt(p_control * (1 - p_control) / control + p_treated * (1 - p_treated) / treated)
    gap = abs(p_control - p_treated) - stats.norm.ppf(1 - alpha / 2) * null
    return float(stats.norm.cdf(gap / real)) if real > 0 else float(gap > 0)


def exact_share_power(
    control: int, treated: int, *, p_control: float, p_treated: float, alpha: float, most: int = 4000
) -> float | None:
    """Exact power of Pearson's chi-square test; None for arms above ``most`` patients."""
    if max(control, treated) > most:
        return None
    a, b = np.arange(control + 1)[:, None], np.arange(treated + 1)[None, :]
    pooled = (a + b) / (control + treated)
    variance = pooled * (1 - pooled) * (1 / control + 1 / treated)
    gap = np.abs(a / control - b / treated)
    z = np.divide(gap, np.sqrt(variance), out=np.zeros_like(gap), where=variance > 0)
    hit = z > stats.norm.ppf(1 - alpha / 2)
    chance = stats.binom.pmf(a, control, p_control) * stats.binom.pmf(b, treated, p_treated)
    return float((chance * hit).sum())
