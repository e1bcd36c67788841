"""Change from baseline: the cumulative probability plot, and each patient's change by arm."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.figures.style import LIGHT, Look, apply, arm_colours

ALL = "all"


def cumulative_probability(
    points: pd.DataFrame, *, unit: str, sdc: float | None, arms: list[str], on: Look = LIGHT
) -> go.Figure:
    """Every patient's change, sorted within the arm, over the share of patients (``domain.md`` B5).

    points: columns ``arm, subject, x`` (0 to 1), ``y``; an arm that is missing counts as "all".
    sdc: smallest detectable change of the mean of readers; its lines are drawn where it is known.
    arms: all arms of the study, for their colours.
    """
    figure = go.Figure()
    colours = arm_colours(arms)
    for arm, rows in points.assign(arm=points["arm"].fillna(ALL)).groupby("arm", sort=True):
        colour = colours.get(str(arm), on.text)
        rows = rows.sort_values("x")
        figure.add_trace(
            go.Scatter(
                x=rows["x"] * 100,
                y=rows["y"],
                name=f"{arm} (n = {len(rows)})",
                mode="lines+markers",
                line={"color": colour, "width": 1.5},
                marker={"color": colour, "size": 8},
                customdata=rows[["subject"]],
                hovertemplate="%{customdata[0]}: <b>%{y:+.2f}</b><extra>" + str(arm) + "</extra>",
            )
        )
    _lines(figure, sdc, on)
    apply(figure, on, height=420)
    figure.update_xaxes(title_text="share of patients of the arm (%)", range=[0, 100])
    figure.update_yaxes(title_text=f"change ({unit})", zeroline=True)
    figure.update_layout(clickmode="event+select")
    return figure


def _lines(figure: go.Figure, sdc: float | None, on: Look) -> None:
    figure.add_hline(y=0, line={"color": on.muted, "width": 1})
    if sdc is None:
        return
    for value, text in ((sdc, "+SDC"), (-sdc, "−SDC")):
        figure.add_hline(
            y=value,
            line={"color": on.muted, "width": 1, "dash": "dot"},
            annotation={"text": f"{text} {abs(value):.2f}", "font": {"color": on.muted, "size": 12}},
            annotation_position="bottom right" if value < 0 else "top right",
        )


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
                    "array": rows["high"] - rows["mean"],
                    "arrayminus": rows["mean"] - rows["low"],
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
    figure.update_yaxes(title_text=f"mean change ({unit}), 95% CI")
    return figure
