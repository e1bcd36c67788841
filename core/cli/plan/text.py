"""The result of ``sharpline plan`` as lines for a person."""

from __future__ import annotations

from typing import Any


def lines_of(result: dict[str, Any]) -> str:
    """Patients by test, then by readers, then what was assumed."""
    lines = [*_start_lines(result["start"]), *_sd_lines(result), ""]
    lines.append(f"{'test':<42}{'control':>8}{'treated':>8}{'enrol':>8}{'result':>8}  power")
    for row in result["tests"]:
        enrol = row["enrol"]
        checked = row.get("checked")
        beside = f"; {checked['power']:.3f} in {checked['how']}" if checked else ""
        lines.append(
            f"{row['title']:<42}{enrol['control']:>8}{enrol['treated']:>8}{enrol['total']:>8}"
            f"{row['with_result']['total']:>8}  {row['power']:.3f}{beside}"
        )
        if "progressors" in row:
            shares = row["progressors"]
            lines.append(
                f"  progressors: {shares['control']:.1%} of controls, {shares['treated']:.1%} of treated"
            )
    lines += _reader_lines(result["by_readers"])
    lines += ["", "assumed:", *[f"- {text}" for text in result["assumptions"]]]
    lines += [f"note, {name}: {why}" for name, why in result["notes"].items()]
    return "\n".join(lines)


def _start_lines(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return []
    who = "all patients" if found["controls"] is None else f"arm {found['controls']}"
    numbers = (("SD", "sd"), ("SDC95 of one reader", "sdc"), ("correlation with baseline", "correlation"))
    parts = [f"{title} {_number(found[name])}" for title, name in numbers]
    return [
        f"from the table: {found['patients']} patients, mean change of {who} {_number(found['mean'])}, "
        + ", ".join(parts)
        + f", {found['lost']:.0%} without a change"
    ]


def _sd_lines(result: dict[str, Any]) -> list[str]:
    sd = result["sd"]
    lines = [f"difference to be found: {_number(result['difference'])}"]
    if sd["true"] is not None:
        lines.append(
            f"SD of change: {_number(sd['planned'])} as planned, {_number(sd['as_read'])} as read by "
            f"{sd['readers']} readers, {_number(sd['true'])} without reading error"
        )
    elif sd["planned"] is not None:
        lines.append(f"SD of change: {_number(sd['planned'])}")
    return lines


def _reader_lines(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    names = list(rows[0]["enrol"])
    lines = ["", f"{'patients by readers':<20}{'SD':>8}" + "".join(f"{name:>12}" for name in names)]
    for row in rows:
        sizes = "".join(f"{row['enrol'][name] or '-':>12}" for name in names)
        lines.append(f"{row['readers']:<20}{_number(row['sd']):>8}{sizes}")
    return lines


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
