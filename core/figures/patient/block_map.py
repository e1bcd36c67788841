"""Block by visit: the sum of each block of one reading, from head to foot; a click gives its site."""

from __future__ import annotations

from itertools import groupby
from math import ceil

import pandas as pd
import plotly.graph_objects as go

from core.figures.patient.squares import axes, frame_row, name_groups, squares
from core.figures.style import LIGHT, NO_GRADE_COLOUR, Look, apply, grade_colour, ink_on
from core.scores.system import ScoreSystem

ROW_PIXELS = 21
STEPS = 4  # colours above 0


def step_of(value: float, most: float) -> int:
    """The colour of a sum: 0 for 0, then quarters of the largest one that is possible."""
    return ceil(STEPS * value / most - 1e-9) if value > 0 else 0


def block_map(
    cells: pd.DataFrame,
    system: ScoreSystem,
    visits: list[str],
    *,
    chosen: str | None = None,
    on: Look = LIGHT,
) -> go.Figure:
    """Rows are blocks under the name of their region, columns are visits; each cell shows the sum.

    cells: ``core.patient.blocks.by_block`` of one reading. A sum that is part of the total has a frame; a
    cross stands where an item has no grade. Cells have ``customdata`` [site, visit].
    """
    rows = _rows(system)
    places = {block: place for place, (block, _) in enumerate(rows) if block}
    most = {block: sum(site.maximum for site in system.sites if site.block == block) for block in places}
    known = {(row["block"], row["visit"]): row for row in cells.to_dict("records")}
    drawn = [
        _square(known[block, visit], x, y, most[block], on)
        for block, y in places.items()
        for x, visit in enumerate(visits)
        if (block, visit) in known
    ]
    figure = go.Figure()
    figure.add_trace(_trace(pd.DataFrame(drawn), on))
    apply(figure, on, height=60 + ROW_PIXELS * len(rows))
    names = {y: f"<b>{block}</b>" if block == chosen else block for block, y in places.items()}
    axes(figure, [f"<b>{visit}</b>" for visit in visits], max(len(visits), 3) - 0.4, names, len(rows))
    name_groups(figure, rows, on)
    if chosen in places:
        frame_row(figure, places[chosen], len(visits), on)
    figure.update_layout(
        margin={"l": 66, "r": 8, "t": 34, "b": 8}, showlegend=False, clickmode="event+select"
    )
    return figure


def _rows(system: ScoreSystem) -> list[tuple[str, str]]:
    """(block, its name) from head to foot; the name of a region is a row without a block."""
    region = {site.block: site.region for site in reversed(system.sites)}
    rows = []
    for name, blocks in groupby(system.blocks, key=lambda block: region[block]):
        rows.append(("", name))
        rows += [(block, block) for block in blocks]
    return rows


def _square(cell: dict, x: int, y: int, most: int, on: Look) -> dict:
    where = {
        "x": x,
        "y": y,
        "site": cell["site"],
        "visit": cell["visit"],
        "frame": 2 if cell["counts"] else 0,
    }
    name = f"{cell['block']}, {cell['visit']}"
    if pd.isna(cell["value"]):
        tip = f"{name}: no sum, {cell['lacking']} items have no grade"
        return where | {"text": "×", "colour": NO_GRADE_COLOUR, "ink": ink_on(NO_GRADE_COLOUR), "tip": tip}
    step = step_of(cell["value"], most)
    tip = f"{name}: {cell['value']:g} of {most}{', part of the total' if cell['counts'] else ''}"
    colour = grade_colour(step) if step else on.grid
    ink = ink_on(colour) if step else on.muted
    return where | {"text": f"{cell['value']:g}", "colour": colour, "ink": ink, "tip": tip}


def _trace(cells: pd.DataFrame, on: Look) -> go.Scatter:
    if cells.empty:
        return go.Scatter(x=[], y=[])
    line = {"width": cells["frame"].tolist(), "color": on.text}
    return squares(cells, ("site", "visit"), ROW_PIXELS - 3, line)
