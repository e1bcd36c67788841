"""The figures of an evaluation as a table in text, the paper's beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.mtss.sites import DETECTORS

ROWS = {
    "detection_rate": "joints found",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "f1": "F",
    "iou": "IoU of joints found",
}


def as_text(result: Mapping[str, Any]) -> str:
    """Tables for a terminal: each finding by single detector and ensemble, then how joints were named."""
    lines = [f"mTSS special findings: {result['folds']}. {result['note']}."]
    for finding in DETECTORS:
        lines += ["", *_finding(finding, result["findings"][finding], result["paper"])]
    named = result["naming"]
    lines += [
        "",
        f"Names: {named['films_named']} of {named['films']} films; {named['named']} of {named['joints']} "
        f"joints, {named['named_right']} of them right.",
    ]
    for one in named["refused"]:
        lines.append(f"  not named: {one['film']} ({one['kind']}): {one['reason']}")
    return "\n".join(lines)


def _finding(finding: str, tables: Mapping[str, Any], paper: Mapping[str, Any]) -> list[str]:
    whole = tables["ensemble"]
    counts = whole["counts"]
    affected = counts["tp"] + counts["fn"]
    lines = [
        f"{finding}: {whole['patients']} patients, {whole['films']} films, {counts['joints']} joints, "
        f"{affected} with the finding",
        f"  {'':22}{'single':>26}{'ensemble':>26}{'paper':>10}",
    ]
    for key, words in ROWS.items():
        stated = paper["detection_rate"] if key == "detection_rate" else paper[finding].get(key, "")
        shown = "> 0.998" if key == "detection_rate" else f"{stated:.3f}"
        cells = "".join(f"{_interval(tables[method][key]):>26}" for method in ("single", "ensemble"))
        lines.append(f"  {words:22}{cells}{shown:>10}")
    lines.append(
        f"  ensemble counts: TP {counts['tp']}, FN {counts['fn']}, FP {counts['fp']}, TN {counts['tn']}"
    )
    return lines


def _interval(found: Mapping[str, Any]) -> str:
    value, (low, high) = found["estimate"], found["ci"]
    if value is None:
        return "none to count"
    return f"{value:.3f}" if low is None else f"{value:.3f} ({low:.3f} to {high:.3f})"
