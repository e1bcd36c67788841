"""Model mean of every arm at every visit, from the cell-means form of the same MMRM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.progression.mmrm.model import Options, mmrm


def cell_means(
    table: pd.DataFrame, formula: str, covariance: str, visits: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows ``arm, visit, mean, low, high`` (95%) at the mean baseline of the patients in the table.

    table: columns ``subject, arm, visit, baseline, change``. formula: of ``change_formula``. The mean of an
    arm at a visit is an estimable combination of the coefficients: a coefficient of the cell-means form with
    the baseline centred.
    """
    centred = table.assign(centred=table["baseline"] - table["baseline"].mean())
    centred["cell"] = centred["arm"].astype(str) + " | " + centred["visit"].astype(str)
    slope = ""
    if "baseline" in formula:
        slope = " + centred:visit" if "baseline * visit" in formula else " + centred"
    cells = mmrm(
        centred, f"change ~ 0 + cell{slope}", "subject", "visit",
        Options(covariance, "kenward-roger", levels={"visit": list(visits)}),
    )  # fmt: skip
    return [_mean(entry) for entry in cells["coefficients"] if _is_mean(entry)]


def _is_mean(entry: dict[str, Any]) -> bool:
    return entry["term"].startswith("cell[") and entry["estimate"] is not None


def _mean(entry: dict[str, Any]) -> dict[str, Any]:
    arm, _, visit = entry["term"].partition("[")[2].rstrip("]").removeprefix("T.").partition(" | ")
    low, high = entry["ci"]
    return {"arm": arm, "visit": visit, "mean": entry["estimate"], "low": low, "high": high}
