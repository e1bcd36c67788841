"""The adjusted comparison of arms for a table of readings: pairs films, forms change, finds the SDC."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.natural import natural_key
from core.progression.arms.adjusted import AdjustedOptions, adjusted_comparison
from core.progression.change import changes
from core.progression.pairing import WINDOW_DAYS, interval_of
from core.progression.regression.rows import change_rows
from core.progression.sdc import Sdc, study_sdc
from core.progression.totals_table import Readings


def adjusted_readings(
    readings: Readings,
    patients: pd.DataFrame,
    options: AdjustedOptions,
    days: tuple[float | None, float | None] = (None, None),
    window: float = WINDOW_DAYS,
    *,
    sdc: Sdc | None = None,
) -> dict[str, Any]:
    """``adjusted_comparison`` of the change between two days.

    patients: strata and covariates by subject. sdc: of the reading campaign; of these subjects if None.
    Patients without both films are left out, as in ``progression``; those without an arm are named.
    """
    interval = interval_of(readings.rows, *days, window)
    rows = change_rows(readings, interval).table
    change = changes(readings, interval)
    without = set(change.table["subject"].astype(str)) - set(rows["subject"].astype(str))
    known = sdc or study_sdc(change.per_reader)
    limit = None
    if known:
        limit = np.full(len(rows), known.limits_of(rows["readers"].to_numpy()), float)
    found = adjusted_comparison(rows, patients, options, limit)
    found["left_out"] += [{"subject": name, "reason": "no arm"} for name in sorted(without, key=natural_key)]
    return found
