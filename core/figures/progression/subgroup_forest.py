"""Forest of the difference between two arms, subgroup by subgroup."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures.style import LIGHT, Look, apply

ROW_PIXELS = 30


def subgroup_forest(rows: pd.DataFrame, *, second: str, first: str, unit: str, on: Look = LIGHT) -> go.Figure:
    """Estimate and interval of ``second`` minus ``first`` in each subgroup, the first row for everyone.

    rows: ``subgroup, n_second, n_first, estimate, low, high``
    (``core.progression.arms.by_group.by_subgroup``). A subgroup without an estimate keeps its row with its
    n; one without an interval is a hollow point.
    """
    names = [f"{row.subgroup}  ({row.n_second} / {row.n_first})" for row in rows.itertuples()]
    value, low, high = (
        pd.to_numeric(rows[name], errors="coerce").to_numpy(float) for name in ("estimate", "low", "high")
    )
    place = np.arange(len(rows))
    size = rows["n_second"].to_numpy(float) + rows["n_first"].to_numpy(float)
    figure = go.Figure(
        go.Scatter(
            x=value, y=place, mode="markers", showlegend=False,
            marker={
                "color": on.text, "symbol": np.where(np.isnan(low), "square-open", "square"),
                "size": 7 + 9 * np.sqrt(size / max(size.max(), 1)) if len(size) else 8,
            },
            error_x={"type": "data", "array": high - value, "arrayminus": value - low, "color": on.text,
                     "thickness": 1.6},
            hovertext=[_tip(row) for row in rows.to_dict("records")], hoverinfo="text",
        )
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": on.muted, "width": 1})
    if len(value) and not np.isnan(value[0]):
        figure.add_vline(x=float(value[0]), line={"color": on.muted, "width": 1, "dash": "dot"})
    apply(figure, on, height=120 + ROW_PIXELS * len(rows))
    figure.update_yaxes(
        tickvals=place, ticktext=names, range=[len(rows) - 0.4, -0.6], showgrid=False, zeroline=False
    )
    figure.update_xaxes(title_text=f"{second} minus {first}: mean change ({unit}), 95% interval")
    figure.update_layout(margin={"t": 16})
    return figure


def _tip(row: dict[Any, Any]) -> str:
    if pd.isna(row["estimate"]):
        return f"{row['subgroup']}: an arm is empty"
    interval = (
        "no interval (one patient)" if pd.isna(row["low"]) else f"{row['low']:+.2f} to {row['high']:+.2f}"
    )
    return f"{row['subgroup']}: <b>{row['estimate']:+.2f}</b>, {interval}"
