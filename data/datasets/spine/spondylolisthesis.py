"""Spondylolisthesis Vertebral Landmark: lumbar films, four corners a vertebra, no names of levels.

``Dataset/Train/Keypointrcnn_data/{images,labels}/{train,val}/``; a label is JSON (``boxes, labels,
keypoints``) or a YOLO pose text (5 + 12 numbers, parts of the picture). The order of corners
varies: they are sorted by where they lie. Without names of levels no site is known, so no label for training
is made.
"""

from __future__ import annotations

import re
from typing import Any

from core.errors import InputError
from data.datasets.checks import films_and_grades, stem_of
from data.datasets.folder import Folder
from data.datasets.frame import BASELINE, Contents, DataSet, FilmFile, Mark, Terms
from data.datasets.spine.corners import Point, size_of

EXPORT = re.compile(r"(.+?)_(?:jpe?g|png|bmp)\.rf\.\w+", re.IGNORECASE)
PARTS = ("train", "val")
WHERE = "Keypointrcnn_data"


def read(folder: Folder) -> Contents:
    """Films and corners of unnamed vertebrae. Raises InputError where nothing of the set is there."""
    contents = Contents()
    for split in PARTS:
        films: dict[str, str] = {}
        for file in folder.pictures(f"{WHERE}/images/{split}"):
            contents.count("films")
            films.setdefault(stem_of(file), file)
            subject = subject_of(stem_of(file))
            contents.films.append(FilmFile(file, subject, BASELINE, "LSPINE", "LATERAL", split=split))
            contents.patients[subject] = {}
        labels = {
            stem_of(file): file
            for file in folder.match(f"{WHERE}/labels/{split}/*")
            if file.casefold().endswith((".json", ".txt"))
        }
        contents.count("files of corners", len(labels))
        films_and_grades(contents, labels, films)
        for stem, file in films.items():
            if stem in labels:
                _vertebrae(folder, file, labels[stem], contents)
    if not contents.films and not any(contents.found.values()):
        raise InputError(
            str(folder.path), f"{WHERE}/images and labels are needed", "give the set's own folder"
        )
    contents.notes.append(
        "no grade and no name of a level is published: its corners are of unnamed vertebrae"
    )
    return contents


def subject_of(stem: str) -> str:
    """The film's own name without what an export tool put behind it: copies of one film are one patient."""
    match = EXPORT.fullmatch(stem)
    return match[1] if match else stem


def _vertebrae(folder: Folder, film: str, file: str, contents: Contents) -> None:
    found = _of_json(folder, file, contents) if file.casefold().endswith(".json") else None
    if found is None and file.casefold().endswith(".txt"):
        found = _of_text(folder, film, file, contents)
    marks = []
    for number, corners in enumerate(found or [], start=1):
        if len(corners) != 4:
            contents.tell(file, f"vertebra {number} has {len(corners)} corners, not 4; it was left out")
            continue
        names = ("top left", "top right", "bottom left", "bottom right")
        for name, (x, y) in zip(names, sorted_corners(corners), strict=True):
            marks.append(Mark(f"vertebra {number} {name}", (x, y, 0.0, 0.0)))
    contents.marks[film] = marks


def sorted_corners(corners: list[Point]) -> list[Point]:
    """Top left, top right, bottom left, bottom right, by where they lie."""
    by_height = sorted(corners, key=lambda point: point[1])
    return sorted(by_height[:2]) + sorted(by_height[2:])


def _of_json(folder: Folder, file: str, contents: Contents) -> list[list[Point]] | None:
    content: Any = folder.json(file, contents.tell)
    try:
        return [[(float(p[0]), float(p[1])) for p in one] for one in content["keypoints"]]
    except (TypeError, KeyError, ValueError, IndexError):
        if content is not None:
            contents.tell(file, "keypoints of four corners a vertebra are needed; no corner was taken")
        return None


def _of_text(folder: Folder, film: str, file: str, contents: Contents) -> list[list[Point]] | None:
    size = size_of(folder.at(film))
    if size is None:
        contents.tell(film, "the picture cannot be opened, so its corners are not known")
        return None
    found = []
    for number, row in enumerate(folder.rows(file, contents.tell), start=1):
        try:
            values = [float(word) for word in " ".join(row).split()]
        except ValueError:
            values = []
        if len(values) != 17:
            contents.tell(file, f"line {number} has no 17 numbers; it was left out")
            continue
        points = zip(values[5::3], values[6::3], strict=True)
        found.append([(x * size[0], y * size[1]) for x, y in points])
    return found


SET = DataSet(
    "spondylolisthesis-landmark",
    Terms(
        "Spondylolisthesis Vertebral Landmark Dataset",
        "CC BY 4.0 by its page; half of its films are BUU-LSPINE's, whose own terms count for them",
        "data.mendeley.com, 5jdfdgp762",
        "v1",
        "Creative Commons Attribution 4.0: name its authors, say what you changed, link the licence. Half of "
        "the films come from BUU-LSPINE, which is given without the right to pass it on.",
        "Mendeley Data 5jdfdgp762 v1",
    ),
    read,
)
