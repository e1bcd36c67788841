"""Least-squares means of a fitted MMRM and their differences as one table: a row for each visit and arm."""

from __future__ import annotations

from typing import Any

import pandas as pd

ALL = "all"
MEAN = ("mean", "se", "low", "high", "df")
DIFFERENCE = ("difference", "difference_se", "difference_low", "difference_high", "difference_df", "p")


def mean_rows(result: dict[str, Any]) -> pd.DataFrame:
    """Columns ``visit, arm, n, mean, se, low, high, df``, and of arms other than the reference ``minus,
    difference, difference_se, difference_low, difference_high, difference_df, p`` (and ``p_adjusted``).

    result: of ``model.mmrm``. Arms stand with the reference first, one ``all`` without arms. The averages
    over visits follow, their ``visit`` in words and without n. What cannot be computed is missing.
    """
    first = result["reference_arm"]
    rows = _rows(result["ls_means"], result["contrasts"], first)
    several = len({row["visit"] for row in result["ls_means"]})
    for over in result["averages"]:
        name = "average of all visits" if len(over["visits"]) == several else _average(over["visits"])
        rows += _rows(
            [{"visit": name, "n": None, **row} for row in over["ls_means"]],
            [{"visit": name, **row} for row in over["contrasts"]],
            first,
        )
    return pd.DataFrame(rows)


def _average(visits: list[str]) -> str:
    return f"average of {', '.join(visits)}"


def _rows(
    means: list[dict[str, Any]], contrasts: list[dict[str, Any]], reference: str | None
) -> list[dict[str, Any]]:
    found = {(row["visit"], row["a"]): row for row in contrasts}
    rows = []
    for visit in dict.fromkeys(row["visit"] for row in means):
        own = [row for row in means if row["visit"] == visit]
        for row in sorted(own, key=lambda row: row["arm"] != reference):
            line = {"visit": visit, "arm": ALL if row["arm"] is None else row["arm"], "n": row["n"]}
            line |= dict(zip(MEAN, (row["estimate"], row["se"], *row["ci"], row["df"]), strict=True))
            rows.append(line | _difference(found.get((visit, row["arm"]))))
    return rows


def _difference(row: dict[str, Any] | None) -> dict[str, Any]:
    """What an arm has minus the reference; nothing of the reference itself."""
    if row is None:
        return {}
    values = row["estimate"], row["se"], *row["ci"], row["df"], row["p"]
    adjusted = {"p_adjusted": row["p_adjusted"]} if "p_adjusted" in row else {}
    return {"minus": row["b"], **dict(zip(DIFFERENCE, values, strict=True)), **adjusted}
