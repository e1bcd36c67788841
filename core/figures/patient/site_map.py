"""Site by visit: every reading's grade of every site, sites from head to foot; a click gives the site."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import pandas as pd
import plotly.graph_objects as go

from core.figures.patient.squares import axes, frame_row, name_groups, squares
from core.figures.style import LIGHT, NO_GRADE_COLOUR, Look, apply, grade_colour, ink_on
from core.reader_labels import short_names
from core.scores.display.groups import SiteGroup, short_site, site_groups
from core.scores.system import ScoreSystem

ROW_PIXELS = 19


def site_map(
    grades: pd.DataFrame,
    system: ScoreSystem,
    visits: list[str],
    kinds: dict[str, str],
    *,
    groups: Sequence[SiteGroup] | None = None,
    chosen: str | None = None,
    on: Look = LIGHT,
) -> go.Figure:
    """Rows are sites, columns are visits and within them readings; each cell shows its grade.

    grades: one patient; columns ``site, visit, label, feature, grade, reason``; NA means not gradable (a
    cross), no row means not read (empty). groups: the sites that are shown, each group under its name; all
    of the system's without them. Cells have ``customdata`` [site, visit, label].
    """
    columns = [(visit, label) for visit in visits for label in kinds]
    rows = _rows(site_groups(system) if groups is None else groups, system)
    places = {code: place for place, (code, _) in enumerate(rows) if code}
    cells = {(row.site, row.visit, row.label): row for row in grades.itertuples()}
    figure = go.Figure()
    figure.add_trace(_squares(cells, places, columns, system, on))
    _rule_visits(figure, columns, len(rows), on)
    apply(figure, on, height=90 + ROW_PIXELS * len(rows))
    short = short_names(kinds)
    names = {y: f"<b>{rows[y][1]}</b>" if code == chosen else rows[y][1] for code, y in places.items()}
    axes(figure, [short[label] for _, label in columns], len(columns) - 0.4, names, len(rows))
    name_groups(figure, rows, on)
    if chosen in places:
        frame_row(figure, places[chosen], len(columns), on)
    figure.update_layout(
        margin={"l": 56, "r": 8, "t": 66, "b": 8}, showlegend=False, clickmode="event+select"
    )
    return figure


def _rows(groups: Sequence[SiteGroup], system: ScoreSystem) -> list[tuple[str, str]]:
    """(site, what stands beside it) from top to bottom; the name of a group is a row without a site."""
    rows = []
    for group in groups:
        if group.name:
            rows.append(("", group.name))
        rows += [(code, short_site(system, code) if group.name else code) for code in group.codes]
    return rows


def _squares(
    cells: dict, places: dict[str, int], columns: list[tuple[str, str]], system: ScoreSystem, on: Look
) -> go.Scatter:
    rows = []
    for site, y in places.items():
        for x, (visit, label) in enumerate(columns):
            cell = cells.get((site, visit, label))
            if cell is not None:
                rows.append(_square(x, y, site, visit, label, cell, system, on))
    frame = pd.DataFrame(rows, columns=["x", "y", "text", "colour", "ink", "tip", "site", "visit", "label"])
    return squares(frame, ("site", "visit", "label"), ROW_PIXELS - 2)


def _square(x: int, y: int, site: str, visit: str, label: str, cell, system: ScoreSystem, on: Look) -> tuple:
    where = (site, visit, label)
    if pd.isna(cell.grade):
        reason = cell.reason if isinstance(cell.reason, str) and cell.reason else "not gradable"
        tip = f"{site}, {visit}, {label}: {reason}"
        return x, y, "×", NO_GRADE_COLOUR, ink_on(NO_GRADE_COLOUR), tip, *where
    grade = int(cell.grade)
    feature = system.by_feature.get(cell.feature)
    most = system.by_code[site].maximum
    meaning = feature.grades[grade] if feature and most < len(feature.grades) else f"of {most}"
    tip = f"{site}, {visit}, {label}: {grade} {meaning}"
    if grade == 0:
        return x, y, "0", on.grid, on.muted, tip, *where
    colour = grade_colour(grade)
    return x, y, str(grade), colour, ink_on(colour), tip, *where


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
