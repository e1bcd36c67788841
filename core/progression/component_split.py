"""Who progressed in which half of a score: erosion only, narrowing only, both, neither."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.arms import arms_in_order
from core.progression.progressors import Cutoff, progressed

ALL = "all"


def progressor_flags(rule: Cutoff, change: pd.DataFrame, sdc: float | None) -> pd.Series:
    """Subject -> 1.0 where the definition holds, 0.0 where not, missing where it cannot be judged.

    change: ``subject, mean_change, annualised`` of one part of the score. sdc: of the same part; without one
    nobody can be judged by it.
    """
    values = change.set_index("subject")[["mean_change", "annualised"]].astype("float64")
    found = progressed(rule, values["mean_change"].to_numpy(), values["annualised"].to_numpy(), sdc)
    if found is None:
        return pd.Series(np.nan, index=values.index)
    flags, known = found
    return pd.Series(np.where(known, flags, np.nan).astype(float), index=values.index)


def split_progressors(
    one: pd.Series, other: pd.Series, arm: pd.Series, names: tuple[str, str]
) -> pd.DataFrame:
    """``progressed in, group, count, n``: patients judged in both halves, by arm and for all.

    one, other: of ``progressor_flags``. arm: subject -> arm, missing where it has none or it is hidden.
    """
    both = pd.DataFrame({"one": one, "other": other}).dropna()
    first, second = both["one"] > 0, both["other"] > 0
    parts = {
        f"{names[0]} only": first & ~second,
        f"{names[1]} only": second & ~first,
        "both": first & second,
        "neither": ~first & ~second,
    }
    own = arm.reindex(both.index)
    groups = {name: own == name for name in arms_in_order(own.dropna().unique())}
    groups[ALL] = pd.Series(True, index=both.index)
    rows = [
        (part, group, int((flags & inside).sum()), int(inside.sum()))
        for part, flags in parts.items()
        for group, inside in groups.items()
    ]
    return pd.DataFrame(rows, columns=["progressed in", "group", "count", "n"])
