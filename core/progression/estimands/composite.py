"""The event as part of the outcome: as progression, and as the worst ranks.

Worst rank scores: Lachin 1999 (Control Clin Trials 20:408). Win probability with its interval from the
placements of DeLong et al. 1988 on the logit scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from core.agreement.estimate import Z95, Estimate, estimate
from core.ties import mid_ranks


def worst_ranks(change: np.ndarray, event_day: np.ndarray) -> np.ndarray:
    """Mid-ranks in which patients with an event do worse than all others, the earlier event the worse.

    change: (n,), not used where there is an event. event_day: (n,), NaN without one.
    """
    has_event = ~np.isnan(event_day)
    order = np.empty(len(change))
    order[~has_event] = mid_ranks(change[~has_event])
    order[has_event] = (~has_event).sum() + mid_ranks(-event_day[has_event])
    return order


@dataclass(frozen=True)
class Wins:
    """probability: that a patient of the first arm does worse than one of the second, ties half.

    p: two-sided, of the rank sum test with its correction for ties; NaN without spread.
    """

    probability: Estimate
    p: float


def compare_ranks(first: np.ndarray, second: np.ndarray) -> Wins:
    """Ranks (higher is worse) of two arms; None where one is empty."""
    m, n = len(first), len(second)
    if not m or not n:
        return Wins(estimate(None), np.nan)
    above = np.sign(np.subtract.outer(first, second)) / 2 + 0.5
    theta = float(above.mean())
    limits = _limits(theta, above, m, n)
    everyone = mid_ranks(np.concatenate([first, second]))
    spread = float(((everyone - everyone.mean()) ** 2).sum())
    total = m + n
    variance = m * n / (total * (total - 1)) * spread
    gap = float(everyone[:m].sum() - m * (total + 1) / 2)
    p = float(2 * special.ndtr(-abs(gap) / np.sqrt(variance))) if variance > 0 else np.nan
    return Wins(estimate(theta, *limits), p)


def _limits(theta: float, above: np.ndarray, m: int, n: int) -> tuple[float | None, float | None]:
    if min(m, n) < 2 or not 0 < theta < 1:
        return None, None
    variance = above.mean(axis=1).var(ddof=1) / m + above.mean(axis=0).var(ddof=1) / n
    half = Z95 * np.sqrt(variance) / (theta * (1 - theta))
    low, high = special.expit(special.logit(theta) + np.array([-half, half]))
    return float(low), float(high)
