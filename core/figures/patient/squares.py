"""Maps of squares, a row a place of the body: what the maps of sites and of blocks have in common.

Cells are markers, because a click on a cell of a heat map trace is not reported by the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.figures.style import Look

Rows = Sequence[tuple[str, str]]  # (place, what stands beside it); without a place the name of a group


def squares(
    cells: pd.DataFrame, keys: Sequence[str], size: int, line: Mapping[str, Any] | None = None
) -> go.Scatter:
    """A marker a cell, with ``keys`` for a click.

    cells: ``x, y, text, colour, ink, tip`` and the keys. line: around each.
    """
    look = {"opacity": 1.0}
    around = {"line": dict(line)} if line else {}
    return go.Scatter(
        x=cells["x"], y=cells["y"], mode="markers+text", text=cells["text"], hovertext=cells["tip"],
        hoverinfo="text", customdata=cells[list(keys)],
        marker={"symbol": "square", "size": size, "color": cells["colour"].tolist(), **around, **look},
        textfont={"color": cells["ink"].tolist(), "size": 11},
        selected={"marker": look}, unselected={"marker": look},
    )  # fmt: skip


def axes(figure: go.Figure, heads: Sequence[str], last: float, names: Mapping[int, str], rows: int) -> None:
    """Heads over the columns, a name beside each row. last: where the columns end. rows: with group names."""
    figure.update_xaxes(
        tickvals=list(range(len(heads))), ticktext=list(heads), side="top", range=[-0.6, last],
        showgrid=False, zeroline=False, fixedrange=True,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(names), ticktext=list(names.values()), range=[rows - 0.4, -0.6], showgrid=False,
        zeroline=False, fixedrange=True,
    )  # fmt: skip


def name_groups(figure: go.Figure, rows: Rows, on: Look) -> None:
    """The name of each group in the row above its places."""
    for place, (code, name) in enumerate(rows):
        if not code:
            figure.add_annotation(
                x=0, xref="paper", xanchor="left", y=place, text=name, showarrow=False,
                font={"color": on.muted, "size": 12}, bgcolor=on.background, borderpad=1,
            )  # fmt: skip


def frame_row(figure: go.Figure, row: int, columns: int, on: Look) -> None:
    """A frame around the chosen row."""
    figure.add_shape(
        type="rect", x0=-0.5, x1=columns - 0.5, y0=row - 0.5, y1=row + 0.5,
        line={"color": on.text, "width": 2},
    )  # fmt: skip
