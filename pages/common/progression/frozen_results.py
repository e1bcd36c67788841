"""The numbers of a confirmatory analysis as plain values."""

from __future__ import annotations

from typing import Any

import numpy as np

from pages.common.page import Page
from pages.common.progression.missing_data import under_method
from pages.common.progression.question import OBSERVED, Question
from pages.common.progression.results import results


def frozen_results(page: Page, asked: Question) -> dict[str, Any]:
    """The numbers of a confirmatory set, as plain values without single patients."""
    kept = ("subjects", "readers", "partial_readers", "summary", "arm_differences", "sdc95", "sdc95_ci",
            "progressors", "progressor_shares", "progressor_differences", "net_progression",
            "net_progression_interval", "from_days", "to_days", "window")  # fmt: skip
    found = {}
    for way, one in results(page, asked).items():
        found[way] = {name: one[name] for name in kept} | {"left_out": len(one["left_out"])}
    if asked.films != OBSERVED:
        panel = under_method(page, asked)
        rows = panel.drop(columns=["estimand", "note"]).astype(object)
        found["missing films"] = {"rows": rows.where(rows.notna(), None).to_dict("records")}
    plain: dict[str, Any] = _as_json(found)
    return plain


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, np.integer | np.floating | np.bool_):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
