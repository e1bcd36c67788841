"""How sure a single patient's change is, and where it stands among the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from core.agreement.estimate import LIMITS

ASSUMES = (
    "the readers' error of a change is normal around 0 with SD = SDC95 / 1.96, the same for every patient, "
    "and before the films were read every change was as likely as any other"
)


def probability_real(change: float, sdc: float) -> float | None:
    """Probability that the true change has the sign of the one that was read: Phi(1.96 |change| / SDC95).

    change: mean of the readers; sdc: SDC95 of that mean. At a change equal to the SDC it is 0.975, at no
    change 0.5. None where the readers never differ (SDC 0) and there is no change. See ``ASSUMES``.
    """
    if sdc <= 0:
        return 1.0 if change else None
    return float(special.ndtr(LIMITS * abs(change) / sdc))


@dataclass(frozen=True)
class Rank:
    """Where a value stands: how many of n others lie below, at and above it."""

    below: int
    equal: int
    above: int

    @property
    def n(self) -> int:
        return self.below + self.equal + self.above

    @property
    def percentile(self) -> float | None:
        """Mid-rank percentile among the others, 0 to 100; None without others."""
        return 100 * (self.below + self.equal / 2) / self.n if self.n else None


def rank_among(value: float, others: Any) -> Rank:
    """Ranks a value among others; missing ones do not count; within 1e-9 counts as equal."""
    known = np.asarray(others, float)
    known = known[~np.isnan(known)]
    return Rank(
        int((known < value - 1e-9).sum()),
        int((np.abs(known - value) <= 1e-9).sum()),
        int((known > value + 1e-9).sum()),
    )
