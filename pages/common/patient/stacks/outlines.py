"""Outlines of oedema, bodies and discs on the slices of a stack, and where its bodies lie."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.figures.style import STRUCTURE_COLOURS
from core.imaging.stacks import shift_by_middles
from core.scores.system import ScoreSystem
from pages.common.viewer import ViewedLayer, ViewedPolygon

UNIT = "unit"


def _layer(name: str, short: str, title: str, dash: str, width: float) -> ViewedLayer:
    return ViewedLayer(f"structure {name}", short, title, STRUCTURE_COLOURS[name], dash, width)


LAYERS = {
    "oedema": _layer("oedema", "Oedema", "oedema, by the model", "solid", 1.5),
    "body": _layer("body", "Bodies", "vertebral bodies, by the model", "solid", 1.0),
    "disc": _layer("disc", "Discs", "discs, by the model", "dash", 1.0),
    UNIT: _layer(UNIT, "Chosen unit", "pixels of the points of the chosen unit", "dash", 1.5),
}
BODY = "body"


@dataclass(frozen=True)
class Middle:
    """Where a body lies: place along the normal in mm, centre on a slice in pixels (x, y)."""

    place: float
    centre: tuple[float, float]


def on_frames(outlines: pd.DataFrame, frames: Mapping[tuple[str, int], int]) -> pd.DataFrame:
    """Outlines of a stack's slices, with ``at``: the frame that is shown.

    outlines: ``image, frame, structure, name, polygon`` (points x, y). frames: (image, frame within it) ->
    frame of the stack.
    """
    keys = zip(outlines["image"], outlines["frame"].astype(int), strict=True)
    at: list[Any] = [frames.get(key) for key in keys]
    here = outlines.assign(at=at)
    return here[here["at"].notna()].assign(at=lambda rows: rows["at"].astype(int))


def polygons(outlines: pd.DataFrame, system: ScoreSystem) -> tuple[ViewedPolygon, ...]:
    """What is drawn; a click on the outline of a block chooses its middle slice.

    outlines: of ``on_frames``.
    """
    first = _site_of_block(system)
    rows: list[dict[Any, Any]] = outlines.to_dict("records")
    return tuple(
        ViewedPolygon(
            LAYERS[row["structure"]].code,
            tuple((float(x), float(y)) for x, y in row["polygon"]),
            site=first.get(row["name"], ""),
            label=row["name"] if row["structure"] == BODY else "",
            frame=int(row["at"]),
        )
        for row in rows
        if row["structure"] in LAYERS
    )


def _site_of_block(system: ScoreSystem) -> dict[str, str]:
    """Block -> a site of it: the first one of its middle group."""
    found: dict[str, str] = {}
    for block in system.blocks:
        sites = [site for site in system.sites if site.block == block]
        groups = list(dict.fromkeys(site.group for site in sites))
        middle = groups[len(groups) // 2]
        found[block] = next(site.code for site in sites if site.group == middle)
    return found


def layers_of(seen: Collection[str], *, has_unit: bool) -> tuple[ViewedLayer, ...]:
    """The switches: of structures that are outlined anywhere in what is shown."""
    wanted = [name for name in LAYERS if name in seen or (name == UNIT and has_unit)]
    return tuple(LAYERS[name] for name in wanted)


def middles(outlines: pd.DataFrame, places_mm: np.ndarray) -> dict[str, Middle]:
    """Body -> where its middle lies, by the area of its outlines on all slices.

    outlines: of ``on_frames``. places_mm: of the frames.
    """
    bodies = outlines[(outlines["structure"] == BODY) & (outlines["name"].fillna("") != "")]
    found = {}
    for name, rows in bodies.groupby("name"):
        pieces: list[dict[Any, Any]] = rows.to_dict("records")
        parts = [(_area_and_centre(one["polygon"]), float(places_mm[one["at"]])) for one in pieces]
        weights = np.array([area for (area, _), _ in parts])
        if not weights.sum():
            continue
        centres = np.array([centre for (_, centre), _ in parts])
        place = float(np.average([place for _, place in parts], weights=weights))
        x, y = np.average(centres, axis=0, weights=weights)
        found[str(name)] = Middle(place, (float(x), float(y)))
    return found


def _area_and_centre(polygon: list[list[float]]) -> tuple[float, tuple[float, float]]:
    """Area (by the shoelace formula) and the mean of the corners."""
    points = np.asarray(polygon, dtype=float)
    x, y = points[:, 0], points[:, 1]
    area = abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
    return area, (float(x.mean()), float(y.mean()))


def shift_of(one: Mapping[str, Middle], two: Mapping[str, Middle]) -> float | None:
    """mm to add to the second stack's places, by the middles of bodies that both name; None without one."""
    first, second = ({name: middle.place for name, middle in bodies.items()} for bodies in (one, two))
    return shift_by_middles(first, second)
