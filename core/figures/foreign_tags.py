"""Names in figures: plotly reads tags in every text; those that this program did not write become text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

# what this program writes: bold, breaks, raised digits, and the empty second box of a hover text
FOREIGN = re.compile(r"<(?!/?(?:b|i|br|sup|sub)/?>|/?extra>|span style=\"[\w\s:;#.-]*\">|/span>)")
NOT_SHOWN = ("customdata", "ids", "meta", "uid", "type")


def without_foreign_tags(figure: go.Figure) -> go.Figure:
    """The figure with every other tag in its texts made visible; the same object where there is none."""
    spec = figure.to_plotly_json()
    parts = {"data": spec["data"], "layout": {k: v for k, v in spec["layout"].items() if k != "template"}}
    clean = _clean(parts)
    if clean is parts:
        return figure
    return go.Figure({"data": clean["data"], "layout": {**spec["layout"], **clean["layout"]}})


def _clean(value: Any) -> Any:
    """The value without foreign tags; itself where it has none."""
    if isinstance(value, str):
        return FOREIGN.sub("&lt;", value) if FOREIGN.search(value) else value
    if isinstance(value, Mapping):
        fresh: dict[Any, Any] = {k: v if k in NOT_SHOWN else _clean(v) for k, v in value.items()}
        return fresh if any(fresh[k] is not v for k, v in value.items()) else value
    if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        items = value.tolist()
        fresh_items = _clean(items)
        return value if fresh_items is items else np.array(fresh_items, dtype=object)
    if isinstance(value, list | tuple):
        cleaned = [_clean(item) for item in value]
        return cleaned if any(a is not b for a, b in zip(cleaned, value, strict=True)) else value
    return value
