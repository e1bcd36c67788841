"""The adjusted comparison of arms as tables: in words for the screen, in numbers for a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.report import formatting

METHODS = {"ancova": "ANCOVA", "van_elteren": "van Elteren", "rank_ancova": "rank ANCOVA"}
SHARES = {"risk_difference": "Mantel-Haenszel", "adjusted_risk_difference": "adjusted"}


def change_table(found: dict[str, Any]) -> pd.DataFrame:
    """A row for each arm and method; tests by ranks have a p alone, and no row where p-values are off."""
    rows = []
    has_p = any(one[name]["p"] is not None for one in found["comparisons"] for name in METHODS)
    for one in found["comparisons"]:
        for name, title in METHODS.items():
            if name != "ancova" and not has_p:
                continue
            value = formatting.estimated(one[name], signed=True) if name == "ancova" else ""
            rows.append(
                {"arm": _of(one), "method": title, "difference (95% interval)": value, **_p(one[name])}
            )
    return _tidy(pd.DataFrame(rows))


def progressor_table(found: dict[str, Any]) -> pd.DataFrame:
    """A row for each definition and arm, differences in points of percent."""
    rows = []
    for rule in dict.fromkeys(rule for one in found["comparisons"] for rule in one["progressors"]):
        for one in found["comparisons"]:
            shares = one["progressors"][rule]
            model = shares["adjusted_risk_difference"]
            firth = " (Firth)" if model["method"] == "Firth" else ""
            rows.append(
                {
                    "definition": formatting.definition(rule),
                    "arm": _of(one),
                    "Mantel-Haenszel": _difference(shares["risk_difference"]),
                    **{f"CMH {name}": value for name, value in _p(shares["cmh"]).items()},
                    "adjusted": _difference(model) + firth,
                    **_p(model),
                }
            )
    return _tidy(pd.DataFrame(rows))


def sizes_table(sizes: Mapping[str, Mapping[str, int]]) -> pd.DataFrame:
    """Patients by stratum and arm."""
    return pd.DataFrame([{"stratum": name, **counts} for name, counts in sizes.items()])


def long_table(found: dict[str, Any]) -> pd.DataFrame:
    """Every number in full: ``arm, minus, definition, method, estimate, se, low, high, p, p_adjusted, n_arm,
    n_reference``.
    """
    rows = []
    for one in found["comparisons"]:
        blocks = [("change", title, one[name], one[name]) for name, title in METHODS.items()]
        for rule, shares in one["progressors"].items():
            blocks.append((rule, SHARES["risk_difference"], shares["risk_difference"], shares["cmh"]))
            model = shares["adjusted_risk_difference"]
            blocks.append((rule, SHARES["adjusted_risk_difference"], model, model))
        for definition, method, value, test in blocks:
            low, high = value.get("ci", (None, None))
            rows.append(
                {
                    "arm": one["a"], "minus": one["b"], "definition": definition, "method": method,
                    "estimate": value.get("estimate"), "se": value.get("se"), "low": low, "high": high,
                    "p": test["p"], "p_adjusted": test.get("p_adjusted"), "n_arm": one["n_a"],
                    "n_reference": one["n_b"],
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _difference(value: dict[str, Any]) -> str:
    """A difference of proportions."""
    return formatting.percent(value, signed=True, empty="no estimate")


def _of(one: dict[str, Any]) -> str:
    return f"{one['a']} (n {one['n_a']}) minus {one['b']} (n {one['n_b']})"


def _p(row: dict[str, Any]) -> dict[str, str]:
    found = {} if row["p"] is None else {"p": formatting.p_value(row["p"])}
    if row.get("p_adjusted") is not None:
        found["p, adjusted"] = formatting.p_value(row["p_adjusted"])
    return found


def _tidy(table: pd.DataFrame) -> pd.DataFrame:
    """Nothing stands for what a row does not have; columns that are empty are left out."""
    table = table.fillna("")
    return table.loc[:, (table != "").any()] if len(table) else table
