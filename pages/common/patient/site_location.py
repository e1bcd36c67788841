"""Where a site lies on a film, from the finding or from the drawing, or why that is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from core.figures.style import NO_GRADE_COLOUR, grade_colour
from core.imaging.crops import Spacing, side_for
from core.reader_labels import models
from core.scores.system import Site
from pages.common.page import Page
from pages.common.patient.breakdown import Breakdown
from pages.common.patient.cards import Place
from pages.common.patient.case import Case
from pages.common.patient.scans.pair import showing


def place_of(page: Page, case: Case, found: Breakdown, visit: str, code: str) -> Place:
    """The film and box of a site at a visit, or why there is none."""
    site = case.system.by_code[code]
    here = found.found[(found.found["visit"] == visit) & found.found["box"].notna()]
    own = here[here["site"] == code]
    own = own[own["feature"] == site.feature] if (own["feature"] == site.feature).any() else own
    if len(own):
        row = own.iloc[-1]
        colour = NO_GRADE_COLOUR if pd.isna(row["grade"]) else grade_colour(int(row["grade"]))
        at = (row["image"], _spacing(found, row["image"]))
        boxes, frame = (row["box"], row["box"]), int(row.get("frame", 0))
        return Place(visit, *at, *boxes, colour, frame=frame, is_scan=case.system.of_scans)
    unit = {one.code: one.unit for one in case.system.sites}
    group = {one.code: one.group for one in case.system.sites}
    beside = here[here["site"].map(unit) == site.unit] if len(here) else here
    if site.group and len(beside):
        beside = beside[beside["site"].map(group) == site.group]  # another slice shows another place
    table = case.system.combination
    looked_up = table if table is not None and site.feature == table.feature else None
    if looked_up is not None and (beside["feature"] == looked_up.rows).any():
        beside = beside[beside["feature"] == looked_up.rows]  # of two images the same kind at every visit
    if len(beside):
        row = beside.iloc[-1]
        why = f"no pixels of its own; {row['site']}" if site.group else f"not found; beside {row['site']}"
        if looked_up is not None:
            why = f"looked up; the image of {row['site']}"
        at = (row["image"], _spacing(found, row["image"]))
        frame = int(row.get("frame", 0))
        return Place(visit, *at, None, row["box"], why=why, frame=frame, is_scan=case.system.of_scans)
    return Place(visit, why=_why_no_place(page, case, found, visit, site))


def _why_no_place(page: Page, case: Case, found: Breakdown, visit: str, site: Site) -> str:
    films = found.films_at(visit, site.region, site.side)
    if case.system.of_scans:
        films = showing(films, case.system, site)
        if films.empty:
            return f"no image of {site.name} at this visit"
    if films.empty:
        of_side = " of this side" if site.side else ""
        return f"no {site.region} {case.system.image_title}{of_side} at this visit"
    if page.is_reader:
        return "where this site lies is not shown to a blinded reader"
    has_many = case.system.of_stacks or case.system.of_scans  # slices of a stack, images of a joint
    looked_at = films["image"] if has_many else films["image"].head(1)
    refused = found.found[found.found["image"].isin(looked_at) & found.found["abstained"].notna()]
    if len(refused):
        return f"{case.system.image_title} rejected by the model: {refused['abstained'].iloc[0]}"
    if not models(found.kinds):
        return f"no model has read this {case.system.image_title}, so no box is known"
    return "the model did not find this site"


def _spacing(found: Breakdown, image: str) -> Spacing | None:
    rows = found.films[found.films["image"] == image]
    if rows.empty or pd.isna(rows["spacing_row_mm"].iloc[0]):
        return None
    return float(rows["spacing_row_mm"].iloc[0]), float(rows["spacing_column_mm"].iloc[0])


def alike(places: list[Place]) -> list[Place]:
    """The places to compare, in film pixels all of them where a film among them has no spacing."""
    if all(place.spacing for place in places if place.about is not None):
        return places
    return [replace(place, spacing=None) for place in places]


def side_of(places: Sequence[Place]) -> float:
    """One side of the square for all of them, so that they compare."""
    boxes = [(place.about, place.spacing) for place in places if place.about is not None]
    if not boxes:
        return 0.0
    if all(place.is_scan for place in places if place.about is not None):
        return max((box.x1 - box.x0) * (spacing or (1.0, 1.0))[1] for box, spacing in boxes)
    return side_for(boxes)
