"""Text of the verdicts against a margin and of drift, for ``sharpline agreement``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Line = Callable[[str, dict[str, Any]], str]
NAMES = {"ICC(A,1)": "ICC(A,1)", "kappa.quadratic": "quadratic kappa"}

EQUIVALENT = {None: "no verdict", True: "equivalent", False: "not shown to be equivalent"}


def verdict_lines(result: dict[str, Any], line: Line) -> list[str]:
    """Equivalence of biases, non-inferiority, drift; empty where none was asked for. line: of one number."""
    lines: list[str] = []
    if "bias_equivalence" in result:
        lines += ["", *_bias(result["bias_equivalence"], line)]
    for name, found in result.get("non_inferiority", {}).items():
        lines += ["", *_inferior(NAMES[name], found, line)]
    if "drift" in result:
        lines += ["", *_drift(result["drift"])]
    return lines


def _bias(found: dict[str, Any], line: Line) -> list[str]:
    lines = [f"Equivalence of biases, margin {found['margin']:g}, each test at {found['level']:.1%}:"]
    for row in found["rows"]:
        lines.append(line(f"  bias, {row['first']} minus {row['second']}", row["bias"]))
        words = {None: "no verdict", True: "equivalent", False: "not shown to be equivalent"}[
            row["equivalent"]
        ]
        lines.append(f"  {words}{_because(row)}{_power(row)}")
    return lines


def _inferior(name: str, found: dict[str, Any], line: Line) -> list[str]:
    words = {None: "no verdict", True: "not inferior", False: "not shown to be non-inferior"}
    return [
        line(f"{name}, mean with the model", {"estimate": found["model_reader"]}),
        line(f"{name}, mean among readers", {"estimate": found["reader_reader"]}),
        line(f"{name}, model minus readers", found["difference"]),
        f"margin {found['margin']:g}: {words[found['non_inferior']]}{_because(found)}{_power(found)}",
    ]


def _because(found: dict[str, Any]) -> str:
    return "".join(f" ({note})" for note in found["notes"].values())


def _power(found: dict[str, Any]) -> str:
    if found["power"] is None:
        return ""
    return f"; power {found['power']:.0%} with {found['patients']} patients if there were no difference"


def _drift(found: dict[str, Any]) -> list[str]:
    rounds = ", ".join(found["rounds"])
    lines = [f"Drift between rounds ({rounds}); all other numbers are of round {found['rounds'][0]}:"]
    for row in found["rows"]:
        how = "exact" if row["exact"] else "by exchange of rounds"
        lines.append(
            f"  {row['rater']}, {row['first']} to {row['second']}: mean change {row['mean_change']:+.4f},"
            f" {row['changed']} of {row['subjects']} ratings changed"
        )
        for key, title in (("stuart_maxwell", "Stuart-Maxwell"), ("bowker", "Bowker")):
            test = row[key]
            lines.append(
                f"    {title}: "
                + (
                    "no rating changed"
                    if test["statistic"] is None
                    else f"{test['statistic']:.3f}, df {test['df']}, p {test['p']:.4f} ({how})"
                )
            )
    return [*lines, *(f"  {note}" for note in found["notes"].values())]
