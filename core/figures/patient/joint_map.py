"""Hands and feet (or what a system draws) with a mark for every site; a click on a mark gives the site."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from core.figures.patient.joint_marks import LARGEST, joint_marks, letters, special_marks
from core.figures.style import DARK_INK, LIGHT, NO_GRADE_COLOUR, Look, apply, grade_colour, ink_on
from core.patient.joint_sums import QUERY
from core.scores.drawing import Drawing
from core.scores.system import ScoreSystem

SYMBOLS = ("circle", "square", "diamond", "hexagon")  # one for each feature
MARK = 15  # pixels
BESIDE = 4.3  # mm from the middle of a joint to each of its two marks
ABOVE, LETTER_ABOVE = 4.9, 9.0  # mm from a mark to its triangle, and to a finding's letter
BETTER_COLOUR = "#56B4E9"
QUERY_COLOUR = "#D55E00"
MARGIN = 6.0  # mm


@dataclass(frozen=True)
class Shown:
    """What the marks tell. reading: a label, or LARGEST for the largest change that any reader saw.

    feature: the only one whose marks are drawn, each in the middle of its joint; all, where it is empty.
    """

    first: str
    last: str
    reading: str = LARGEST
    feature: str = ""


def joint_map(
    grades: pd.DataFrame,
    special: pd.DataFrame,
    system: ScoreSystem,
    kinds: dict[str, str],
    shown: Shown,
    *,
    chosen: str | None = None,
    on: Look = LIGHT,
) -> go.Figure:
    """A drawing of one patient's joints: colour and number of a mark are its grade, or its change.

    grades: one patient; ``site, visit, label, feature, grade, reason``. special: findings beside the grades,
    ``site, visit, label, feature, grade``. Grades are those of the reading at the last visit, with a triangle
    where it has another one at the first; a cross is not gradable. ``customdata`` of a mark: [site].
    Raises ValueError for a system without a drawing.
    """
    if system.drawing is None:
        raise ValueError(f"{system.title} has no drawing")
    marks = joint_marks(grades, system, kinds, shown.first, shown.last, shown.reading)
    marks = _placed(marks[marks["feature"] == shown.feature] if shown.feature else marks, system)
    figure = go.Figure(_bones(system.drawing, on))
    if chosen in set(marks["site"]):
        figure.add_trace(_ring(marks[marks["site"] == chosen], on))
    for feature, symbol in zip(system.features, SYMBOLS, strict=False):
        rows = marks[marks["feature"] == feature.code]
        if len(rows):
            figure.add_trace(_key(feature.name, symbol, on))
            figure.add_trace(_marks(rows, feature.name, symbol, shown.reading == LARGEST, on))
    figure.add_traces([*_crosses(marks[~_asks(marks)]), *_queries(marks[_asks(marks)], on)])
    if shown.reading != LARGEST:
        figure.add_traces(_triangles(marks, shown.first, on))
    figure.add_traces(_special(special_marks(special, system, kinds, shown.last, shown.reading), system, on))
    return _framed(figure, system.drawing, on)


def _placed(marks: pd.DataFrame, system: ScoreSystem) -> pd.DataFrame:
    """The marks with x and y: sites of one unit stand beside each other."""
    places = {unit: (x, y) for unit, x, y in system.drawing.places} if system.drawing else {}
    units = [system.by_code[site].unit for site in marks["site"]]
    codes: dict[str, list[str]] = {}
    for site in system.sites:
        codes.setdefault(site.unit, []).append(site.code)
    is_alone = marks["feature"].nunique() == 1 and len(codes) < len(system.codes) / 2
    shift = [
        0.0 if is_alone else (2 * codes[unit].index(site) - len(codes[unit]) + 1) * BESIDE
        for site, unit in zip(marks["site"], units, strict=True)
    ]
    return marks.assign(
        x=[places[unit][0] + step for unit, step in zip(units, shift, strict=True)],
        y=[places[unit][1] for unit in units],
    )


def _bones(drawing: Drawing, on: Look) -> go.Scatter:
    """All outlines as one filled line with gaps."""
    x: list[float | None] = []
    y: list[float | None] = []
    for bone in drawing.bones:
        x += [*(point[0] for point in bone), bone[0][0], None]
        y += [*(point[1] for point in bone), bone[0][1], None]
    return go.Scatter(
        x=x, y=y, mode="lines", fill="toself", fillcolor=on.band, line={"color": on.grid, "width": 1},
        hoverinfo="skip", showlegend=False, name="bones",
    )  # fmt: skip


def _marks(rows: pd.DataFrame, name: str, symbol: str, is_change: bool, on: Look) -> go.Scatter:
    fill = [_fill(row, is_change, on) for row in rows.to_dict("records")]
    look, edge = {"opacity": 1.0}, {"color": on.muted, "width": 1}
    return go.Scatter(
        x=rows["x"], y=rows["y"], mode="markers+text", name=name, text=rows["text"], hoverinfo="text",
        textfont={"size": 10, "color": [_ink(colour, on) for colour in fill]}, hovertext=rows["tip"],
        customdata=rows[["site"]].to_numpy(dtype=object), showlegend=False,
        marker={"symbol": symbol, "size": MARK, "color": fill, "line": edge, **look},
        selected={"marker": look}, unselected={"marker": look},
    )  # fmt: skip


def _key(name: str, symbol: str, on: Look) -> go.Scatter:
    """No points: the entry of a feature in the legend, without the colour of any grade."""
    marker = {"symbol": symbol, "size": MARK, "color": on.background}
    marker["line"] = {"color": on.muted, "width": 1}
    return go.Scatter(x=[None], y=[None], mode="markers", name=name, marker=marker, hoverinfo="skip")


def _fill(row: dict, is_change: bool, on: Look) -> str:
    value = row["value"]
    if pd.isna(value):
        return NO_GRADE_COLOUR if row["reason"] else on.background
    if not value:
        return on.background
    if is_change and value < 0:
        return BETTER_COLOUR
    return grade_colour(round(abs(value)))


def _ink(colour: str, on: Look) -> str:
    if colour in (on.background, BETTER_COLOUR):
        return on.text if colour == on.background else DARK_INK
    return ink_on(colour)


def _crosses(marks: pd.DataFrame) -> list[go.Scatter]:
    """Crosses over what could not be graded; their reason is on the mark below."""
    rows = marks[marks["value"].isna() & (marks["reason"] != "")]
    if rows.empty:
        return []
    marker = {"symbol": "x-thin", "size": 9, "line": {"color": DARK_INK, "width": 1.5}}
    return [
        go.Scatter(
            x=rows["x"],
            y=rows["y"],
            mode="markers",
            marker=marker,
            hoverinfo="skip",
            name="not gradable",
            customdata=rows[["site"]].to_numpy(dtype=object),
        )
    ]


def _asks(marks: pd.DataFrame) -> pd.Series:
    """Marks of joints for which the table of combined grades asks a question."""
    return marks["value"].isna() & marks["reason"].str.startswith(QUERY)


def _queries(rows: pd.DataFrame, on: Look) -> list[go.Scatter]:
    """A question mark over each; what is asked is on the mark below."""
    if rows.empty:
        return []
    return [
        go.Scatter(
            x=rows["x"], y=rows["y"], mode="markers+text", text=["?"] * len(rows), hovertext=rows["tip"],
            hoverinfo="text", textfont={"size": 11, "color": "#FFFFFF"}, name="a query: to be resolved",
            customdata=rows[["site"]].to_numpy(dtype=object),
            marker={"symbol": "circle", "size": MARK, "color": QUERY_COLOUR, "opacity": 1.0},
            selected={"marker": {"opacity": 1.0}}, unselected={"marker": {"opacity": 1.0}},
        )
    ]  # fmt: skip


def _triangles(marks: pd.DataFrame, first: str, on: Look) -> list[go.Scatter]:
    """Worse and better since the first visit, at the corner of the mark."""
    found = []
    for name, symbol, sign in (("worse", "triangle-up", 1), ("better", "triangle-down", -1)):
        rows = marks[(marks["change"] * sign) > 0]
        if len(rows):
            marker = {"symbol": symbol, "size": 8, "color": on.text}
            marker["line"] = {"color": on.background, "width": 1}
            found.append(
                go.Scatter(
                    x=rows["x"], y=rows["y"] - ABOVE, mode="markers", name=f"{name} than {first}",
                    marker=marker, hoverinfo="skip",
                )
            )  # fmt: skip
    return found


def _ring(row: pd.DataFrame, on: Look) -> go.Scatter:
    marker = {"symbol": "circle-open", "size": MARK + 10, "color": on.text, "line": {"width": 2.5}}
    return go.Scatter(
        x=row["x"], y=row["y"], mode="markers", marker=marker, hoverinfo="skip", showlegend=False,
        name="chosen",
    )  # fmt: skip


def _special(rows: pd.DataFrame, system: ScoreSystem, on: Look) -> list[go.Scatter]:
    """A letter at each joint with a finding; a question mark where a person has to resolve it."""
    places = {unit: (x, y) for unit, x, y in system.drawing.places} if system.drawing else {}
    named, known = letters(system), {state.code: state for state in system.states}
    traces = []
    for code, state in known.items():
        here = rows[rows["state"] == code]
        if here.empty:
            continue
        fill = QUERY_COLOUR if state.is_query else on.text
        traces.append(
            go.Scatter(
                x=[places[unit][0] for unit in here["unit"]],
                y=[places[unit][1] - LETTER_ABOVE for unit in here["unit"]],
                mode="markers+text", name=f"{named[code]}: {state.name}", text=[named[code]] * len(here),
                textfont={"size": 9, "color": "#FFFFFF" if state.is_query else on.background},
                hovertext=here["tip"], hoverinfo="text",
                customdata=here[["site"]].to_numpy(dtype=object),
                marker={"symbol": "circle", "size": 13, "color": fill, "opacity": 1.0},
                selected={"marker": {"opacity": 1.0}}, unselected={"marker": {"opacity": 1.0}},
            )
        )  # fmt: skip
    return traces


def _framed(figure: go.Figure, drawing: Drawing, on: Look) -> go.Figure:
    x0, y0, x1, y1 = drawing.frame
    apply(figure, on, height=560)
    for text, x, y in drawing.captions:
        figure.add_annotation(x=x, y=y, text=text, showarrow=False, font={"color": on.muted, "size": 13})
    axis = {"visible": False, "fixedrange": True}
    figure.update_xaxes(range=[x0 - MARGIN, x1 + MARGIN], constrain="domain", **axis)
    figure.update_yaxes(range=[y1 + MARGIN, y0 - MARGIN], scaleanchor="x", constrain="domain", **axis)
    figure.update_layout(
        clickmode="event+select", margin={"l": 4, "r": 4, "t": 8, "b": 40},
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0.5, "xanchor": "center"},
    )  # fmt: skip
    return figure
