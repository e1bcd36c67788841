"""Site by visit: every reading's grade of every site, sites from head to foot; a click gives the site."""

from __future__ import annotations

from itertools import groupby

import pandas as pd
import plotly.graph_objects as go

from core.figures.style import GRADE_COLOURS, LIGHT, NO_GRADE_COLOUR, Look, apply
from core.readings import short_names
from core.scores.system import ScoreSystem

ROW_PIXELS = 19


def site_map(
    grades: pd.DataFrame,
    system: ScoreSystem,
    visits: list[str],
    kinds: dict[str, str],
    *,
    chosen: str | None = None,
    on: Look = LIGHT,
) -> go.Figure:
    """Rows are sites, columns are visits and within them readings; each cell shows its grade.

    grades: one patient; columns ``site, visit, label, feature, grade, reason``; NA means not gradable (a
    cross), no row means not read (empty). Cells are square markers with ``customdata`` [site, visit, label],
    because a click on a cell of a heat map trace is not reported by the page.
    """
    columns = [(visit, label) for visit in visits for label in kinds]
    sites = list(system.codes)
    cells = {(row.site, row.visit, row.label): row for row in grades.itertuples()}
    figure = go.Figure()
    figure.add_trace(_squares(cells, sites, columns, system, on))
    _rule_visits(figure, columns, len(sites), on)
    apply(figure, on, height=90 + ROW_PIXELS * len(sites))
    short = short_names(kinds)
    figure.update_xaxes(
        tickvals=list(range(len(columns))), ticktext=[short[label] for _, label in columns], side="top",
        range=[-0.6, len(columns) - 0.4], showgrid=False, zeroline=False, fixedrange=True,
    )  # fmt: skip
    names = [f"<b>{site}</b>" if site == chosen else site for site in sites]
    figure.update_yaxes(
        tickvals=list(range(len(sites))), ticktext=names, range=[len(sites) - 0.4, -0.6], showgrid=False,
        zeroline=False, fixedrange=True,
    )  # fmt: skip
    if chosen in sites:
        place = sites.index(chosen)
        figure.add_shape(
            type="rect", x0=-0.5, x1=len(columns) - 0.5, y0=place - 0.5, y1=place + 0.5,
            line={"color": on.text, "width": 2},
        )  # fmt: skip
    figure.update_layout(
        margin={"l": 56, "r": 8, "t": 66, "b": 8}, showlegend=False, clickmode="event+select"
    )
    return figure


def _squares(
    cells: dict, sites: list[str], columns: list[tuple[str, str]], system: ScoreSystem, on: Look
) -> go.Scatter:
    rows = []
    for y, site in enumerate(sites):
        for x, (visit, label) in enumerate(columns):
            cell = cells.get((site, visit, label))
            if cell is not None:
                rows.append(_square(x, y, site, visit, label, cell, system, on))
    frame = pd.DataFrame(rows, columns=["x", "y", "text", "colour", "ink", "tip", "site", "visit", "label"])
    look = {"opacity": 1.0}
    return go.Scatter(
        x=frame["x"], y=frame["y"], mode="markers+text", text=frame["text"], hovertext=frame["tip"],
        hoverinfo="text", customdata=frame[["site", "visit", "label"]],
        marker={
            "symbol": "square", "size": ROW_PIXELS - 2, "color": frame["colour"].tolist(), **look,
        },
        textfont={"color": frame["ink"].tolist(), "size": 11},
        selected={"marker": look}, unselected={"marker": look},
    )  # fmt: skip


def _square(x: int, y: int, site: str, visit: str, label: str, cell, system: ScoreSystem, on: Look) -> tuple:
    if pd.isna(cell.grade):
        reason = cell.reason if isinstance(cell.reason, str) and cell.reason else "not gradable"
        return (
            x,
            y,
            "×",
            NO_GRADE_COLOUR,
            "#1F2933",
            f"{site}, {visit}, {label}: {reason}",
            site,
            visit,
            label,
        )
    grade = int(cell.grade)
    feature = system.by_feature.get(cell.feature)
    meaning = feature.grades[grade] if feature and grade < len(feature.grades) else ""
    tip = f"{site}, {visit}, {label}: {grade} {meaning}"
    if grade == 0:
        return x, y, "0", on.grid, on.muted, tip, site, visit, label
    ink = "#FFFFFF" if grade > 2 else "#1F2933"
    return x, y, str(grade), GRADE_COLOURS[min(grade, len(GRADE_COLOURS) - 1)], ink, tip, site, visit, label


def _rule_visits(figure: go.Figure, columns: list[tuple[str, str]], count: int, on: Look) -> None:
    """A line between visits, and the visit's name over its columns."""
    place = 0
    for visit, group in groupby(columns, key=lambda column: column[0]):
        width = len(list(group))
        figure.add_annotation(
            x=place + (width - 1) / 2, y=1, yref="paper", yshift=30, yanchor="bottom",
            text=f"<b>{visit}</b>", showarrow=False, font={"color": on.text, "size": 13},
        )  # fmt: skip
        if place:
            figure.add_shape(
                type="line", x0=place - 0.5, x1=place - 0.5, y0=-0.5, y1=count - 0.5,
                line={"color": on.muted, "width": 1},
            )  # fmt: skip
        place += width
