"""The numbers of a figure as a table: what is drawn, and nothing else."""

import numpy as np
import plotly.graph_objects as go

from core.figures.drawn_values import drawn_values


def test_points_with_limits_and_titles():
    figure = go.Figure()
    errors = {"type": "data", "array": [0.5, 0.25], "arrayminus": [1.0, 0.5]}
    figure.add_trace(
        go.Scatter(x=["a", "b"], y=[1.0, 2.0], name="arm", error_y=errors, customdata=["P1", "P2"])
    )
    figure.update_xaxes(title_text="visit").update_yaxes(title_text="mean<br>change")
    table = drawn_values(figure)
    assert table.to_dict("list") == {
        "series": ["arm", "arm"],
        "visit": ["a", "b"],
        "mean change": [1.0, 2.0],
        "low": [0.0, 1.5],
        "high": [1.5, 2.25],
        "point 1": ["P1", "P2"],
    }


def test_gaps_bands_and_lines_without_points_are_no_rows():
    figure = go.Figure()
    figure.add_trace(go.Scatter(x=[0, 1, np.nan], y=[1, np.nan, 2]))
    figure.add_trace(go.Scatter(x=[0, 1, 1, 0], y=[0, 0, 1, 1], fill="toself"))
    figure.add_hline(y=3)
    assert len(drawn_values(figure)) == 1
    assert drawn_values(go.Figure()).empty
    assert drawn_values(go.Figure(go.Heatmap(z=[[1, 2]], x=[1, 2], y=[1]))).empty
