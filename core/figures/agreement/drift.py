"""Drift of a model: every measure by device and over time, with the limits that raise a flag."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures.style import LIGHT, Look, apply

FLAG_COLOUR, FLAG_SYMBOL = "#D55E00", "diamond"
ROW, REST = 118, 130  # pixels of a measure, and of all else
WIDTH = 16  # letters of a line of a device's name
MAX_TICKS = 8
COLUMNS = (("device", "By device, against the others"), ("time", "Over time, moving average"))


def is_compared(found: dict[str, Any]) -> bool:
    """Whether there were devices or periods enough to compare any."""
    return any(found[axis]["limit"] for axis, _ in COLUMNS)


def varying(found: dict[str, Any], names: Sequence[str]) -> list[str]:
    """Of these measures those that differ at all, by device or over time."""
    return [
        name
        for name in names
        if any(point["limit"] for axis, _ in COLUMNS for point in found[axis]["measures"].get(name, []))
    ]


def drift(found: dict[str, Any], names: Sequence[str], on: Look = LIGHT) -> go.Figure:
    """A row a measure, devices on the left and periods on the right, on one scale of its own.

    found: of ``data.queries.drift.drift``. names: measures, in order. The band reaches to the limits; what
    lies beyond is a diamond in another colour.
    """
    figure = make_subplots(
        rows=len(names), cols=2, shared_yaxes=True, column_widths=[0.4, 0.6], horizontal_spacing=0.02,
        vertical_spacing=0.34 / len(names) if len(names) > 1 else 0,
    )  # fmt: skip
    for row, name in enumerate(names, start=1):
        for column, (axis, _) in enumerate(COLUMNS, start=1):
            points = found[axis]["measures"].get(name, [])
            for trace in _band(points, axis, on) + _marks(points, axis, found["measures"][name], on):
                figure.add_trace(trace, row=row, col=column)
    apply(figure, on, height=REST + ROW * len(names))
    _label(figure, found, names, on)
    figure.update_layout(showlegend=False, margin={"t": 64, "b": 84, "l": 56}, bargap=0.35)
    return figure


def _band(points: list[dict[str, Any]], axis: str, on: Look) -> list[Any]:
    levels = [point["level"] for point in points]
    limits = [point["limit"] or None for point in points]
    look = {"hoverinfo": "skip", "showlegend": False}
    if axis == "device":
        below = [None if limit is None else -limit for limit in limits]
        tall = [None if limit is None else 2 * limit for limit in limits]
        bars = go.Bar(x=levels, y=tall, base=below, marker={"color": on.band, "line": {"width": 0}}, **look)
        return [bars]
    edge = {"color": on.muted, "width": 1, "dash": "dot"}
    upper = go.Scatter(x=levels, y=limits, mode="lines", line=edge, **look)
    lower = go.Scatter(
        x=levels, y=[None if limit is None else -limit for limit in limits], mode="lines", line=edge,
        fill="tonexty", fillcolor=on.band, **look,
    )  # fmt: skip
    return [upper, lower]


def _marks(points: list[dict[str, Any]], axis: str, about: dict[str, Any], on: Look) -> list[Any]:
    flagged = [point["flag"] for point in points]
    words = [_words(point, about, axis) for point in points]
    marker = {
        "color": [FLAG_COLOUR if flag else on.text for flag in flagged],
        "symbol": [FLAG_SYMBOL if flag else "circle" for flag in flagged],
        "size": [11 if flag else 7 for flag in flagged],
        "line": {"color": on.background, "width": 1},
    }
    main = go.Scatter(
        x=[point["level"] for point in points], y=[point["difference"] for point in points],
        mode="lines+markers" if axis == "time" else "markers", line={"color": on.text, "width": 1.5},
        marker=marker, hovertext=words, hoverinfo="text", showlegend=False,
    )  # fmt: skip
    if axis == "device":
        return [main]
    plain = go.Scatter(
        x=[point["level"] for point in points], y=[point["mean"] for point in points], mode="markers",
        marker={"color": on.muted, "symbol": "circle-open", "size": 6}, showlegend=False,
        hovertext=[f"{point['level']}, this period alone: {_number(point['mean'])}" for point in points],
        hoverinfo="text",
    )  # fmt: skip
    return [plain, main]


def _words(point: dict[str, Any], about: dict[str, Any], axis: str) -> str:
    what = "against the others" if axis == "device" else "moving average"
    return (
        f"{point['level']}<br>{about['title']}, {what}: {_number(point['difference'])} {about['unit']}"
        f"<br>limit {_number(point['limit'], '.3g')}, n = {point['n']:,}"
        + ("<br><b>beyond the limit</b>" if point["flag"] else "")
    )


def _number(value: float | None, how: str = "+.3g") -> str:
    return "–" if value is None else f"{value:{how}}"


def _label(figure: go.Figure, found: dict[str, Any], names: Sequence[str], on: Look) -> None:
    for column, (axis, title) in enumerate(COLUMNS, start=1):
        heads = found[axis]["levels" if axis == "device" else "periods"]
        levels = [head["level"] for head in heads]
        every = 1 if axis == "device" else -(-len(levels) // MAX_TICKS)
        shown = levels[::every]
        text = ["<br>".join(wrap(name, WIDTH)) if axis == "device" else name[:7] for name in shown]
        figure.update_xaxes(
            type="category", categoryorder="array", categoryarray=levels, tickvals=shown, ticktext=text,
            showgrid=False, tickangle=0, showticklabels=False, col=column,
        )  # fmt: skip
        figure.update_xaxes(showticklabels=True, row=len(names), col=column)
        figure.add_annotation(
            text=f"<b>{title}</b>", xref=f"x{'' if column == 1 else column} domain", x=0, xanchor="left",
            yref="paper", y=1, yanchor="bottom", yshift=28, showarrow=False,
            font={"color": on.text, "size": 14},
        )  # fmt: skip
    for row, name in enumerate(names):
        about, place = found["measures"][name], "" if row == 0 else 2 * row + 1
        figure.add_annotation(
            text=f"{about['title']} ({about['unit']})", xref="paper", x=0, xanchor="left",
            yref=f"y{place} domain", y=1, yanchor="bottom", yshift=2, showarrow=False,
            font={"color": on.text, "size": 13},
        )  # fmt: skip
    figure.update_yaxes(zeroline=True, zerolinewidth=1, zerolinecolor=on.muted, nticks=4, tickformat="+.2~g")
