"""Sensitivity panel: the same number under every missing-site rule and missing-film method."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures.style import LIGHT, Look, apply

ROW_PIXELS = 24
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down")


def sensitivity_forest(rows: pd.DataFrame, *, unit: str, on: Look = LIGHT) -> go.Figure:
    """A point with its interval for every rule (a block of rows) and method (a symbol).

    rows: ``rule, title`` (of the method), ``estimate, low, high, n, imputed_films, imputed_sites``; a way
    without an estimate keeps its row.
    """
    rows = rows.reset_index(drop=True)
    places = np.arange(len(rows)) + pd.factorize(rows["rule"])[0] * 0.7
    value, low, high = (
        pd.to_numeric(rows[name], errors="coerce").to_numpy(float) for name in ("estimate", "low", "high")
    )
    methods = list(dict.fromkeys(rows["title"]))
    figure = go.Figure()
    for number, method in enumerate(methods):
        own = (rows["title"] == method).to_numpy()
        figure.add_trace(
            go.Scatter(
                x=value[own], y=places[own], mode="markers", name=method,
                marker={"color": on.text, "symbol": SYMBOLS[number % len(SYMBOLS)], "size": 10},
                error_x={"type": "data", "array": (high - value)[own], "arrayminus": (value - low)[own],
                         "color": on.muted, "thickness": 1.6},
                hovertemplate="%{x:+.3f}<extra>" + str(method) + "</extra>",
            )
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": on.muted, "width": 1})
    apply(figure, on, height=130 + int(ROW_PIXELS * (len(rows) + rows["rule"].nunique())))
    figure.update_yaxes(
        tickvals=places, ticktext=[_name(row) for row in rows.to_dict("records")], showgrid=False,
        zeroline=False, range=[places.max() + 0.8 if len(places) else 1, -0.8], tickfont={"size": 12},
    )  # fmt: skip
    figure.update_xaxes(title_text=f"{unit}, 95% interval")
    return figure


def _name(row: dict[Any, Any]) -> str:
    sites = "" if row["imputed_sites"] is None else f", {row['imputed_sites']} sites"
    return f"{row['rule']}, {row['title']}  (n {row['n']}, {row['imputed_films']} films{sites})"
