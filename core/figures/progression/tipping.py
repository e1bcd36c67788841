"""Tipping point: the difference between arms while missing changes of one arm, or of both, are shifted."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures.style import LIGHT, Look, apply
from core.progression.estimands.tipping import shifted
from core.report.formatting import signed


def tipping_line(row: dict[str, Any], *, unit: str, on: Look = LIGHT) -> go.Figure:
    """Difference with its interval against the shift of the arm's missing changes, tipping points marked.

    row: one of ``tipping`` of ``core.progression.estimands.analysis``.
    """
    grid = row["grid"]
    middle = len(grid["shift_other"]) // 2
    x = np.asarray(grid["shift"], float)
    value, low, high = (
        np.asarray(grid[name], float)[:, middle].tolist() for name in ("estimate", "low", "high")
    )
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[*x, *x[::-1]], y=[*high, *low[::-1]], fill="toself", fillcolor=on.band, line={"width": 0},
            hoverinfo="skip", name="95% interval",
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=x, y=value, mode="lines", line={"color": on.text, "width": 2},
            name=f"{row['a']} minus {row['b']}",
            hovertemplate="shift %{x:+.2f}: %{y:+.2f}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": on.muted, "width": 1})
    figure.add_vline(x=0, line={"color": on.muted, "width": 1, "dash": "dot"})
    for side in ("up", "down"):
        if row[side] is not None and abs(row[side]) <= x.max():
            figure.add_vline(
                x=row[side], line={"color": on.text, "width": 1.5, "dash": "dash"},
                annotation_text=f"verdict turns at {signed(row[side])}", annotation_position="top",
            )  # fmt: skip
    apply(figure, on, height=330)
    figure.update_xaxes(title_text=f"Shift of the {shifted(row['missing'][0], row['a'])} ({unit})")
    figure.update_yaxes(title_text=f"{row['a']} minus {row['b']} ({unit})")
    return figure


def tipping_map(row: dict[str, Any], *, unit: str, on: Look = LIGHT) -> go.Figure:
    """Both arms shifted: the difference in colour, a dot where the interval leaves out 0."""
    grid = row["grid"]
    value, low, high = (np.asarray(grid[name], float) for name in ("estimate", "low", "high"))
    differs = (low > 0) | (high < 0)
    size = float(np.abs(value).max()) or 1.0
    figure = go.Figure(
        go.Heatmap(
            x=grid["shift_other"], y=grid["shift"], z=value, zmin=-size, zmax=size, colorscale="RdBu_r",
            colorbar={"title": {"text": "difference"}, "thickness": 12},
            hovertemplate=f"{row['b']} %{{x:+.2f}}, {row['a']} %{{y:+.2f}}: %{{z:+.2f}}<extra></extra>",
        )
    )  # fmt: skip
    y, x = np.nonzero(differs)
    figure.add_trace(
        go.Scatter(
            x=np.asarray(grid["shift_other"])[x], y=np.asarray(grid["shift"])[y], mode="markers",
            marker={"size": 6, "color": on.background, "line": {"color": on.text, "width": 1}},
            name="interval leaves out 0", hoverinfo="skip",
        )
    )  # fmt: skip
    apply(figure, on, height=330)
    figure.update_xaxes(title_text=f"Shift of the {shifted(row['missing'][1], row['b'])} ({unit})")
    figure.update_yaxes(title_text=f"Shift of the {shifted(row['missing'][0], row['a'])}")
    figure.update_layout(showlegend=False)
    return figure
