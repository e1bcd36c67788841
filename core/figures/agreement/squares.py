"""The table of two readers' grades as squares, and what every map of squares is made from.

A click on a cell of a heat map trace is not reported by the page: transparent markers lie over the squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.domain import ReaderKind
from core.figures.agreement.pairs import Pair
from core.figures.style import LIGHT, MODEL_COLOUR, NO_GRADE_COLOUR, Look, apply
from core.reader_labels import display_name

HALF = 0.46  # of a square's side
SHADES = ((0.0, "#440154"), (0.25, "#3B528B"), (0.5, "#21918C"), (0.75, "#5EC962"), (1.0, "#FDE725"))


def confusion(counts: Any, levels: Sequence[float], pair: Pair, *, on: Look = LIGHT) -> go.Figure:
    """Counts of pairs of grades as squares: rows the first reader, columns the second, shade by row share.

    counts: shape (q, q). levels: the q grades. customdata: [grade of first, grade of second, count].
    """
    table = np.asarray(counts)
    colour = MODEL_COLOUR if pair.kind == ReaderKind.MODEL else on.people[0]
    grades = [f"{level:g}".replace("-", "−") for level in levels]
    cells = [(i, j, int(table[i, j])) for i in range(len(table)) for j in range(len(table))]
    share = [count / max(int(table[i].sum()), 1) for i, _, count in cells]
    fill = [mix(on.background, colour, 0.08 + 0.87 * part) for part in share]
    figure = go.Figure(
        clickable_squares(
            [j for _, j, _ in cells],
            [i for i, _, _ in cells],
            text=[f"{count:,}" if count else "" for _, _, count in cells],
            fill=fill,
            data=[[levels[i], levels[j], count] for i, j, count in cells],
            tips=[
                f"{pair.first} {grades[i]}, {pair.second} {grades[j]}: {count:,} ({part:.0%} of the row)"
                for (i, j, count), part in zip(cells, share, strict=True)
            ],
        )
    )
    edges = [on.text if i == j else "rgba(0,0,0,0)" for i, j, _ in cells]
    fill_squares(figure, [(j, i) for i, j, _ in cells], fill, edges)
    apply(figure, on, height=130 + 52 * max(len(grades), 3), note=f"n = {int(table.sum()):,}")
    ticks = {"tickvals": list(range(len(grades))), "ticktext": grades, "showgrid": False, "zeroline": False}
    ticks |= {"fixedrange": True}
    figure.update_xaxes(
        title_text=f"{display_name(pair.second)} ({pair.unit})", range=[-0.6, len(grades) - 0.4], **ticks
    )
    figure.update_yaxes(
        title_text=f"{display_name(pair.first)} ({pair.unit})", range=[len(grades) - 0.4, -0.6], **ticks
    )
    figure.update_layout(showlegend=False, clickmode="event+select")
    return figure


def clickable_squares(
    x: Sequence[float], y: Sequence[float], *, text: Sequence[str], fill: Sequence[str], data: Any, tips: Any
) -> go.Scatter:
    """What is written in the squares and answers a click: transparent markers, the nearest one counts."""
    look = {"opacity": 1.0}
    inks = [ink(colour) for colour in fill]
    return go.Scatter(
        x=x, y=y, mode="markers+text", text=text, textfont={"color": inks, "size": 12},
        marker={"symbol": "square", "size": 34, "color": "rgba(0,0,0,0)", "line": {"width": 0}, **look},
        customdata=data, hovertext=tips, hoverinfo="text", showlegend=False,
        selected={"marker": look}, unselected={"marker": look},
    )  # fmt: skip


def fill_squares(
    figure: go.Figure, places: Sequence[tuple[float, float]], fill: Sequence[str], edges: Sequence[str] = ()
) -> None:
    """The squares themselves: shapes, which grow and shrink with the page as markers do not."""
    around = edges or ["rgba(0,0,0,0)"] * len(places)
    figure.update_layout(
        shapes=[
            {"type": "rect", "x0": x - HALF, "x1": x + HALF, "y0": y - HALF, "y1": y + HALF,
             "fillcolor": colour, "line": {"color": edge, "width": 1.5}, "layer": "below"}
            for (x, y), colour, edge in zip(places, fill, around, strict=True)
        ]
    )  # fmt: skip


def shade(value: float) -> str:
    """Colour of an agreement from 0 (dark) to 1 (light), readable with any colour vision (viridis)."""
    if pd.isna(value):
        return NO_GRADE_COLOUR
    value = min(max(float(value), 0.0), 1.0)
    for (low, dark), (high, bright) in pairwise(SHADES):
        if value <= high:
            return mix(dark, bright, (value - low) / (high - low))
    return SHADES[-1][1]


def mix(one: str, other: str, part: float) -> str:
    """The colour that lies this share of the way from one to the other."""
    channels = [
        round(int(one[i : i + 2], 16) * (1 - part) + int(other[i : i + 2], 16) * part) for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{channel:02X}" for channel in channels)


def ink(fill: str) -> str:
    """Dark or white text, whichever stands out more on this colour (relative luminance, WCAG 2)."""
    red, green, blue = (int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5))
    light = sum(
        part * value**2.2 for part, value in zip((0.2126, 0.7152, 0.0722), (red, green, blue), strict=True)
    )
    return "#1F2933" if light > 0.22 else "#FFFFFF"
