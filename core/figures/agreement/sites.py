"""A map of sites shaded by agreement: rows from head to foot, every pair of readings side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.figures.agreement.forest import span
from core.figures.agreement.squares import SHADES, clickable_squares, fill_squares, shade
from core.figures.style import LIGHT, Look, apply
from core.scores.display.layout import SiteLayout

ROW = 24  # pixels
GAP = 0.7  # columns between two pairs


def site_grid(
    rows: pd.DataFrame,
    where: SiteLayout,
    *,
    axis: str,
    names: Mapping[str, str] | None = None,
    on: Look = LIGHT,
) -> go.Figure:
    """Agreement at every place of a system for every pair, as shaded squares.

    rows: ``site`` (a key of the layout), ``first, second, estimate, low, high, n``. A place without a row
    stays empty, a missing estimate is a cross. names: label -> short name. customdata: [site, first, second].
    """
    short = names or {}
    pairs = list(dict.fromkeys(zip(rows["first"], rows["second"], strict=True)))
    wide = len(where.columns) + GAP
    rows = rows[rows["site"].isin(where.places)]
    x = [
        pairs.index((a, b)) * wide + where.places[site][1]
        for a, b, site in zip(rows["first"], rows["second"], rows["site"], strict=True)
    ]
    across = len(pairs) * wide - GAP
    fill = [shade(value) for value in rows["estimate"]]
    y = [where.places[site][0] for site in rows["site"]]
    squares = clickable_squares(
        x, y, text=[_cell(value) for value in rows["estimate"]], fill=fill,
        data=rows[["site", "first", "second"]].to_numpy(dtype=object),
        tips=[_tip(row, where, axis) for row in rows.itertuples()],
    )  # fmt: skip
    squares.textfont.size = 11 if across <= 9 else 10
    figure = go.Figure([squares, _scale(axis, on)])
    fill_squares(figure, list(zip(x, y, strict=True)), fill)
    apply(figure, on, height=200 + ROW * len(where.rows))
    _name_pairs(figure, pairs, short, wide, len(where.columns), on)
    figure.add_annotation(
        text=f"n = {span(rows['n'])}", xref="paper", yref="paper", x=0, y=1, yshift=66, xanchor="left",
        showarrow=False, font={"color": on.muted, "size": 13},
    )  # fmt: skip
    ticks = [place * wide + column for place in range(len(pairs)) for column in range(len(where.columns))]
    named = [name if len(where.columns) > 1 else "" for _ in pairs for name in where.columns]
    figure.update_xaxes(
        tickvals=ticks, ticktext=[brief(name) for name in named], side="top", tickfont={"size": 11},
        range=[-0.7, max(across, 4) - 0.3], showgrid=False, zeroline=False, fixedrange=True, ticks="",
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(where.rows))), ticktext=list(where.rows), showgrid=False, zeroline=False,
        range=[len(where.rows) - 0.4, -0.6], fixedrange=True,
    )  # fmt: skip
    figure.update_layout(clickmode="event+select", margin={"t": 96, "b": 70, "r": 8})
    return figure


def _name_pairs(
    figure: go.Figure,
    pairs: list[tuple[str, str]],
    short: Mapping[str, str],
    wide: float,
    columns: int,
    on: Look,
) -> None:
    for place, (first, second) in enumerate(pairs):
        figure.add_annotation(
            x=place * wide + (columns - 1) / 2, y=1, yref="paper", yshift=28, yanchor="bottom",
            text=f"<b>{short.get(first, first)} – {short.get(second, second)}</b>", showarrow=False,
            font={"color": on.text, "size": 13},
        )  # fmt: skip


def _scale(axis: str, on: Look) -> go.Scatter:
    """No points: only the bar that says which colour is which agreement."""
    bar = {
        "title": {"text": axis, "side": "top", "font": {"size": 12}},
        "orientation": "h",
        "thickness": 8,
        "len": 0.7,
        "y": 0,
        "yref": "paper",
        "yanchor": "top",
        "outlinewidth": 0,
        "tickvals": [0, 0.5, 1],
        "ticktext": ["0 or less", "0.5", "1"],
        "tickfont": {"color": on.text, "size": 11},
    }
    return go.Scatter(
        x=[None], y=[None], mode="markers", showlegend=False, hoverinfo="skip",
        marker={"color": [0], "colorscale": [list(step) for step in SHADES], "cmin": 0, "cmax": 1,
                "showscale": True, "colorbar": bar},
    )  # fmt: skip


def brief(name: str) -> str:
    """The name of a column in few letters: R ero, sup."""
    return " ".join(word[:3] + ("." if len(word) > 3 else "") for word in name.split())


def _cell(value: float) -> str:
    return "×" if pd.isna(value) else f"{value:.2f}".replace("-", "−")


def _tip(row: Any, where: SiteLayout, axis: str) -> str:
    low, high = ("–" if pd.isna(value) else f"{value:.2f}" for value in (row.low, row.high))
    value = "no value: both always give one grade" if pd.isna(row.estimate) else f"{row.estimate:.2f}"
    return (
        f"<b>{row.site}</b> {where.names.get(row.site, '')}<br>{row.first} – {row.second}<br>"
        f"{axis} {value} ({low} to {high}), n = {row.n:,}"
    )
