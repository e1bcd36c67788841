"""Render one spine film: add up what lies along every ray, then let the detector see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.phantom.detector import expose, process
from data.phantom.spine.body import LABELLED_LEVELS, SITES, Body
from data.phantom.spine.canvas import Canvas
from data.phantom.spine.conditions import WRONG_KINDS, Conditions
from data.phantom.spine.lesions import State
from data.phantom.spine.placement import Placement, inside, lit_field, outline, place, visibility_at
from data.phantom.spine.vertebra import spine_attenuation

# attenuation beyond water, per mm, at the mean energy behind the patient
WATER, CORTICAL, TRABECULAR, METAL = 0.0205, 0.030, 0.0037, 0.35
VISIBLE = 0.12
CORNER_COLUMNS = ["site", "x", "y", "grade", "extent", "visibility", "visible", "x0", "y0", "x1", "y1"]
LEVEL_COLUMNS = ["level", "x0", "y0", "x1", "y1", "visibility", "polygon"]


@dataclass(frozen=True)
class RenderedFilm:
    """One film with its labels. ``pixels`` are bone bright; a MONOCHROME1 file stores them inverted.

    spacing_mm: true (row, column) spacing on the detector. shown_spacing_mm: what the file says, or None.
    corners, vertebrae: see ``CORNER_COLUMNS``, ``LEVEL_COLUMNS``; pixels, x to the right, y downwards.
    """

    pixels: np.ndarray
    spacing_mm: tuple[float, float]
    shown_spacing_mm: tuple[float, float] | None
    corners: pd.DataFrame
    vertebrae: pd.DataFrame
    photometric: str
    view: str
    kind: str
    conditions: Conditions
    body_seed: int


def render_film(body: Body, states: Mapping[str, State], conditions: Conditions, seed: int) -> RenderedFilm:
    """Render the film that these conditions give of this body in this state. ``seed``: quantum noise only."""
    c = conditions
    if c.kind in WRONG_KINDS:
        from data.phantom.spine.other_views import wrong_attenuation

        canvas, placement = wrong_attenuation(body, states, c)
    else:
        placement = place(body, c)
        canvas = spine_attenuation(placement, states)
    pixels = develop(canvas, c, seed)
    return RenderedFilm(
        pixels=pixels,
        spacing_mm=(c.spacing, c.spacing),
        shown_spacing_mm=None if c.show_spacing == "none" else (c.spacing, c.spacing),
        corners=corner_table(placement, states, pixels.shape),
        vertebrae=level_table(placement, pixels.shape),
        photometric=c.photometric,
        view=c.view,
        kind=c.kind,
        conditions=c,
        body_seed=body.seed,
    )


def develop(canvas: Canvas, c: Conditions, seed: int) -> np.ndarray:
    """uint16 picture, 12 bits, bone bright."""
    from data.phantom.spine.overlay import add_foreign, add_grid_lines, field_mask, stamp_marker

    add_foreign(canvas, c)
    lit = field_mask(canvas.shape, c)
    kilovolt = (80.0 / c.kilovolt) ** 0.8
    attenuation = canvas.soft * np.float32(WATER * (80.0 / c.kilovolt) ** 0.25)
    attenuation += canvas.cortical * np.float32(CORTICAL * kilovolt)
    attenuation += canvas.trabecular * np.float32(TRABECULAR * kilovolt)
    attenuation += canvas.metal * np.float32(METAL)
    stamp_marker(attenuation, c)
    add_grid_lines(attenuation, c)
    rng = np.random.default_rng([seed, 5])
    signal, air = expose(attenuation, lit, c, rng)
    return process(signal, air, lit, c)


def box_of(placement: Placement, site: str) -> np.ndarray:
    """x0, y0, x1, y1 in detector mm: 13 mm in the patient, moved 1.5 mm towards the disc and 0.5 mm
    forward."""
    frame = placement.frames[site[:-1]]
    down = frame.axes[1, :2] * (1 if site.endswith("I") else -1)
    side = (13.0 if placement.conditions.view == "lumbar" else 11.0) * frame.magnification
    middle = placement.corners[site] + frame.magnification * (1.5 * down - 0.5 * frame.axes[0, :2])
    return np.concatenate([middle - side / 2, middle + side / 2])


def corner_table(placement: Placement | None, states: Mapping[str, State], shape) -> pd.DataFrame:
    """Labels of all sites of the film's view. Boxes are cut at the image's edge."""
    if placement is None:
        return pd.DataFrame(columns=CORNER_COLUMNS)
    c = placement.conditions
    seen = visibility_at(placement, SITES[c.view])
    rows = []
    for site in SITES[c.view]:
        grade, extent = states.get(site, (0, 0.0))
        x, y = placement.corners[site] / c.spacing - 0.5
        box = np.clip(box_of(placement, site) / c.spacing - 0.5, 0, [shape[1] - 1, shape[0] - 1] * 2)
        rows.append((site, x, y, int(grade), float(extent), seen[site], seen[site] >= VISIBLE, *box))
    return pd.DataFrame(rows, columns=CORNER_COLUMNS)


def level_table(placement: Placement | None, shape) -> pd.DataFrame:
    """Boxes and outlines of the vertebral bodies whose centre lies in the lit field."""
    if placement is None:
        return pd.DataFrame(columns=LEVEL_COLUMNS)
    c = placement.conditions
    field = lit_field(c)
    seen = visibility_at(placement, SITES[c.view])
    rows = []
    for level in LABELLED_LEVELS[c.view]:
        frame = placement.frames[level]
        margin = float(inside(frame.centre, field, c)[0])
        if margin < 3.0:
            continue
        polygon = outline(frame) / c.spacing - 0.5
        low, high = np.clip([polygon.min(axis=0), polygon.max(axis=0)], 0, [shape[1] - 1, shape[0] - 1])
        known = [seen[level + letter] for letter in "SI" if level + letter in seen]
        value = float(np.mean(known)) if known else float(np.clip(margin / 15, 0, 1)) * 0.8
        rows.append((level, low[0], low[1], high[0], high[1], value, polygon))
    return pd.DataFrame(rows, columns=LEVEL_COLUMNS)
