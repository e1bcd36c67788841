"""Agreement as squares: the table of two readers' grades, and a map of sites shaded by agreement.

Squares are markers, because a click on a cell of a heat map trace is not reported by the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.domain import ReaderKind
from core.figures.agreement import Pair
from core.figures.agreement_forest import span
from core.figures.style import LIGHT, MODEL_COLOUR, NO_GRADE_COLOUR, Look, apply

NARROW = 6  # columns that the map has room for at least, so that few of them stand close together
SHADES = ((0.0, "#440154"), (0.25, "#3B528B"), (0.5, "#21918C"), (0.75, "#5EC962"), (1.0, "#FDE725"))


def confusion(counts: Any, levels: Sequence[float], pair: Pair, *, on: Look = LIGHT) -> go.Figure:
    """Counts of pairs of grades as squares: rows the first reader, columns the second, shade by row share.

    counts: shape (q, q). levels: the q grades. customdata: [grade of first, grade of second, count].
    """
    table = np.asarray(counts)
    colour = MODEL_COLOUR if pair.kind == ReaderKind.MODEL else on.people[0]
    grades = [f"{level:g}" for level in levels]
    cells = [(i, j, int(table[i, j])) for i in range(len(table)) for j in range(len(table))]
    share = [count / max(int(table[i].sum()), 1) for i, _, count in cells]
    side = max(24, min(72, 320 // max(len(grades), 1)))
    fill = [_mix(on.background, colour, 0.08 + 0.87 * part) for part in share]
    look = {"opacity": 1.0}
    figure = go.Figure(
        go.Scatter(
            x=[j for _, j, _ in cells],
            y=[i for i, _, _ in cells],
            mode="markers+text",
            text=[f"{count:,}" if count else "" for _, _, count in cells],
            textfont={"color": [_ink(shade) for shade in fill], "size": 12},
            marker={
                "symbol": "square",
                "size": side,
                "color": fill,
                "line": {
                    "color": [on.text if i == j else "rgba(0,0,0,0)" for i, j, _ in cells],
                    "width": 1.5,
                },
                **look,
            },
            customdata=[[levels[i], levels[j], count] for i, j, count in cells],
            hovertext=[
                f"{pair.first} {grades[i]}, {pair.second} {grades[j]}: {count:,} ({part:.0%} of the row)"
                for (i, j, count), part in zip(cells, share, strict=True)
            ],
            hoverinfo="text",
            selected={"marker": look},
            unselected={"marker": look},
        )
    )
    apply(figure, on, height=120 + (side + 6) * max(len(grades), 2), note=f"n = {int(table.sum()):,}")
    ticks = {"tickvals": list(range(len(grades))), "ticktext": grades, "showgrid": False, "zeroline": False}
    figure.update_xaxes(title_text=f"{pair.second} ({pair.unit})", range=[-0.6, len(grades) - 0.4], **ticks)
    figure.update_yaxes(
        title_text=f"{pair.first} ({pair.unit})", range=[len(grades) - 0.4, -0.6], scaleanchor="x", **ticks
    )
    figure.update_layout(xaxis_constrain="domain", yaxis_constrain="domain")
    figure.update_layout(showlegend=False, clickmode="event+select")
    return figure


def site_agreement(rows: pd.DataFrame, sites: Sequence[str], *, axis: str, on: Look = LIGHT) -> go.Figure:
    """Agreement of every site (rows, from head to foot) for every pair (columns), as shaded squares.

    rows: ``site, first, second, estimate, low, high, n``. sites: all, in their order; a site without a row
    stays empty, a missing estimate is a cross. axis: what the numbers are. customdata: [site, first, second].
    """
    pairs = list(dict.fromkeys(zip(rows["first"], rows["second"], strict=True)))
    column = {pair: place for place, pair in enumerate(pairs)}
    row = {site: place for place, site in enumerate(sites)}
    rows = rows[rows["site"].isin(row)]
    known = rows["estimate"].notna()
    place_x = [column[pair] for pair in zip(rows["first"], rows["second"], strict=True)]
    look = {"opacity": 1.0}
    figure = go.Figure(
        go.Scatter(
            x=place_x,
            y=rows["site"].map(row),
            mode="markers+text",
            text=[f"{value:.2f}" if ok else "×" for value, ok in zip(rows["estimate"], known, strict=True)],
            textfont={"size": 11, "color": [_ink(_shade(value)) for value in rows["estimate"]]},
            marker={
                "symbol": "square",
                "size": 30,
                "color": [_shade(value) for value in rows["estimate"]],
                **look,
            },
            customdata=rows[["site", "first", "second"]],
            hovertext=[_site_tip(item, axis) for item in rows.itertuples()],
            hoverinfo="text",
            selected={"marker": look},
            unselected={"marker": look},
        )
    )
    apply(figure, on, height=110 + 32 * len(sites))
    figure.add_annotation(
        text=f"{axis}, n = {span(rows['n'])}", xref="paper", yref="paper", x=0, y=1, yshift=52,
        xanchor="left", showarrow=False, font={"color": on.muted, "size": 13},
    )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(len(pairs))), ticktext=[f"{a} – {b}" for a, b in pairs], side="top",
        range=[-0.6, max(len(pairs), NARROW) - 0.4], showgrid=False, zeroline=False,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(sites))), ticktext=list(sites), range=[len(sites) - 0.4, -0.6],
        showgrid=False, zeroline=False,
    )  # fmt: skip
    figure.update_layout(showlegend=False, clickmode="event+select", margin={"t": 76})
    return figure


def _site_tip(row: Any, axis: str) -> str:
    return (
        f"{row.site}, {row.first} – {row.second}<br>{axis} {_number(row.estimate)}"
        f" ({_number(row.low)} to {_number(row.high)}), n = {row.n:,}"
    )


def _shade(value: float) -> str:
    """Colour of an agreement from 0 (dark) to 1 (light), readable with any colour vision (viridis)."""
    if pd.isna(value):
        return NO_GRADE_COLOUR
    value = min(max(float(value), 0.0), 1.0)
    for (low, dark), (high, bright) in pairwise(SHADES):
        if value <= high:
            return _mix(dark, bright, (value - low) / (high - low))
    return SHADES[-1][1]


def _mix(one: str, other: str, part: float) -> str:
    channels = [
        round(int(one[i : i + 2], 16) * (1 - part) + int(other[i : i + 2], 16) * part) for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{channel:02X}" for channel in channels)


def _ink(fill: str) -> str:
    """Dark or white text, whichever stands out more on this colour (relative luminance, WCAG 2)."""
    red, green, blue = (int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5))
    light = sum(
        part * value**2.2 for part, value in zip((0.2126, 0.7152, 0.0722), (red, green, blue), strict=True)
    )
    return "#1F2933" if light > 0.22 else "#FFFFFF"


def _number(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}"
