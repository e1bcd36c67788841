"""Where change happens: sites by visit or by arm, a square each, coloured by the share that got worse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures.style import LIGHT, Look, apply

ROW_PIXELS = 21
FEWEST = 6  # columns that there is room for: few groups stand close to their sites
SCALES = {  # share of patients who got worse, from none upwards; lightness tells as much as hue
    False: ((0, "#EEF1F4"), (0.25, "#F9D9A8"), (0.6, "#E58A3C"), (1, "#8C2D04")),
    True: ((0, "#222A32"), (0.25, "#6B4A1E"), (0.6, "#D07A2D"), (1, "#FFE2B8")),
}


def change_map(
    cells: pd.DataFrame, sites: list[str], groups: list[str], *, on: Look = LIGHT, names: str = ""
) -> go.Figure:
    """Rows are sites in their order, columns are groups; a square's text is the share in percent.

    cells: ``group, site, n, worse, better, mean, share, low, high`` (``by_group.by_site``). A
    missing share (nobody graded both) is an empty square. ``customdata`` of a square: [group, site].
    Squares are markers, because a click on a cell of a heat map is not reported. names: title of the columns.
    """
    rows = cells[cells["group"].isin(groups)]
    x = pd.Index(groups).get_indexer(pd.Index(rows["group"]))
    y = pd.Index(sites).get_indexer(pd.Index(rows["site"]))
    share = pd.to_numeric(rows["share"], errors="coerce").to_numpy(float)
    top = max(float(np.nanmax(share)) if np.isfinite(share).any() else 0.0, 0.02)
    look: dict[str, Any] = {"opacity": 1.0}
    ink = np.where((np.nan_to_num(share) / top > 0.7) != on.dark, "#FFFFFF", "#1F2933")
    figure = go.Figure(
        go.Scatter(
            x=x, y=y, mode="markers+text", text=[_text(value) for value in share],
            textfont={"size": 11, "color": ink}, customdata=rows[["group", "site"]].to_numpy(),
            hovertext=[tip(row) for row in rows.to_dict("records")], hoverinfo="text",
            marker={
                "symbol": "square", "size": ROW_PIXELS - 2, "color": np.nan_to_num(share) * 100, "cmin": 0,
                "cmax": top * 100, "colorscale": SCALES[on.dark], "showscale": True,
                "colorbar": {"title": {"text": "% worse", "side": "right"}, "thickness": 10, "len": 0.6},
                **look,
            },
            selected={"marker": look}, unselected={"marker": look},
        )
    )  # fmt: skip
    apply(figure, on, height=126 + ROW_PIXELS * len(sites))
    figure.update_xaxes(
        tickvals=list(range(len(groups))), ticktext=[_head(rows, group) for group in groups], side="top",
        range=[-0.7, max(len(groups), FEWEST) - 0.3], fixedrange=True, title_text=names, showgrid=False,
        zeroline=False,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(sites))), ticktext=sites, range=[len(sites) - 0.4, -0.6], showgrid=False,
        zeroline=False, fixedrange=True,
    )  # fmt: skip
    figure.update_layout(clickmode="event+select", showlegend=False, margin={"t": 76, "b": 12, "l": 56})
    return figure


def _head(rows: pd.DataFrame, group: str) -> str:
    """The group's name over the n of its sites (the largest; each square's own is in its tip)."""
    n = rows.loc[rows["group"] == group, "n"]
    return f"{group}<br>n = {int(n.max()) if len(n) else 0}"


def _text(share: float) -> str:
    return "" if np.isnan(share) else f"{100 * share:.0f}"


def tip(row: dict[Any, Any]) -> str:
    """The words over a square."""
    if not row["n"]:
        return f"{row['site']}, {row['group']}: nobody graded both visits"
    return (
        f"{row['site']}, {row['group']}: <b>{row['worse']} of {row['n']} worse</b> "
        f"({100 * row['share']:.1f}%, {100 * row['low']:.1f} to {100 * row['high']:.1f}), "
        f"{row['better']} better, mean {row['mean']:+.3f}"
    )
