"""Estimates with their intervals: the forest of agreement, and the model as a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.domain import ReaderKind
from core.figures.agreement.pairs import pair_colour, pair_symbol
from core.figures.style import LIGHT, MODEL_COLOUR, MODEL_SYMBOL, Look, apply

ORDER = {ReaderKind.HUMAN: 0, ReaderKind.MODEL: 1, ReaderKind.CONSENSUS: 2}


ROW, DENSE, MANY, BETWEEN = 24, 16, 12, 0.6  # pixels of a row, from how many lines less; rows between groups


def forest(
    rows: pd.DataFrame,
    *,
    axis: str,
    panels: Sequence[str] = ("status", "change"),
    keys: Sequence[str] = ("panel", "label", "first", "second"),
    names: Mapping[str, str] | None = None,
    is_share: bool = True,
    on: Look = LIGHT,
) -> go.Figure:
    """Estimates with intervals, a row each, panels side by side on one scale: status beside change.

    rows: ``panel``, ``label`` (what is compared: component, visits), ``first``, ``second``, ``kind`` (of the
    pair), ``estimate, low, high, n`` and ``keys``. Labels stand in the order of the frame, each with its
    pairs under it: people first. An estimate that is missing keeps its row and says so.
    axis: what the numbers are, such as "ICC(A,1)". names: reading -> short name. is_share: whether the scale
    is 0 to 1, as for an ICC, or that of the numbers. customdata: ``keys``.
    """
    lines = _lines(rows)
    rows = rows.assign(place=[lines[_line(row)] for row in rows.itertuples()])
    shown = [panel for panel in panels if (rows["panel"] == panel).any()] or list(panels[:1])
    titles = [f"{panel}, n = {span(rows.loc[rows['panel'] == panel, 'n'])}" for panel in shown]
    figure = make_subplots(
        rows=1, cols=len(shown), shared_yaxes=True, horizontal_spacing=0.03, subplot_titles=titles
    )
    for column, panel in enumerate(shown, start=1):
        here = rows[rows["panel"] == panel]
        for kind in (ReaderKind.HUMAN, ReaderKind.MODEL, ReaderKind.CONSENSUS):
            part = here[here["kind"] == kind]
            if len(part):
                first = kind not in {trace.legendgroup for trace in figure.data}
                figure.add_trace(_intervals(part, kind, keys, first, on), row=1, col=column)
        _say_missing(figure, here[here["estimate"].isna()], column, on)
    last = max(lines.values(), default=0)
    apply(figure, on, height=int(140 + (ROW if len(lines) <= MANY else DENSE) * (last + 1)))
    figure.update_xaxes(
        range=_scale(rows) if is_share else _own_scale(rows),
        title_text=axis,
        title_font={"size": 12},
        zeroline=True,
    )
    figure.update_yaxes(
        tickvals=list(lines.values()), ticktext=_line_names(lines, names or {}), range=[last + 0.7, -0.7],
        showgrid=False, zeroline=False,
    )  # fmt: skip
    figure.update_layout(
        clickmode="event+select",
        margin={"t": 84},
        legend={"yref": "container", "y": 1, "yanchor": "top", "x": 0, "xanchor": "left"},
    )
    return figure


Line = tuple[str, int, str, str]


def _line(row: Any) -> Line:
    return str(row.label), ORDER[ReaderKind(str(row.kind))], str(row.first), str(row.second)


def _lines(rows: pd.DataFrame) -> dict[Line, float]:
    """The height of every line: labels in the frame's order, within each people, then model, then truth."""
    labels = {label: place for place, label in enumerate(dict.fromkeys(rows["label"]))}
    known = sorted({_line(row) for row in rows.itertuples()}, key=lambda line: (labels[line[0]], line[1:]))
    return {line: number + BETWEEN * labels[line[0]] for number, line in enumerate(known)}


def _line_names(lines: dict[Line, float], short: Mapping[str, str]) -> list[str]:
    """The pair of every line, with its label on the first line of each label."""
    found, before = [], None
    for label, _, first, second in lines:
        pair = f"{short.get(first, first)} – {short.get(second, second)}"
        found.append(pair if label == before else f"<b>{label}</b>   {pair}")
        before = label
    return found


def _own_scale(rows: pd.DataFrame) -> tuple[float, float]:
    """From 0, or lower, to the largest limit."""
    values = [*rows["low"].dropna(), *rows["high"].dropna(), *rows["estimate"].dropna(), 0.0]
    low, high = min(values), max(values)
    edge = 0.04 * ((high - low) or 1.0)
    return low - (edge if low < 0 else 0), high + edge


def interchangeability(found: dict[str, Any], *, unit: str, on: Look = LIGHT) -> go.Figure:
    """Index with its interval, beside the two disagreements that it is the difference of, and the margin.

    found: the ``interchangeability`` block of a model-as-reader result. unit: of the ratings.
    """
    names = {"model_reader": "model – reader", "reader_reader": "reader – reader", "index": "index"}
    figure = go.Figure()
    for place, (key, name) in enumerate(names.items()):
        value = found[key]
        if value["estimate"] is None:
            continue
        colour = on.people[0] if key == "reader_reader" else MODEL_COLOUR
        figure.add_trace(
            go.Scatter(
                x=[value["estimate"]], y=[place], mode="markers", name=name, showlegend=False,
                marker={"color": colour, "size": 12, "symbol": MODEL_SYMBOL if key == "index" else "circle"},
                error_x=_bars([value["estimate"]], [value["ci"][0]], [value["ci"][1]], colour),
                hovertemplate=f"{name}: %{{x:.3g}}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": on.muted, "width": 1})
    if found["margin"] is not None:
        figure.add_vline(
            x=found["margin"], line={"color": on.text, "width": 1.5, "dash": "dash"},
            annotation={"text": f"margin {found['margin']:g}", "font": {"color": on.text, "size": 12}},
        )  # fmt: skip
    apply(figure, on, height=250, note=f"n = {found['subjects']:,}, left out {found['dropped_subjects']:,}")
    figure.update_xaxes(title_text=f"mean squared difference<br>({unit}²)", title_font={"size": 12})
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=list(names.values()), range=[2.6, -0.6], showgrid=False
    )
    return figure


def _intervals(part: pd.DataFrame, kind: str, keys: Sequence[str], legend: bool, on: Look) -> go.Scatter:
    names = {
        ReaderKind.HUMAN: "reader – reader",
        ReaderKind.MODEL: "model – reader",
        ReaderKind.CONSENSUS: "with the truth",
    }
    colour = pair_colour(kind, on)
    return go.Scatter(
        x=part["estimate"], y=part["place"], mode="markers", name=names[ReaderKind(kind)], showlegend=legend,
        legendgroup=kind, marker={"color": colour, "size": 10, "symbol": pair_symbol(kind),
                                  "line": {"color": colour, "width": 2}},
        error_x=_bars(part["estimate"], part["low"], part["high"], colour),
        customdata=part[list(keys)].to_numpy(dtype=object),
        hovertext=[
            f"{row.label}: {row.first} – {row.second}<br>{row.estimate:.3f}"
            f" ({_number(row.low)} to {_number(row.high)}), n = {row.n:,}"
            for row in part.itertuples()
        ],
        hoverinfo="text",
    )  # fmt: skip


def _bars(value: Any, low: Any, high: Any, colour: str) -> dict[str, Any]:
    value, low, high = (np.array(list(part), dtype=float) for part in (value, low, high))
    return {
        "type": "data", "symmetric": False, "array": np.nan_to_num(high - value).tolist(),
        "arrayminus": np.nan_to_num(value - low).tolist(), "color": colour, "thickness": 2, "width": 5,
    }  # fmt: skip


def _say_missing(figure: go.Figure, rows: pd.DataFrame, column: int, on: Look) -> None:
    for row in rows.itertuples():
        figure.add_annotation(
            x=0.02, xref=f"x{'' if column == 1 else column} domain", xanchor="left", y=row.place,
            text=f"not computable (n = {row.n:,})", showarrow=False, font={"color": on.muted, "size": 12},
            yref="y" if column == 1 else f"y{column}",
        )  # fmt: skip


def _scale(rows: pd.DataFrame) -> tuple[float, float]:
    """One scale for all panels: 0 to 1, wider only where an interval needs it, never beyond -1."""
    low = np.nanmin([0.0, *rows["low"].dropna(), *rows["estimate"].dropna()])
    high = np.nanmax([1.0, *rows["high"].dropna(), *rows["estimate"].dropna()])
    return max(float(low), -1.0) - 0.04, float(high) + 0.04


def span(n: pd.Series) -> str:
    """One n, or the smallest and the largest."""
    if not len(n):
        return "0"
    low, high = int(n.min()), int(n.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _number(value: Any) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}"
