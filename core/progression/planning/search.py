"""The smallest trial that reaches a wanted power."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

MOST = 1_000_000  # patients in the control arm


@dataclass(frozen=True)
class Size:
    """Patients in the control and in the treated arm, and the power that they give."""

    control: int
    treated: int
    power: float

    @property
    def total(self) -> int:
        return self.control + self.treated


def treated_for(control: int, allocation: float) -> int:
    """Treated patients for so many controls; allocation: treated per control."""
    return max(2, math.ceil(control * allocation - 1e-9))


def smallest(power_of: Callable[[int, int], float], wanted: float, allocation: float) -> Size | None:
    """The smallest trial with at least the wanted power; None where no million patients reach it.

    power_of: power with so many controls and treated patients, rising with both.
    """
    low, high = 1, 2
    while power_of(high, treated_for(high, allocation)) < wanted:
        low, high = high, high * 2
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = middle > 1 and power_of(middle, treated_for(middle, allocation)) >= wanted
        low, high = (low, middle) if enough else (middle, high)
    treated = treated_for(high, allocation)
    return Size(high, treated, power_of(high, treated))


def enrolled(evaluable: int, dropout: float) -> int:
    """Patients to enrol for so many with a result: evaluable / (1 - dropout), rounded up."""
    return math.ceil(evaluable / (1 - dropout) - 1e-9)
