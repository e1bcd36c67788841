"""Agreement of two readers, rating by rating: scatter and Bland-Altman.

Every point carries ``customdata`` that begins with what a click should open; every figure says its n. Pairs
of people are drawn in the neutral tone, pairs with the model in the accent, with the truth in text colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.agreement.limits.regression import at
from core.domain import ReaderKind
from core.figures.style import LIGHT, MODEL_COLOUR, MODEL_SYMBOL, TRUTH_SYMBOL, Look, apply, rgba
from core.reader_labels import display_name

GOLDEN = np.pi * (3 - np.sqrt(5))
MANY = 2000  # points from which they are drawn by the graphics card


@dataclass(frozen=True)
class Pair:
    """Two readers, first minus second in every difference, and the unit of their ratings.

    kind: ``human`` where both are people, ``model`` where one is the model, ``consensus`` where one is truth.
    """

    first: str
    second: str
    unit: str
    kind: str = ReaderKind.HUMAN


def scatter(
    rows: pd.DataFrame, pair: Pair, *, keys: Sequence[str] = ("subject", "visit"), on: Look = LIGHT
) -> go.Figure:
    """Rating of the second over that of the first, with the line of equality; ties are spread into a disc.

    rows: columns ``keys``, ``first``, ``second``; rows with a gap are left out.
    customdata: ``keys``, then the two ratings as given (the drawn place of a tie is moved a little).
    """
    rows = rows.dropna(subset=["first", "second"])
    figure = go.Figure()
    x, y = _spread(rows["first"].to_numpy(dtype=float), rows["second"].to_numpy(dtype=float))
    low, high = _range(rows[["first", "second"]].to_numpy(dtype=float))
    figure.add_trace(_equality(low, high, on))
    tip = (
        _tip(keys)
        + f"{pair.first} %{{customdata[{len(keys)}]}}, {pair.second} %{{customdata[{len(keys) + 1}]}}"
    )
    figure.add_trace(_points(x, y, rows[[*keys, "first", "second"]], tip, pair, on))
    apply(figure, on, height=420, note=f"n = {len(rows):,}")
    figure.update_xaxes(
        title_text=f"{display_name(pair.first)} ({pair.unit})", range=[low, high], constrain="domain"
    )
    figure.update_yaxes(
        title_text=f"{display_name(pair.second)} ({pair.unit})",
        range=[low, high],
        scaleanchor="x",
        constrain="domain",
    )
    figure.update_layout(showlegend=False, clickmode="event+select")
    return figure


def bland_altman(
    rows: pd.DataFrame,
    limits: dict[str, Any],
    pair: Pair,
    *,
    regression: dict[str, Any] | None = None,
    keys: Sequence[str] = ("subject", "visit"),
    on: Look = LIGHT,
) -> go.Figure:
    """Difference over mean, with bias and limits of agreement and the intervals of all three as bands.

    rows: columns ``keys``, ``first``, ``second``. limits: the ``bland_altman`` block of an agreement result.
    regression: its ``regression_limits``; where given these lines are drawn in place of the flat limits.
    customdata: ``keys``, mean, difference.
    """
    rows = rows.dropna(subset=["first", "second"]).astype({"first": float, "second": float})
    rows = rows.assign(mean=(rows["first"] + rows["second"]) / 2, difference=rows["first"] - rows["second"])
    x, y = _spread(rows["mean"].to_numpy(), rows["difference"].to_numpy())
    figure = go.Figure()
    tip = _tip(keys) + f"mean %{{customdata[{len(keys)}]:g}}, difference %{{customdata[{len(keys) + 1}]:+g}}"
    figure.add_trace(_points(x, y, rows[[*keys, "mean", "difference"]], tip, pair, on))
    figure.add_hline(y=0, line={"color": on.muted, "width": 1})
    if regression is not None and regression["lower"]["slope"] is not None and len(rows):
        _sloping_limits(figure, regression, rows["mean"], on)
    else:
        _flat_limits(figure, limits, on)
    apply(figure, on, height=420, note=f"n = {len(rows):,}; intervals: {limits['loa_ci_method']}")
    figure.update_xaxes(title_text=f"mean of the two ({pair.unit})")
    figure.update_yaxes(title_text=f"{display_name(pair.first)} − {display_name(pair.second)} ({pair.unit})")
    figure.update_layout(showlegend=False, clickmode="event+select", margin={"r": 150})
    return figure


def _spread(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places at which tied points lie beside each other: a disc around the tie, its area by their number."""
    if not len(x):
        return x, y
    tie = pd.DataFrame({"x": x, "y": y}).round(9).groupby(["x", "y"], sort=False)
    number = tie.cumcount().to_numpy()
    count = tie["x"].transform("size").to_numpy()
    radius = 0.42 * np.sqrt(number / count.max()) * (count > 1)
    angle = number * GOLDEN
    return x + radius * _gap(x) * np.cos(angle), y + radius * _gap(y) * np.sin(angle)


def _gap(values: np.ndarray) -> float:
    """Smallest distance of two different values, at most 1."""
    distinct = np.unique(values.round(9))
    return float(min(np.diff(distinct).min(), 1.0)) if len(distinct) > 1 else 1.0


def _range(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    edge = max(0.05 * (high - low), 0.5)
    return low - edge, high + edge


def _equality(low: float, high: float, on: Look) -> go.Scatter:
    return go.Scatter(
        x=[low, high], y=[low, high], mode="lines", hoverinfo="skip",
        line={"color": on.muted, "width": 1, "dash": "dot"},
    )  # fmt: skip


def _points(x: Any, y: Any, data: pd.DataFrame, tip: str, pair: Pair, on: Look) -> Any:
    kind = go.Scattergl if len(data) > MANY else go.Scatter
    colour, symbol = pair_colour(pair.kind, on), pair_symbol(pair.kind)
    opacity = 0.75 if len(data) <= 300 else 0.45
    return kind(
        x=x, y=y, mode="markers", customdata=data.to_numpy(dtype=object),
        hovertemplate=tip + "<extra></extra>",
        marker={"color": rgba(colour, opacity), "size": 9 if len(data) <= 300 else 6, "symbol": symbol,
                "line": {"color": colour, "width": 1}},
    )  # fmt: skip


def pair_colour(kind: str, on: Look) -> str:
    return {ReaderKind.MODEL: MODEL_COLOUR, ReaderKind.CONSENSUS: on.text}.get(ReaderKind(kind), on.people[0])


def pair_symbol(kind: str) -> str:
    return {ReaderKind.MODEL: MODEL_SYMBOL, ReaderKind.CONSENSUS: TRUTH_SYMBOL}.get(
        ReaderKind(kind), "circle"
    )


def _tip(keys: Sequence[str]) -> str:
    return "<b>" + ", ".join(f"%{{customdata[{place}]}}" for place in range(len(keys))) + "</b><br>"


def _flat_limits(figure: go.Figure, limits: dict[str, Any], on: Look) -> None:
    parts = [
        ("upper limit", limits["loa"]["upper"]),
        ("bias", limits["bias"]),
        ("lower limit", limits["loa"]["lower"]),
    ]
    for name, value in parts:
        if value["estimate"] is None:
            continue
        low, high = value["ci"]
        if low is not None and high is not None:
            figure.add_hrect(y0=low, y1=high, fillcolor=on.band, line_width=0, layer="below")
        figure.add_hline(
            y=value["estimate"],
            line={"color": on.text, "width": 1.5, "dash": "solid" if name == "bias" else "dash"},
        )
        figure.add_annotation(
            x=1.01, xref="paper", xanchor="left", y=value["estimate"], showarrow=False, align="left",
            text=f"{name} {_signed(value['estimate'])}<br>{_limits_text(low, high)}",
            font={"color": on.text, "size": 12},
        )  # fmt: skip


def _limits_text(low: float | None, high: float | None) -> str:
    return "no interval" if low is None or high is None else f"({_signed(low)} to {_signed(high)})"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _sloping_limits(figure: go.Figure, regression: dict[str, Any], means: pd.Series, on: Look) -> None:
    x = np.linspace(float(means.min()), float(means.max()), 50)
    for name, line in zip(("lower limit", "bias", "upper limit"), at(regression, x), strict=True):
        figure.add_trace(
            go.Scatter(
                x=x, y=line, mode="lines", name=name, hovertemplate=f"{name} %{{y:+.2f}}<extra></extra>",
                line={"color": on.text, "width": 1.5, "dash": "solid" if name == "bias" else "dash"},
            )
        )  # fmt: skip
        figure.add_annotation(
            x=1.01, xref="paper", xanchor="left", y=float(line[-1]), text=name, showarrow=False,
            font={"color": on.text, "size": 12},
        )  # fmt: skip
