"""The tables of :mod:`models.mtss.score_tables` as text."""

from __future__ import annotations

from typing import Any

from core.agreement.estimate import Estimate


def shown(result: dict[str, Any]) -> str:
    """The main tables as text."""
    lines = [
        f"{result['set']}: {result['patients']} patients, {result['films']} films, "
        f"{len(result['abstained'])} abstained on ({result['note']})",
        "",
        "Status against truth, all visits",
    ]
    for component, by_reader in result["status"].items():
        for reader, row in by_reader.items():
            lines.append(
                f"  {component:8}{reader:14} n {row['n']:4}  ICC(A,1) {_text(row['icc_a1'], 3)}  error "
                f"{_text(row['mean_absolute_error'])}  bias {_text(row['bias'])}  limits "
                f"{_text(row['loa_lower'], 1)} {_text(row['loa_upper'], 1)}"
            )
    lines += ["", "Grades of sites"]
    for block, by_reader in result["features"].items():
        for reader, row in by_reader.items():
            lines.append(
                f"  {block:14}{reader:14} n {row['n']:6}  kappa {_text(row['kappa_quadratic'], 3)}  exact "
                f"{_text(row['exact'], 3)}  within one {_text(row['within_one'], 3)}"
            )
    lines += ["", "Change, first to last visit"]
    for component, by_reader in result.get("change", {}).items():
        for reader, row in by_reader.items():
            lines.append(
                f"  {component:8}{reader:14} n {row['n']:3} ({row['unchanged']} unchanged)  ICC(A,1) "
                f"{_text(row['icc_a1'], 3)}  bias {_text(row['bias'])}  SDC95 to truth "
                f"{_text(row['sdc95_against_truth'])}  false change {_text(row['false_change'])}  false "
                f"improvement {_text(row['false_improvement'])}  same way {_text(row['same_way'])}"
            )
    for reader, row in result.get("site_change", {}).items():
        lines.append(
            f"  sites   {reader:14} {row['unchanged']} unchanged, {row['changed']} changed  false change "
            f"{_text(row['false_change'], 4)}  false improvement {_text(row['false_improvement'], 4)}  "
            f"same way {_text(row['same_way'], 3)}"
        )
    for pair, row in result.get("sdc_readers", {}).get("total", {}).items():
        lines.append(
            f"  SDC95 of {pair}: one reader {_text(row['one_reader'])}, "
            f"mean of two {_text(row['mean_of_two'])}"
        )
    return "\n".join(lines)


def _text(value: Estimate, digits: int = 2) -> str:
    if value["estimate"] is None:
        return "-"
    low, high = value["ci"]
    ends = "" if low is None or high is None else f" ({low:.{digits}f} to {high:.{digits}f})"
    return f"{value['estimate']:.{digits}f}{ends}"
