"""Where change happens in a long score: a row a joint, its sides and features beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures.agreement.sites import brief
from core.figures.agreement.squares import clickable_squares, fill_squares, mix
from core.figures.progression.change_map import SCALES, tip
from core.figures.style import LIGHT, Look, apply
from core.scores.display.layout import SiteLayout

ROW_PIXELS = 20
GAP = 0.7  # columns between two groups


def change_grid(
    cells: pd.DataFrame, where: SiteLayout, groups: Sequence[str], *, on: Look = LIGHT, names: str = ""
) -> go.Figure:
    """Share of patients who got worse at every place of a layout, in percent, for every group.

    cells: ``group, site, n, worse, better, mean, share, low, high`` (``by_group.by_site``); a site that
    nobody graded twice has no square. customdata of a square: [group, site]. names: title of the groups.
    """
    rows = cells[cells["group"].isin(groups) & cells["site"].isin(where.places) & (cells["n"] > 0)]
    share = pd.to_numeric(rows["share"], errors="coerce").fillna(0.0).to_numpy(float)
    top = max(float(share.max()) if len(share) else 0.0, 0.02)
    wide = len(where.columns) + GAP
    x = [list(groups).index(group) * wide + where.places[site][1]
         for group, site in zip(rows["group"], rows["site"], strict=True)]  # fmt: skip
    y = [where.places[site][0] for site in rows["site"]]
    fill = [shade(value / top, on) for value in share]
    squares = clickable_squares(
        x, y, text=[f"{100 * value:.0f}" for value in share], fill=fill,
        data=rows[["group", "site"]].to_numpy(dtype=object),
        tips=[tip(row) for row in rows.to_dict("records")],
    )  # fmt: skip
    figure = go.Figure(squares)
    fill_squares(figure, list(zip(x, y, strict=True)), fill)
    apply(figure, on, height=130 + ROW_PIXELS * len(where.rows))
    _name(figure, rows, where, groups, wide, names, on)
    return figure


def shade(part: float, on: Look) -> str:
    """Colour of a share from 0 to 1 of the largest."""
    steps = SCALES[on.dark]
    for (low, one), (high, other) in pairwise(steps):
        if part <= high:
            return mix(one, other, (part - low) / (high - low))
    return steps[-1][1]


def _name(
    figure: go.Figure, rows: pd.DataFrame, where: SiteLayout, groups: Sequence[str], wide: float, names: str,
    on: Look,
) -> None:  # fmt: skip
    for place, group in enumerate(groups):
        n = rows.loc[rows["group"] == group, "n"]
        figure.add_annotation(
            x=place * wide + (len(where.columns) - 1) / 2, y=1, yref="paper", yshift=26, yanchor="bottom",
            text=f"<b>{group}</b>, n = {int(n.max()) if len(n) else 0}", showarrow=False,
            font={"color": on.text, "size": 13},
        )  # fmt: skip
    figure.add_annotation(
        text=f"% of patients worse, {names}", xref="paper", yref="paper", x=0, y=1, yshift=62, xanchor="left",
        showarrow=False, font={"color": on.muted, "size": 13},
    )  # fmt: skip
    columns = np.arange(len(where.columns))
    ticks = [float(place * wide + column) for place in range(len(groups)) for column in columns]
    columns_named = [brief(name) for name in where.columns] * len(groups)
    figure.update_xaxes(
        tickvals=ticks, ticktext=columns_named, side="top", tickfont={"size": 11},
        range=[-0.7, max(len(groups) * wide - GAP, 5) - 0.3], showgrid=False, zeroline=False, fixedrange=True,
        tickangle=0,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(where.rows))), ticktext=list(where.rows), showgrid=False, zeroline=False,
        range=[len(where.rows) - 0.4, -0.6], fixedrange=True,
    )  # fmt: skip
    figure.update_layout(clickmode="event+select", showlegend=False, margin={"t": 96, "b": 8, "r": 8})
