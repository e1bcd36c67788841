"""The tables of :mod:`models.evaluation.agreement` as text."""

from __future__ import annotations

from typing import Any

from models.evaluation.markdown import told


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
                f"  {component:8}{reader:14} n {row['n']:4}  ICC(A,1) {told(row['icc_a1'], 3)}  error "
                f"{told(row['mean_absolute_error'])}  bias {told(row['bias'])}  limits "
                f"{told(row['loa_lower'], 1)} {told(row['loa_upper'], 1)}"
            )
    lines += ["", "Grades of sites"]
    for block, by_reader in result["features"].items():
        for reader, row in by_reader.items():
            lines.append(
                f"  {block:14}{reader:14} n {row['n']:6}  kappa {told(row['kappa_quadratic'], 3)}  exact "
                f"{told(row['exact'], 3)}  within one {told(row['within_one'], 3)}"
            )
    lines += ["", "Change, first to last visit"]
    for component, by_reader in result.get("change", {}).items():
        for reader, row in by_reader.items():
            lines.append(
                f"  {component:8}{reader:14} n {row['n']:3} ({row['unchanged']} unchanged)  ICC(A,1) "
                f"{told(row['icc_a1'], 3)}  bias {told(row['bias'])}  SDC95 to truth "
                f"{told(row['sdc95_against_truth'])}  false change {told(row['false_change'])}  false "
                f"improvement {told(row['false_improvement'])}  same way {told(row['same_way'])}"
            )
    for reader, row in result.get("site_change", {}).items():
        lines.append(
            f"  sites   {reader:14} {row['unchanged']} unchanged, {row['changed']} changed  false change "
            f"{told(row['false_change'], 4)}  false improvement {told(row['false_improvement'], 4)}  "
            f"same way {told(row['same_way'], 3)}"
        )
    for pair, row in result.get("sdc_readers", {}).get("total", {}).items():
        lines.append(
            f"  SDC95 of {pair}: one reader {told(row['one_reader'])}, mean of two {told(row['mean_of_two'])}"
        )
    return "\n".join(lines)
