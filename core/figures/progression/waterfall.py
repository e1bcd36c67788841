"""Waterfall: every patient's change as a bar, the largest progression first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures.style import LIGHT, Look, apply, arm_colours, sdc_lines
from core.ties import in_order

ALL = "all"


MAX_TOGETHER = 200  # bars in one row; of more, neighbours of another arm would hide each other


def waterfall(
    points: pd.DataFrame, *, unit: str, sdc: float | None, arms: list[str], on: Look = LIGHT
) -> go.Figure:
    """Bars from 0 to each patient's change, sorted from worst to best.

    All arms stand in one row up to ``MAX_TOGETHER`` patients; beyond, each arm has a panel of its own.
    points: ``subject, arm, y``, and perhaps ``imputed`` (a value put in for a film: a paler bar); an arm that
    is missing counts as "all". No change is a dot on the line, so that every patient can be clicked.
    """
    rows = points.assign(arm=points["arm"].astype(object).where(points["arm"].notna(), ALL))
    rows = rows.sort_values("subject", kind="stable")
    rows = rows.iloc[in_order(rows["y"], largest_first=True)]
    names = sorted(map(str, rows["arm"].unique()))
    is_split = len(rows) > MAX_TOGETHER and len(names) > 1
    place = rows.groupby("arm").cumcount() + 1 if is_split else np.arange(1, len(rows) + 1)
    rows = rows.assign(place=place)
    figure = make_subplots(1, len(names), shared_yaxes=True) if is_split else go.Figure()
    for number, arm in enumerate(names, start=1):
        where = {"row": 1, "col": number} if is_split else {}
        for trace in _traces(rows[rows["arm"] == arm], arm, arm_colours(arms).get(arm, on.text)):
            figure.add_trace(trace, **where)
    sdc_lines(figure, sdc, on)
    apply(figure, on, height=360)
    figure.update_layout(clickmode="event+select", barmode="overlay", bargap=0)
    whose = "patients of the arm" if is_split else "patients"
    widest = int(rows["place"].max()) if len(rows) else 0
    figure.update_xaxes(title_text=f"{whose}, from worst to best", range=[0.2, widest + 0.8])
    figure.update_yaxes(title_text=f"change ({unit})", **({"col": 1} if is_split else {}))
    return figure


def _traces(own: pd.DataFrame, arm: str, colour: str) -> list[go.Bar | go.Scatter]:
    """The bars of an arm, and dots where nothing changed."""
    imputed = own["imputed"].to_numpy(bool) if "imputed" in own else np.zeros(len(own), bool)
    tip = "%{customdata[0]}: <b>%{y:+.2f}</b><extra>" + arm + "</extra>"
    bars = go.Bar(
        x=own["place"].to_numpy(), y=own["y"].to_numpy(), name=f"{arm} (n = {len(own):,})", width=1.0,
        marker={"color": colour, "line": {"width": 0}, "opacity": np.where(imputed, 0.45, 1.0)},
        customdata=own[["subject"]].to_numpy(), hovertemplate=tip,
    )  # fmt: skip
    flat = own[own["y"].abs() <= 1e-9]
    dots = go.Scatter(
        x=flat["place"].to_numpy(), y=flat["y"].to_numpy(), name=f"{arm}, no change", mode="markers",
        marker={"color": colour, "size": 5}, showlegend=False,
        customdata=flat[["subject"]].to_numpy(), hovertemplate=tip,
    )  # fmt: skip
    return [bars, dots]
