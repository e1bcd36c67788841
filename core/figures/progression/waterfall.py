"""Waterfall: every patient's change as a bar, the largest progression first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures.style import LIGHT, Look, apply, arm_colours, sdc_lines
from core.ties import in_order

ALL = "all"


def waterfall(
    points: pd.DataFrame, *, unit: str, sdc: float | None, arms: list[str], on: Look = LIGHT
) -> go.Figure:
    """Bars from 0 to each patient's change, all arms in one row, sorted from worst to best.

    points: ``subject, arm, y``, and perhaps ``imputed`` (a value put in for a film: a paler bar); an arm that
    is missing counts as "all". No change is a dot on the line, so that every patient can be clicked.
    """
    rows = points.assign(arm=points["arm"].astype(object).where(points["arm"].notna(), ALL))
    rows = rows.sort_values("subject", kind="stable")
    rows = rows.iloc[in_order(rows["y"], largest_first=True)]
    rows["place"] = np.arange(1, len(rows) + 1)
    imputed = rows["imputed"] if "imputed" in rows else pd.Series(False, index=rows.index)
    colours = arm_colours(arms)
    figure = go.Figure()
    for arm, own in rows.groupby("arm", sort=True):
        colour = colours.get(str(arm), on.text)
        tip = "%{customdata[0]}: <b>%{y:+.2f}</b><extra>" + str(arm) + "</extra>"
        figure.add_trace(
            go.Bar(
                x=own["place"].to_numpy(), y=own["y"].to_numpy(), name=f"{arm} (n = {len(own)})", width=1.0,
                marker={
                    "color": colour, "line": {"width": 0},
                    "opacity": np.where(imputed[own.index], 0.45, 1.0),
                },
                customdata=own[["subject"]].to_numpy(), hovertemplate=tip,
            )
        )  # fmt: skip
        flat = own[own["y"].abs() <= 1e-9]
        figure.add_trace(
            go.Scatter(
                x=flat["place"].to_numpy(), y=flat["y"].to_numpy(), name=f"{arm}, no change", mode="markers",
                marker={"color": colour, "size": 5}, showlegend=False,
                customdata=flat[["subject"]].to_numpy(), hovertemplate=tip,
            )
        )  # fmt: skip
    sdc_lines(figure, sdc, on)
    apply(figure, on, height=360)
    figure.update_layout(clickmode="event+select", barmode="overlay", bargap=0)
    figure.update_xaxes(title_text="patients, from worst to best", range=[0.2, len(rows) + 0.8])
    figure.update_yaxes(title_text=f"change ({unit})")
    return figure
