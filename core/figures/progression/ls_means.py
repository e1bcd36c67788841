"""Least-squares means of a model by arm and visit, with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures.style import LIGHT, Look, apply, arm_colours

APART = 0.08  # of two arms at a visit, so that intervals do not cover each other


def ls_means(rows: pd.DataFrame, *, unit: str, arms: list[str], on: Look = LIGHT) -> go.Figure:
    """A line for each arm over the visits, in the order of the rows.

    rows: ``visit, arm, n, mean, low, high``; a mean that is missing is not drawn. arms: all of the study, for
    their colours.
    """
    visits, shown = list(dict.fromkeys(rows["visit"])), list(dict.fromkeys(rows["arm"]))
    colours = arm_colours(arms)
    figure = go.Figure()
    for place, arm in enumerate(shown):
        own = rows[(rows["arm"] == arm) & rows["mean"].notna()]
        at = own["visit"].map(visits.index).to_numpy(float) + APART * (place - (len(shown) - 1) / 2)
        figure.add_trace(_line(own, at, str(arm), colours.get(arm, on.text)))
    apply(figure, on, height=400)
    figure.add_hline(y=0, line={"color": on.muted, "width": 1})
    figure.update_xaxes(tickvals=list(range(len(visits))), ticktext=visits, range=[-0.4, len(visits) - 0.6])
    figure.update_yaxes(title_text=f"LS mean of change ({unit})")
    return figure


def _line(rows: pd.DataFrame, at: np.ndarray, arm: str, colour: str) -> Any:
    mean, low, high = (rows[name].to_numpy(float) for name in ("mean", "low", "high"))
    return go.Scatter(
        x=at, y=mean, mode="lines+markers", name=arm, line={"color": colour, "width": 2.5},
        marker={"color": colour, "size": 9},
        error_y={"type": "data", "array": high - mean, "arrayminus": mean - low, "color": colour,
                 "thickness": 1.8},
        customdata=np.column_stack([rows["visit"], rows["n"], low, high]),
        hovertemplate="%{customdata[0]}: <b>%{y:.2f}</b> (%{customdata[2]:.2f} to %{customdata[3]:.2f}), "
        "n = %{customdata[1]}<extra>" + arm + "</extra>",
    )  # fmt: skip
