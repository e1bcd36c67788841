"""Bands around the curves of the cumulative probability plot."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.figures.progression.change import ALL
from core.figures.style import LIGHT, Look, arm_colours
from core.progression.probability import POINTWISE, SIMULTANEOUS, probability_bands


def with_bands(
    figure: go.Figure, points: pd.DataFrame, kind: str, *, arms: list[str], on: Look = LIGHT
) -> go.Figure:
    """The figure with a pale band for each arm under its curve; any other ``kind`` leaves it as it is."""
    if kind not in (SIMULTANEOUS, POINTWISE) or points.empty:
        return figure
    colours = arm_colours(arms)
    bands = probability_bands(points, kind)
    areas = []
    for arm, rows in bands.assign(arm=bands["arm"].fillna(ALL)).groupby("arm", sort=True):
        low, high = _steps(rows["low"], rows["y"]), _steps(rows["high"], rows["y"])
        areas.append(
            go.Scatter(
                x=[100 * x for x, _ in low] + [100 * x for x, _ in reversed(high)],
                y=[y for _, y in low] + [y for _, y in reversed(high)],
                fill="toself", mode="lines", line={"width": 0}, opacity=0.18, hoverinfo="skip",
                fillcolor=colours.get(str(arm), on.text), showlegend=False, name=f"band of {arm}",
            )
        )  # fmt: skip
    curves = figure.data
    figure.data = ()
    figure.add_traces([*areas, *curves])
    return figure


def _steps(limit: pd.Series, change: pd.Series) -> list[tuple[float, float]]:
    """A staircase: a limit of the share holds from its change up to the next one."""
    corners: list[tuple[float, float]] = []
    before = 0.0
    for x, y in zip(limit, change, strict=True):
        corners += [(before, y), (x, y)]
        before = x
    return corners
