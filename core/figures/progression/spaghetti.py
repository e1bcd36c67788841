"""Courses over time: a line for every patient, the observed mean of each arm, and the mean of a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures.style import LIGHT, Look, apply, arm_colours, rgba

ALL = "all"
MAX_LINES = 300


def shown_lines(subjects: np.ndarray, most: int = MAX_LINES) -> np.ndarray:
    """Places of the patients whose lines are drawn: all, or every so many-th of a large study."""
    return np.unique(np.linspace(0, len(subjects) - 1, min(most, len(subjects))).round().astype(int))


def spaghetti(
    courses: pd.DataFrame, means: pd.DataFrame, model: pd.DataFrame | None, *, unit: str, arms: list[str],
    on: Look = LIGHT,
) -> go.Figure:  # fmt: skip
    """Every patient's course as a thin line over days, means by arm as thick ones.

    courses: ``subject, arm, day, value``, sorted by patient and day, no value missing. means: ``arm, day,
    mean, low, high`` as observed. model: the same of a fitted model, dashed, with its interval as a band;
    None before it is fitted. An arm that is missing counts as "all".
    """
    colours = arm_colours(arms)
    figure = go.Figure()
    for arm, rows in _by_arm(courses):
        figure.add_trace(_lines(rows, colours.get(arm, on.text), arm, on))
    for arm, rows in _by_arm(means):
        figure.add_trace(_mean(rows, colours.get(arm, on.text), arm))
    if model is not None:
        for arm, rows in _by_arm(model):
            for trace in _model(rows, colours.get(arm, on.text), arm):
                figure.add_trace(trace)
    apply(figure, on, height=440)
    figure.update_layout(clickmode="event+select")
    figure.update_xaxes(title_text="days from baseline")
    figure.update_yaxes(title_text=unit)
    return figure


def _by_arm(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    arm = frame["arm"].astype(object).where(frame["arm"].notna(), ALL)
    return [(str(name), rows) for name, rows in frame.assign(arm=arm).groupby("arm", sort=True)]


def _lines(rows: pd.DataFrame, colour: str, arm: str, on: Look) -> go.Scatter:
    """All patients of an arm as one trace, a gap after each."""
    ends = np.flatnonzero(rows["subject"].to_numpy()[1:] != rows["subject"].to_numpy()[:-1]) + 1
    day = np.insert(rows["day"].to_numpy(float), ends, np.nan)
    value = np.insert(rows["value"].to_numpy(float), ends, np.nan)
    subject = np.insert(rows["subject"].to_numpy(object), ends, "")
    pale = rgba(colour, 0.35 if on.dark else 0.28)
    return go.Scatter(
        x=day, y=value, mode="lines+markers", name=f"{arm}, patients", legendgroup=arm, showlegend=False,
        line={"color": pale, "width": 1}, marker={"color": pale, "size": 4},
        customdata=subject[:, None],
        hovertemplate="%{customdata[0]}, day %{x:.0f}: <b>%{y:.2f}</b><extra>" + arm + "</extra>",
    )  # fmt: skip


def _mean(rows: pd.DataFrame, colour: str, arm: str) -> go.Scatter:
    rows = rows.sort_values("day")
    numbers = {name: pd.to_numeric(rows[name], errors="coerce").to_numpy(float) for name in
               ("mean", "low", "high")}  # fmt: skip
    return go.Scatter(
        x=rows["day"].to_numpy(), y=numbers["mean"], mode="lines+markers", name=f"{arm}, mean",
        legendgroup=arm, line={"color": colour, "width": 3}, marker={"color": colour, "size": 8},
        error_y={"type": "data", "array": numbers["high"] - numbers["mean"],
                 "arrayminus": numbers["mean"] - numbers["low"], "color": colour, "thickness": 2},
        hovertemplate="mean %{y:.2f}<extra>" + arm + "</extra>",
    )  # fmt: skip


def _model(rows: pd.DataFrame, colour: str, arm: str) -> list[go.Scatter]:
    rows = rows.sort_values("day")
    day, low, high = (rows[name].to_numpy(float) for name in ("day", "low", "high"))
    band = go.Scatter(
        x=np.concatenate([day, day[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself",
        fillcolor=rgba(colour, 0.14), line={"width": 0}, mode="lines", showlegend=False, hoverinfo="skip",
        legendgroup=arm,
    )  # fmt: skip
    line = go.Scatter(
        x=day, y=rows["mean"].to_numpy(float), mode="lines", name=f"{arm}, model", legendgroup=arm,
        line={"color": colour, "width": 2, "dash": "dash"},
        hovertemplate="model %{y:.2f}<extra>" + arm + "</extra>",
    )  # fmt: skip
    return [band, line]
