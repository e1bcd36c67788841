"""SDC and ICC of change over the number of readers: the figure of a D study."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures.style import LIGHT, Look, apply

PANELS = (("sdc", "SDC95 of the mean"), ("icc", "ICC(A) of change"))
DASHES = {1: "solid", 2: "dot"}


def by_readers(table: pd.DataFrame, *, on: Look = LIGHT) -> go.Figure:
    """Both over the number of readers, with 95% intervals; a second read of each reader is dotted.

    table: ``readers, reads, sdc, sdc_low, sdc_high, icc, icc_low, icc_high``.
    """
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.12)
    for place, (name, title) in enumerate(PANELS, start=1):
        for reads, rows in table.groupby("reads"):
            figure.add_trace(_line(rows, name, int(str(reads)), on), row=1, col=place)
        figure.update_yaxes(title_text=title, rangemode="tozero", row=1, col=place)
        figure.update_xaxes(title_text="readers", dtick=1, row=1, col=place)
    apply(figure, on, height=320)
    figure.update_yaxes(range=[0, 1.02], row=1, col=2)
    return figure


def _line(rows: pd.DataFrame, name: str, reads: int, on: Look) -> go.Scatter:
    value = rows[name]
    bars = None
    if reads == 1:
        up, down = rows[f"{name}_high"] - value, value - rows[f"{name}_low"]
        bars = {"type": "data", "array": up, "arrayminus": down, "color": on.muted, "thickness": 1}
    times = "one read each" if reads == 1 else f"{reads} reads each"
    return go.Scatter(
        x=rows["readers"], y=value, mode="lines+markers", error_y=bars, showlegend=False,
        line={"color": on.text, "width": 2, "dash": DASHES.get(reads, "dash")},
        hovertemplate=f"%{{x}} readers, {times}: %{{y:.2f}}<extra></extra>",
    )  # fmt: skip
