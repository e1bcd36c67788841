"""Where a patient's value stands among those of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


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
