"""Power over patients enrolled: the figure of a plan."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.figures.style import LIGHT, Look, apply

DASHES = {"t": "dot", "ancova": "solid", "mmrm": "dash", "rank": "longdash", "responders": "dashdot"}


def power_by_patients(curve: pd.DataFrame, wanted: float, *, on: Look = LIGHT) -> go.Figure:
    """One line a test, told apart by its dashes and the name at its end; the wanted power as a dotted line.

    curve: ``test, title, patients, power``.
    """
    figure = go.Figure()
    for name, rows in curve.groupby("test", sort=False):
        title = str(rows["title"].iloc[0])
        figure.add_scatter(
            x=rows["patients"], y=rows["power"], mode="lines", name=title,
            line={"color": on.text, "width": 2, "dash": DASHES.get(str(name), "solid")},
            hovertemplate=f"{title}<br>%{{x:,}} patients: power %{{y:.0%}}<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=wanted, line={"color": on.muted, "width": 1, "dash": "dot"})
    apply(figure, on, height=235, note=f"wanted power {wanted:.0%}")
    figure.update_layout(
        legend={"orientation": "v", "x": 1, "xanchor": "right", "y": 0.02, "yanchor": "bottom"}
    )
    figure.update_xaxes(title_text="patients enrolled, both arms")
    figure.update_yaxes(title_text="power", range=[0, 1.02], tickformat=".0%")
    return figure
