"""One patient's course: the total of every reading over time, the error band, covariates under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures.style import LIGHT, Look, apply, reader_marks
from core.reader_labels import display_name


@dataclass(frozen=True)
class Band:
    """The range within which a change from baseline is no more than reader error.

    baseline: mean of the readers at baseline. sdc: smallest detectable change in score units.
    """

    baseline: float
    sdc: float
    text: str


@dataclass(frozen=True)
class Expected:
    """The course that a model expects: days from baseline, mean and band of each, and the slope in words."""

    days: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    text: str


def course_figure(
    totals: pd.DataFrame,
    kinds: dict[str, str],
    *,
    unit: str,
    band: Band | None = None,
    covariates: pd.DataFrame | None = None,
    expected: Expected | None = None,
    on: Look = LIGHT,
) -> go.Figure:
    """The total of each reading by visit, with covariates in rows of their own under the same time axis.

    totals: columns ``visit, day, label, total, imputed_sites``; where a day is missing for any visit, visits
    stand at equal distances. kinds: label -> kind, in the order of the legend. customdata of a total: [visit,
    imputed sites, label].
    covariates: columns ``name, visit, day, number, text, unit``; text by visit (therapy) is a bar from its
    visit to the next. expected: drawn where visits have days.
    """
    places = _places(totals)
    extra, said = _numeric(covariates, places), _in_words(covariates, places)
    names = list(dict.fromkeys(extra["name"]))
    words = list(dict.fromkeys(said["name"]))
    height = 360 + 110 * len(names) + 60 * len(words)
    figure = make_subplots(
        rows=1 + len(names) + len(words), shared_xaxes=True, vertical_spacing=0.05 if names or words else 0,
        row_heights=[3.2] + [1.0] * len(names) + [0.4] * len(words),
    )  # fmt: skip
    if expected is not None and _has_days(totals):
        for trace in _expected(expected, on):
            figure.add_trace(trace, row=1, col=1)
    for trace in [*_bridges(totals, kinds, places, on), *_lines(totals, kinds, places, on)]:
        figure.add_trace(trace, row=1, col=1)
    if band is not None:
        _draw_band(figure, band, on)
    for row, name in enumerate(names, start=2):
        _draw_covariate(figure, extra[extra["name"] == name], row, on)
    for row, name in enumerate(words, start=2 + len(names)):
        _draw_words(figure, said[said["name"] == name], row, max(places.values(), default=0.0), on)
    apply(figure, on, height=height)
    figure.update_layout(clickmode="event+select")
    figure.update_yaxes(title_text=unit, row=1, col=1, rangemode="tozero")
    ticks = _ticks(places)
    figure.update_xaxes(tickvals=list(ticks), ticktext=list(ticks.values()))
    days = "day" if _has_days(totals) else "visit"
    figure.update_xaxes(title_text=f"visit (by {days})", row=1 + len(names) + len(words), col=1)
    return figure


def _has_days(totals: pd.DataFrame) -> bool:
    return bool(len(totals)) and bool(totals["day"].notna().all()) and totals["day"].nunique() > 1


def _places(totals: pd.DataFrame) -> dict[str, float]:
    """Visit -> place on the time axis."""
    visits = totals.drop_duplicates("visit")
    if _has_days(totals):
        return dict(zip(visits["visit"], visits["day"].astype(float), strict=True))
    return {visit: float(place) for place, visit in enumerate(visits["visit"])}


def _ticks(places: dict[str, float]) -> dict[float, str]:
    """Place -> the names of its visits: two visits of one day share a tick."""
    ticks: dict[float, str] = {}
    for visit, place in places.items():
        ticks[place] = f"{ticks[place]}, {visit}" if place in ticks else visit
    return ticks


def _expected(expected: Expected, on: Look) -> list[Any]:
    """The expected course and, dotted, the edges of its band: a second filled band would hide the error's."""
    edges = [
        go.Scatter(
            x=expected.days, y=np.maximum(edge, 0), mode="lines", hoverinfo="skip", showlegend=False,
            name="expected, 95% of films", line={"color": on.muted, "width": 1, "dash": "dot"},
        )
        for edge in (expected.low, expected.high)
    ]  # fmt: skip
    line = go.Scatter(
        x=expected.days, y=expected.mean, mode="lines", name="expected",
        hovertemplate="%{y:.1f}<extra>expected</extra>",
        line={"color": on.muted, "width": 2, "dash": "dashdot"},
    )  # fmt: skip
    return [*edges, line]


def _in_words(covariates: pd.DataFrame | None, places: dict[str, float]) -> pd.DataFrame:
    """Covariates in words that belong to visits, such as a therapy: ``name, visit, text, at``."""
    if covariates is None or covariates.empty or "text" not in covariates:
        return pd.DataFrame(columns=["name", "visit", "text", "at"])
    rows = covariates[covariates["text"].notna() & covariates["visit"].isin(places)]
    return rows.assign(at=rows["visit"].map(places).astype(float)).sort_values(["name", "at"])


def _draw_words(figure: go.Figure, rows: pd.DataFrame, row: int, end: float, on: Look) -> None:
    """A bar for as long as the word stays the same, the word on it; tones tell neighbours apart."""
    name = str(rows["name"].iloc[0])
    starts = rows[rows["text"] != rows["text"].shift()]
    ends = [*starts["at"].iloc[1:], max(end, float(starts["at"].iloc[-1]) + 0.02 * max(end, 1.0))]
    for number, (start, text, stop) in enumerate(zip(starts["at"], starts["text"], ends, strict=True)):
        figure.add_trace(
            go.Scatter(
                x=[start, stop], y=[0, 0], mode="lines", showlegend=False, name=name, hoverinfo="text",
                hovertext=f"{name}: {text}",
                line={"color": on.people[1] if number % 2 else on.people[3], "width": 16},
            ),
            row=row, col=1,
        )  # fmt: skip
        figure.add_annotation(
            x=start, y=0, text=str(text), showarrow=False, xanchor="left", yshift=17, row=row, col=1,
            font={"color": on.text, "size": 12},
        )  # fmt: skip
    figure.update_yaxes(
        title_text=name, title_font={"size": 12}, showticklabels=False, range=[-1, 1.8], showgrid=False,
        zeroline=False, row=row, col=1,
    )  # fmt: skip


def _lines(totals: pd.DataFrame, kinds: dict[str, str], places: dict[str, float], on: Look) -> list[Any]:
    marks = reader_marks(kinds, on)
    lines = []
    for label in kinds:
        rows = totals[totals["label"] == label]
        mark = marks[label]
        lines.append(
            go.Scatter(
                x=[places[visit] for visit in rows["visit"]],
                y=rows["total"],
                name=display_name(label),
                mode="lines+markers",
                line={"color": mark.colour, "width": mark.width, "dash": mark.dash},
                marker={
                    "color": mark.colour,
                    "symbol": mark.symbol,
                    "size": 10,
                    "line": {"width": 1.5, "color": mark.colour},
                },
                customdata=rows[["visit", "imputed_sites", "label"]],
                hovertemplate="%{customdata[0]}: <b>%{y:.1f}</b>, %{customdata[1]} sites imputed"
                f"<extra>{display_name(label)}</extra>",
            )
        )  # fmt: skip
    return lines


def _bridges(totals: pd.DataFrame, kinds: dict[str, str], places: dict[str, float], on: Look) -> list[Any]:
    """A thin dotted line over visits without a total, so that a gap is seen as one and still read across."""
    marks = reader_marks(kinds, on)
    lines = []
    for label in kinds:
        rows = totals[totals["label"] == label]
        known = rows[rows["total"].notna()]
        if len(known) == len(rows):
            continue
        lines.append(
            go.Scatter(
                x=[places[visit] for visit in known["visit"]],
                y=known["total"],
                name=f"{label}, gap",
                mode="lines",
                line={"color": marks[label].colour, "width": 1, "dash": "dot"},
                showlegend=False,
                hoverinfo="skip",
            )
        )
    return lines


def _draw_band(figure: go.Figure, band: Band, on: Look) -> None:
    figure.add_hrect(
        y0=band.baseline - band.sdc, y1=band.baseline + band.sdc, fillcolor=on.band, line_width=0,
        layer="below", row=1, col=1, annotation_text=band.text, annotation_position="top left",
        annotation_font={"color": on.muted, "size": 12},
    )  # fmt: skip


def _numeric(covariates: pd.DataFrame | None, places: dict[str, float]) -> pd.DataFrame:
    if covariates is None or covariates.empty:
        return pd.DataFrame(columns=["name", "visit", "number", "unit", "at"])
    rows = covariates[covariates["number"].notna() & covariates["visit"].isin(places)]
    rows = rows.assign(at=rows["visit"].map(places).astype(float))
    several = rows.groupby("name")["visit"].transform("nunique") > 1
    return rows[several].sort_values(["name", "at"])


def _draw_covariate(figure: go.Figure, rows: pd.DataFrame, row: int, on: Look) -> None:
    name, unit = rows["name"].iloc[0], rows["unit"].iloc[0]
    title = f"{name}<br>({unit})" if isinstance(unit, str) and unit else name
    figure.add_trace(
        go.Scatter(
            x=rows["at"], y=rows["number"], mode="lines+markers", showlegend=False, name=name,
            line={"color": on.muted, "width": 1.5}, marker={"color": on.muted, "size": 7},
            customdata=rows[["visit"]],
            hovertemplate=f"%{{customdata[0]}}: %{{y:g}} {unit or ''}<extra>{name}</extra>",
        ),
        row=row, col=1,
    )  # fmt: skip
    figure.update_yaxes(
        title_text=title, title_font={"size": 12}, rangemode="tozero", nticks=4, row=row, col=1
    )
