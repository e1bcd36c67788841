"""The table of phantoms beside real pictures, measure by measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from data.phantom.compare.measures import measures
from data.phantom.compare.two_sample import random_filters, told_apart
from data.phantom.compare.wrists import Wrist

EIGHT = (
    "grey p25", "grey p50", "grey p75", "noise dark", "noise middle", "noise bright", "gradient p95",
    "gradient p99",
)  # fmt: skip


def compared(phantoms: Sequence[Wrist], real: Sequence[Wrist]) -> dict[str, Any]:
    """Measures of both kinds and how well they are told apart.

    ``measures``: rows of measure, median, 10th and 90th percentile of each kind, and the share of phantoms
    between those of the real ones. ``told_apart``: by eight numbers, by all, by random filters; AUC with its
    interval.
    """
    both = [*phantoms, *real]
    values = pd.DataFrame([measures(one.pixels) for one in both])
    is_real = [False] * len(phantoms) + [True] * len(real)
    ours, theirs = values.iloc[: len(phantoms)], values.iloc[len(phantoms) :]
    patients = [one.patient for one in both]
    filters = np.array([random_filters(one.pixels) for one in both])
    sees = {
        "eight plain numbers": values[list(EIGHT)],
        "all plain numbers": values,
        "random filters": filters,
    }
    return {
        "phantoms": len(phantoms),
        "real": len(real),
        "measures": [_row(name, ours[name], theirs[name]) for name in map(str, values)],
        "told_apart": {
            name: told_apart(np.asarray(one, dtype=float), is_real, patients) for name, one in sees.items()
        },
    }


def _row(name: str, phantoms: pd.Series, real: pd.Series) -> dict[str, Any]:
    low, high = real.quantile(0.1), real.quantile(0.9)
    known = phantoms.dropna()
    return {
        "measure": name,
        "phantom": [round(float(phantoms.quantile(share)), 2) for share in (0.1, 0.5, 0.9)],
        "real": [round(float(real.quantile(share)), 2) for share in (0.1, 0.5, 0.9)],
        "inside": round(float(((known >= low) & (known <= high)).mean()), 2) if len(known) else None,
    }


def as_markdown(found: dict[str, Any]) -> str:
    """Both tables of ``compared`` as a document holds them."""
    lines = [
        f"| measure | {found['phantoms']} phantoms: median (10th to 90th) | {found['real']} real "
        "| phantoms inside |",
        "|---|---|---|---|",
    ]
    for row in found["measures"]:
        shown = (f"{middle:g} ({low:g} to {high:g})" for low, middle, high in (row["phantom"], row["real"]))
        inside = "-" if row["inside"] is None else f"{row['inside']:.0%}"
        lines.append(f"| {row['measure']} | {' | '.join(shown)} | {inside} |")
    lines += ["", "| told apart by | AUC, patients held out (95% interval) |", "|---|---|"]
    for name, area in found["told_apart"].items():
        lines.append(f"| {name} | {area['estimate']:.3f} ({area['ci'][0]:.3f} to {area['ci'][1]:.3f}) |")
    return "\n".join(lines)
