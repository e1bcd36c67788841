"""CSXA: lateral cervical films with corners of C2 to C7.

``datasets-PNG/<7 digits>.png`` and ``datasets-JSON/<same>.json`` (LabelMe); the first four digits are the
case. Labels ``C2 centroid``, ``C2 bottom left``, ``C3 top right``, case and blanks vary. The front is at the
image's left.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from core.errors import InputError
from data.datasets.checks import films_and_grades, stem_of
from data.datasets.folder import Folder
from data.datasets.frame import Baseline, Contents, DataSet, FilmFile, Terms
from data.datasets.spine.corners import (
    Edge,
    Point,
    check_inside,
    check_order,
    guess_of,
    marks_of,
    one_point,
    put_right,
    size_of,
)

NAME = re.compile(r"(\d{4})(\d{3})")
LABEL = re.compile(r"c\s*([2-7])[\s_]*(top|bottom|upper|lower)[\s_]*(left|right)")
CENTRE = re.compile(r"c\s*2[\s_]*centroid")
EDGES = [("C2", "bottom"), *((f"C{n}", edge) for n in range(3, 8) for edge in ("top", "bottom"))]
SWAPPED = frozenset({"0049040", "0056041", "0317133", "0360131", "0509137", "3921152"})
FRONT = {"top": "top left", "bottom": "bottom left"}


def read(folder: Folder) -> Contents:
    """Films and corners. Raises InputError where nothing of the set is there."""
    contents = Contents()
    films: dict[str, str] = {}
    for file in folder.pictures("datasets-PNG"):
        contents.count("films")
        stem = stem_of(file)
        match = NAME.fullmatch(stem)
        if match is None:
            contents.tell(file, f"the name {stem} is not seven digits; it was left out")
        elif stem in films:
            contents.tell(file, f"the film is there twice (first {films[stem]}); it was left out")
        else:
            films[stem] = file
            subject, visit = match[1], f"F{match[2]}"
            contents.films.append(FilmFile(file, subject, visit, "CSPINE", "LATERAL"))
            contents.order[subject, visit] = int(match[2])
            contents.patients[subject] = {}
    labelled = {stem_of(file): file for file in folder.match("datasets-JSON/*.json")}
    contents.count("files of corners", len(labelled))
    if not films and not labelled:
        raise InputError(
            str(folder.path), "datasets-PNG and datasets-JSON are needed", "give the set's own folder"
        )
    films_and_grades(contents, labelled, films)
    for place, film in enumerate(contents.films):
        stem = stem_of(film.file)
        if stem in labelled:
            edges = _edges(folder, labelled[stem], stem, contents)
            check_inside(edges, size_of(folder.at(film.file)), labelled[stem], contents)
            contents.films[place] = replace(film, spacing=guess_of(edges))
            contents.marks[film.file] = marks_of(edges, FRONT)
    contents.notes.append("no grade is published, only corners; T1 is not marked")
    contents.notes.append(
        "whether the numbers of a case's films run in time order is not stated: no day is known"
    )
    return contents


def _edges(folder: Folder, file: str, stem: str, contents: Contents) -> list[Edge]:
    points = _points(folder, file, contents)
    edges, missing = [], []
    for vertebra, edge in EDGES:
        ends = [points.get((vertebra, edge, side)) for side in ("left", "right")]
        if ends[0] is None or ends[1] is None:
            missing.append(f"{vertebra} {edge}")
        else:
            edges.append(Edge(vertebra, edge, ends[0], ends[1]))
    if missing:
        contents.tell(file, f"no corners, or one only, of {', '.join(missing)}", left_out=False)
    edges = put_right(edges, file, contents, known_swapped=stem in SWAPPED)
    check_order(edges, file, contents)
    return edges


def _points(folder: Folder, file: str, contents: Contents) -> dict[tuple[str, str, str], Point]:
    content = folder.json(file, contents.tell)
    shapes = content.get("shapes") if isinstance(content, dict) else None
    if not isinstance(shapes, list):
        if content is not None:
            contents.tell(file, "shapes of LabelMe are needed; no corner was taken")
        return {}
    found: dict[tuple[str, str, str], Point] = {}
    double: set[tuple[str, str, str]] = set()
    for shape in shapes:
        key = _key(shape, file, contents)
        point = one_point(shape.get("points") or []) if key else None
        if key is None:
            continue
        if point is None:
            contents.tell(file, f"{' '.join(key)}: its points lie more than 2 pixels apart; it was left out")
        elif found.setdefault(key, point) != point:
            double.add(key)
    for key in sorted(double):
        contents.tell(file, f"{' '.join(key)} stands twice at two places; it was left out")
        del found[key]
    return found


def _key(shape: Any, file: str, contents: Contents) -> tuple[str, str, str] | None:
    label = str(shape.get("label", "")) if isinstance(shape, dict) else ""
    plain = " ".join(label.casefold().split())
    match = LABEL.fullmatch(plain)
    if match:
        edge = {"upper": "top", "lower": "bottom"}.get(match[2], match[2])
        return f"C{match[1]}", edge, match[3]
    if not CENTRE.fullmatch(plain):
        contents.tell(file, f"the label {label!r} names no corner of this set; it was left out")
    return None


PIPELINE = "an open pipeline, EfficientNet-B0, 19 points, validation"
SET = DataSet(
    "csxa",
    Terms(
        "CSXA, cervical spine X-ray atlas",
        "not read",
        "doi:10.1038/s41597-024-03383-0 (Scientific Data 2024)",
        "2024",
        "The owner's licence was not read here. Read it before you use, publish or pass on anything.",
        "CSXA, Scientific Data 2024, s41597-024-03383-0",
    ),
    read,
    (
        Baseline("corners.median_px", 1.49, PIPELINE),
        Baseline("corners.p95_px", 4.75, PIPELINE),
        Baseline("corners.within_half_percent_of_diagonal", 0.955, PIPELINE),
    ),
)
