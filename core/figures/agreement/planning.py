"""How wide an interval is over the number of subjects: the figure of a sample size."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.figures.style import LIGHT, Look, apply


def width_by_subjects(
    curve: pd.DataFrame, wanted: float, subjects: int, *, form: str, on: Look = LIGHT
) -> go.Figure:
    """Expected width of the 95% interval over the number of patients, with the wanted width and its number.

    curve: ``patients, width``, ascending. subjects: the smallest number that is enough.
    """
    figure = go.Figure(
        go.Scatter(
            x=curve["patients"], y=curve["width"], mode="lines", line={"color": on.text, "width": 2},
            hovertemplate="%{x} patients: %{y:.2f}<extra></extra>", showlegend=False,
        )
    )  # fmt: skip
    line = {"color": on.muted, "width": 1, "dash": "dot"}
    figure.add_hline(y=wanted, line=line)
    figure.add_vline(x=subjects, line=line)
    apply(figure, on, height=320, note=f"n = {subjects:,} patients for a width of {wanted:.2f}")
    figure.update_xaxes(title_text="patients")
    figure.update_yaxes(title_text=f"width of the 95% interval of {form}", rangemode="tozero")
    return figure
