"""The numbers that a figure draws, as a table: one row a point, in the order in which they are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

AXES = ("x", "y")
MAX_EXTRA = 6  # values that a point carries besides its place


def drawn_values(figure: Any) -> pd.DataFrame:
    """``series, x, y`` and, where there are any, ``low``, ``high``, ``text`` and what points carry.

    The axes' titles name x and y where they say what they are. Lines without points, such as a limit, and
    fills are left out; a gap in a line is no row.
    """
    parts = [part for trace in figure.data if (part := _of_trace(trace)) is not None]
    if not parts:
        return pd.DataFrame(columns=["series", *AXES])
    table = pd.concat(parts, ignore_index=True).dropna(subset=list(AXES), how="any")
    table = table.dropna(axis=1, how="all")
    return table.rename(columns=_titles(figure, table.columns)).reset_index(drop=True)


def _of_trace(trace: Any) -> pd.DataFrame | None:
    x, y = (_values(getattr(trace, axis, None)) for axis in AXES)
    if x is None or y is None or len(x) != len(y) or getattr(trace, "fill", None) == "toself":
        return None
    rows = pd.DataFrame({"series": str(trace.name or ""), "x": x, "y": y}, dtype=object)
    for axis in AXES:
        rows = _with_error(rows, axis, getattr(trace, f"error_{axis}", None))
    text = _values(getattr(trace, "text", None))
    if text is not None and len(text) == len(rows):
        rows["text"] = text
    return _with_extra(rows, getattr(trace, "customdata", None))


def _values(given: Any) -> np.ndarray | None:
    """One value a point; None where there are none."""
    if given is None or isinstance(given, str):
        return None
    found = np.asarray(given)
    return found.astype(object) if found.ndim == 1 else None


def _with_error(rows: pd.DataFrame, axis: str, error: Any) -> pd.DataFrame:
    """Limits of the values of an axis, from its error bars."""
    above = _values(getattr(error, "array", None))
    if above is None or len(above) != len(rows):
        return rows
    below = _values(getattr(error, "arrayminus", None))
    middle = pd.to_numeric(rows[axis], errors="coerce")
    low = middle - pd.to_numeric(pd.Series(above if below is None else below), errors="coerce")
    return rows.assign(low=low, high=middle + pd.to_numeric(pd.Series(above), errors="coerce"))


def _with_extra(rows: pd.DataFrame, carried: Any) -> pd.DataFrame:
    """What each point carries: the patient first."""
    if carried is None:
        return rows
    values = np.asarray(carried, dtype=object)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != len(rows):
        return rows
    for place in range(min(values.shape[1], MAX_EXTRA)):
        rows[f"point {place + 1}"] = values[:, place]
    return rows


def _titles(figure: Any, names: pd.Index) -> dict[str, str]:
    """x and y by the titles of the axes, where these are no names of other columns and not alike."""
    found: dict[str, str] = {}
    for axis in AXES:
        title = str(getattr(figure.layout, f"{axis}axis").title.text or "").replace("<br>", " ").strip()
        if title and title not in names and title not in found.values():
            found[axis] = title
    return found
