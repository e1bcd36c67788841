"""The bootstrap-t: how far a statistic lies from the truth, in its own standard errors, in other samples.

Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 12; on the log of a variance as
in Cojbasic and Tomovic 2007 (doi:10.1016/j.csda.2006.11.024; formula text not verified against the paper).
"""

from __future__ import annotations

import numpy as np

from core.agreement.intervals.parts import Logs

FAR = 1e6  # a sample without a value lies this many standard errors off: the limit is then open
TAIL = 0.025


def distances(drawn: Logs, centre: float) -> np.ndarray:
    """(value - centre) / SE of each draw; without a standard error as far as can be, to its side."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (drawn.value - centre) / drawn.se
    aside = np.where(np.nan_to_num(drawn.value, nan=-np.inf) > centre, FAR, -FAR)
    return np.clip(np.where(np.isfinite(t), t, aside), -FAR, FAR)


def limits(value: float, se: float, away: np.ndarray) -> tuple[float, float]:
    """95% limits of the truth, an open one infinite; NaN where the statistic has no value itself."""
    if not (np.isfinite(value) and np.isfinite(se)) or not len(away):
        return np.nan, np.nan
    low, high = np.quantile(away, [TAIL, 1 - TAIL])
    return (
        value - high * se if high < FAR / 2 else -np.inf,
        value - low * se if low > -FAR / 2 else np.inf,
    )


def widest(*pairs: tuple[float, float]) -> tuple[float, float]:
    """The limits that take in all of these; NaN counts for nothing."""
    low, high = np.array(pairs, dtype=float).T
    if np.isnan(low).all():
        return np.nan, np.nan
    return float(np.nanmin(low)), float(np.nanmax(high))
