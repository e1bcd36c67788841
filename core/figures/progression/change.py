"""Change from baseline: the cumulative probability plot, and each patient's change by arm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures.style import LIGHT, Look, apply, arm_colours, sdc_lines

ALL = "all"
MANY = 400  # patients of an arm from which on points are small


def cumulative_probability(
    points: pd.DataFrame, *, unit: str, sdc: float | None, arms: list[str], on: Look = LIGHT
) -> go.Figure:
    """Every patient's change, sorted within the arm, over the proportion of patients.

    points: columns ``arm, subject, x`` (0 to 1), ``y``; an arm that is missing counts as "all"; with a
    column ``imputed`` values put in for a film are hollow.
    sdc: smallest detectable change of the mean of readers; its lines are drawn where it is known.
    arms: all arms of the study, for their colours.
    """
    figure = go.Figure()
    colours = arm_colours(arms)
    for arm, rows in points.assign(arm=points["arm"].fillna(ALL)).groupby("arm", sort=True):
        colour = colours.get(str(arm), on.text)
        rows = rows.sort_values("x")
        imputed = rows["imputed"].to_numpy(bool) if "imputed" in rows else np.zeros(len(rows), bool)
        figure.add_trace(
            go.Scatter(
                x=rows["x"].to_numpy() * 100,
                y=rows["y"].to_numpy(),
                name=f"{arm} (n = {len(rows)})",
                mode="lines+markers",
                line={"color": colour, "width": 1.5},
                marker={
                    "color": colour,
                    "size": 8 if len(rows) <= MANY else 5,
                    "symbol": np.where(imputed, "circle-open", "circle") if imputed.any() else "circle",
                },
                customdata=rows[["subject"]].to_numpy(),
                hovertemplate="%{customdata[0]}: <b>%{y:+.2f}</b><extra>" + str(arm) + "</extra>",
            )
        )
    sdc_lines(figure, sdc, on)
    apply(figure, on, height=380)
    figure.update_xaxes(title_text="patients of the arm (cumulative %)", range=[0, 100])
    figure.update_yaxes(title_text=f"change ({unit})", zeroline=True)
    figure.update_layout(clickmode="event+select")
    return figure


def change_by_arm(summary: pd.DataFrame, *, unit: str, arms: list[str], on: Look = LIGHT) -> go.Figure:
    """Mean change of each arm with its 95% interval, one group a way of treating missing sites.

    summary: columns ``arm, sites`` (the way), ``mean, low, high, n``.
    """
    figure = go.Figure()
    colours = arm_colours(arms)
    for arm, rows in summary.assign(arm=summary["arm"].fillna(ALL)).groupby("arm", sort=True):
        colour = colours.get(str(arm), on.text)
        figure.add_trace(
            go.Scatter(
                x=rows["sites"],
                y=rows["mean"],
                name=str(arm),
                mode="markers",
                marker={"color": colour, "size": 12},
                error_y={
                    "type": "data",
                    "array": (_numbers(rows["high"]) - _numbers(rows["mean"])),
                    "arrayminus": (_numbers(rows["mean"]) - _numbers(rows["low"])),
                    "color": colour,
                    "thickness": 2,
                },
                customdata=rows[["n"]],
                hovertemplate="%{y:.2f} (n = %{customdata[0]})<extra>" + str(arm) + "</extra>",
            )
        )
    figure.add_hline(y=0, line={"color": on.muted, "width": 1})
    apply(figure, on, height=320)
    figure.update_layout(scattermode="group")
    ways = list(dict.fromkeys(summary["sites"]))
    figure.update_xaxes(tickvals=ways, ticktext=[way.replace(" ", "<br>") for way in ways], tickangle=0)
    figure.update_yaxes(title_text=f"mean change ({unit}), 95% CI")
    return figure


def _numbers(values: pd.Series) -> np.ndarray:
    """None as NaN: an arm of one patient has a mean and no interval."""
    return pd.to_numeric(values, errors="coerce").to_numpy(float)
