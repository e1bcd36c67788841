"""Films of hands and feet with their boxes as a labelling tool exports them: PNG and COCO."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from data.phantom.coco import write_labels, write_pixels
from data.phantom.hands.foreign_objects import side_markers
from data.phantom.hands.limbs import shown
from data.phantom.hands.render import LimbFilm
from data.phantom.hands.state import FINDINGS, GRADED

LETTER_MM = 3.0  # of a letter's middle inside the lit field, below which it is not whole enough to be read

ATTRIBUTES = (
    "unit", "side", "site", "finger", "scored", "erosion", "jsn", "gap_mm", "visibility", "visible", "angle",
)  # fmt: skip

SITE_COLUMNS = (
    "unit", "site", "feature", "grade", "finding", "x", "y", "x0", "y0", "x1", "y1", "gap_mm", "visibility",
    "visible",
)  # fmt: skip


def site_rows(joints: pd.DataFrame) -> list[dict[str, object]]:
    """One row (``SITE_COLUMNS``) a site, of a film's ``LimbFilm.joints``: two for most joints."""
    rows = []
    for joint in joints[joints["scored"].astype(bool)].to_dict("records"):
        for feature, site in GRADED[joint["unit"]].items():
            row = joint | {"site": site, "feature": feature, "grade": joint[feature]}
            rows.append({name: _plain(row[name]) for name in SITE_COLUMNS})
    return rows


def write_coco(films: Iterable[tuple[str, str, LimbFilm]], out: Path) -> Path:
    """Write (subject, visit, film) as 16-bit PNG under ``images/`` and boxes as ``annotations.json``.

    The class of a box is its finding (none, ankylosis, subluxation, luxation); unit, grades, joint space and
    visibility are attributes, null where a place has no such site. Pixels are bone bright, 0-1023.
    """
    rows = (_written(subject, visit, film, out) for subject, visit, film in films)
    return write_labels(rows, FINDINGS, out, "phantom films of hands and feet, research only")


def _written(subject: str, visit: str, film: LimbFilm, out: Path) -> tuple[dict, list[dict]]:
    name = f"{subject}_{visit}_{film.view}.png"
    write_pixels(film.pixels, out, name)
    return _image(name, subject, visit, film), [_box(row) for row in film.joints.to_dict("records")]


def _image(name: str, subject: str, visit: str, film: LimbFilm) -> dict:
    rows, columns = film.pixels.shape
    return {
        "file_name": name,
        "width": columns,
        "height": rows,
        "patient": subject,
        "visit": visit,
        "view": film.view,
        "kind": film.kind,
        "spacing_mm": list(film.spacing_mm),
        "shown_spacing_mm": list(film.shown_spacing_mm) if film.shown_spacing_mm else None,
        "letters": letters_of(film),
    }


def letters_of(film: LimbFilm) -> list[dict]:
    """The side markers that can be read on a film: ``letter``, middle ``x`` and ``y`` in its pixels, and
    whether they are ``mirrored``.
    """
    c, (rows, columns) = film.conditions, film.pixels.shape
    top, right, bottom, left = (max(edge, 0.0) / c.spacing for edge in c.collimation)
    margin, found = LETTER_MM / c.spacing, []
    for one in side_markers(c, shown(c), (rows, columns)):
        x, y = one.middle
        across = left + margin <= x <= columns - right - margin
        if across and top + margin <= y <= rows - bottom - margin:
            mirrored = c.kind == "mirrored"
            at = {"x": columns - 1 - x if mirrored else x, "y": y}
            found.append({"letter": one.letter, **at, "mirrored": mirrored})
    return found


def _box(row: dict) -> dict:
    return {
        "category_id": FINDINGS.index(row["finding"]) + 1,
        "bbox": [row["x0"], row["y0"], row["x1"] - row["x0"], row["y1"] - row["y0"]],
        "attributes": {name: _plain(row[name]) for name in ATTRIBUTES},
    }


def _plain(value: object) -> object:
    """The value as JSON has it; missing is null."""
    if pd.isna(value):  # type: ignore[call-overload]
        return None
    return value.item() if hasattr(value, "item") else value
