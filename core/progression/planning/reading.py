"""What readers add to the SD of change, and what other numbers of readers would."""

from __future__ import annotations

import math

from core.agreement.estimate import LIMITS


def error_of_one(sdc: float) -> float:
    """SD of one reader's error of change, from the SDC95 of one reader: SDC / 1.96."""
    return sdc / LIMITS


def true_sd(sd: float, error: float, readers: int) -> float:
    """SD of change without reading error: of the mean of ``readers``, less error^2 / readers.

    Raises ValueError where the reading error alone is larger than the SD.
    """
    variance = sd**2 - error**2 / readers
    if variance < 0:
        raise ValueError(
            f"an SD of {sd:.3g} for the mean of {readers} readers is below their error, "
            f"{error / math.sqrt(readers):.3g}"
        )
    return math.sqrt(variance)


def sd_with(readers: int, true: float, error: float) -> float:
    """SD of change of the mean of so many readers."""
    return math.sqrt(true**2 + error**2 / readers)
