"""The course that a mixed model expects of one patient: the patient's level, the cohort's mean slope."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np
import pandas as pd

from core.agreement.estimate import Z95

SAYS = (
    "the patient's own level as the model sees it, and from there the mean slope of all patients; the dotted "
    "lines hold 95% of the films of patients at that level"
)


def patient_course(model: dict[str, Any], subject: str, years: Any) -> pd.DataFrame:
    """``years, expected, low, high`` for one patient; empty where there is no model or it has not seen them.

    model: a fitted ``mixed`` model of ``total ~ years`` without arms as plain values (``fit_model(...)
    .as_dict()``). years: from the first day. expected: fixed level + the patient's own deviation of level +
    mean slope x years. Band: +- 1.96 SD of patients' slopes over that time and of single films.
    """
    years = np.asarray(years, float)
    estimates = {row["term"]: row["estimate"] for row in model.get("coefficients", [])}
    own = (model.get("random_effects") or {}).get(subject)
    if own is None or estimates.get("Intercept") is None:
        return pd.DataFrame(columns=["years", "expected", "low", "high"])
    parts = {name: value or 0.0 for name, value in model["variances"].items()}
    expected = estimates["Intercept"] + own[0] + (estimates.get("years") or 0.0) * years
    half = Z95 * np.sqrt(parts.get("slope", 0.0) * years**2 + parts.get("residual", 0.0))
    return pd.DataFrame(
        {"years": years, "expected": expected, "low": expected - half, "high": expected + half}
    )


def yearly_slope(model: dict[str, Any]) -> tuple[float, float, float]:
    """Mean slope per year of all patients with its 95% limits; NaN where there is none."""
    for row in model.get("coefficients", []):
        if row["term"] == "years" and row["estimate"] is not None:
            low, high = row["ci"]
            return row["estimate"], nan if low is None else low, nan if high is None else high
    return nan, nan, nan
