"""The points of the chosen block on the slices of a stack: boxes with all grades, and outlines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.scores.system import ScoreSystem
from pages.common.patient.stacks.outlines import LAYERS, UNIT
from pages.common.viewer import ViewedBox, ViewedPolygon
from pages.common.viewer.stored_films import box_of_finding, cells_of

Frames = Mapping[tuple[str, int], int]


def block_of(system: ScoreSystem, site: str | None) -> tuple[str, ...]:
    """The sites that are marked with a chosen one: all of its block; none without one."""
    if site not in system.by_code:
        return ()
    block = system.by_code[site].block
    return tuple(one.code for one in system.sites if one.block == block)


def found_on(findings: pd.DataFrame, frames: Frames, sites: tuple[str, ...]) -> pd.DataFrame:
    """Findings of these sites on a stack's slices, with ``at``, the frame that is shown.

    findings: ``image, frame, site, box, polygon``.
    """
    mine = findings[findings["site"].isin(sites)]
    keys = zip(mine["image"], mine["frame"].fillna(0).astype(int), strict=True)
    at: list[Any] = [frames.get(key) for key in keys]
    here = mine.assign(at=at)
    return here[here["at"].notna()].drop_duplicates("site", keep="last")


def boxes(
    found: pd.DataFrame, grades: pd.DataFrame, kinds: Mapping[str, str], system: ScoreSystem
) -> tuple[ViewedBox, ...]:
    """Boxes of findings, each on its slice. grades: at this visit, columns ``site, label, grade``."""
    cells = cells_of(grades)
    rows = {str(row.site): row for row in _rows(found) if row.box is not None}
    return tuple(
        box_of_finding(rows[site], cells, kinds, system, frame=int(rows[site].at))
        for site in system.codes
        if site in rows
    )


def _rows(found: pd.DataFrame) -> list[Any]:
    return list(found.itertuples())


def outlines(found: pd.DataFrame) -> tuple[ViewedPolygon, ...]:
    """The pixels that each point rests on."""
    return tuple(
        ViewedPolygon(LAYERS[UNIT].code, _points(row.polygon), site=row.site, frame=int(row.at))
        for row in _rows(found)
        if isinstance(row.polygon, list) and len(row.polygon) > 2
    )


def _points(polygon: list[list[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in polygon)


def site_frames(found: pd.DataFrame, system: ScoreSystem) -> tuple[tuple[str, int], ...]:
    """Site -> its slice, also where the site itself has no pixels: sites of one group lie on one slice."""
    of_group = {system.by_code[row.site].group: int(row.at) for row in _rows(found)}
    groups = {site.code: site.group for site in system.sites if site.group in of_group}
    return tuple((code, of_group[group]) for code, group in groups.items())
