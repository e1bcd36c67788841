"""BUU-LSPINE: lumbar films, lateral (LA) with eleven endplates each and anteroposterior (AP) with ten.

``LA/0169-F-044Y1.jpg`` and the same name ``.csv`` without header, rows ``x1,y1,x2,y2,label`` from L1 top to
S1 top; the name says patient, sex, age and view. The first point is the front. ``pixel_spacing.csv``
(filename, pixel_spacing_mm) may lie beside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from core.errors import InputError
from data.datasets.checks import films_and_grades, spelt, stem_of
from data.datasets.folder import Folder
from data.datasets.frame import BASELINE, Baseline, Contents, DataSet, FilmFile, Spacing, Terms
from data.datasets.spine.corners import (
    Edge,
    check_inside,
    check_order,
    guess_of,
    marks_of,
    put_right,
    size_of,
)

NAME = re.compile(r"(\d+)-([FM])-(\d{1,3})Y([01])", re.IGNORECASE)
LATERAL = [*((f"L{n}", edge) for n in range(1, 6) for edge in ("top", "bottom")), ("S1", "top")]
VIEWS = {"LA": ("LATERAL", 11), "AP": ("AP", 10)}
FIGURE = {"0": "AP", "1": "LA"}
LABELS = range(5)  # normal, left, right, antero-, retrolisthesis
SWAPPED = frozenset({"0169-F-044Y1", "1110-M-067Y1", "1997-M-012Y1"})
FRONT = {"top": "top", "bottom": "bottom"}


@dataclass(frozen=True)
class Row:
    """An endplate: its two ends and the kind of slip below it."""

    first: tuple[float, float]
    second: tuple[float, float]
    label: int


def read(folder: Folder) -> Contents:
    """Films, corners and patients. Raises InputError where nothing of the set is there."""
    contents = Contents()
    stated = _spacings(folder, contents)
    for view in VIEWS:
        _view(folder, view, contents, stated)
    if not contents.films and not any(contents.found.values()):
        raise InputError(str(folder.path), "the folders LA and AP are needed", "give the set's own folder")
    contents.notes.append(
        "no grade is published, only endplates and slips; the films of a patient are one visit"
    )
    return contents


def _view(folder: Folder, view: str, contents: Contents, stated: dict[str, float]) -> None:
    films: dict[str, str] = {}
    for file in folder.pictures(view):
        contents.count(f"films {view}")
        stem = stem_of(file)
        match = NAME.fullmatch(stem)
        if match is None:
            contents.tell(file, f"the name {stem} is not PATIENT-SEX-AGE and view; it was left out")
            continue
        if stem in films:
            contents.tell(file, f"the film is there twice (first {films[stem]}); it was left out")
            continue
        films[stem] = file
        if FIGURE[match[4]] != view:
            contents.tell(file, f"its name says view {FIGURE[match[4]]}, its folder {view}", left_out=False)
        _patient(match, file, contents)
        mm = stated.get(stem.casefold())
        spacing = Spacing(mm, "the set's pixel_spacing.csv", is_stated=True) if mm else None
        shown = VIEWS[view][0]
        contents.films.append(FilmFile(file, match[1], BASELINE, "LSPINE", shown, spacing=spacing))
    tables = {stem_of(file): file for file in folder.match(f"{view}/*.csv") if NAME.fullmatch(stem_of(file))}
    contents.count(f"files of corners {view}", len(tables))
    films_and_grades(contents, tables, films)
    for place, film in enumerate(contents.films):
        stem = stem_of(film.file)
        if films.get(stem) == film.file and stem in tables:
            rows = rows_of(folder, tables[stem], VIEWS[view][1], contents)
            if view == "LA":
                contents.films[place] = _lateral(folder, film, tables[stem], rows, contents)


def _patient(match: re.Match[str], file: str, contents: Contents) -> None:
    about = contents.patients.setdefault(match[1], {})
    for name, value in (("sex", match[2].upper()), ("age at film", int(match[3]))):
        if about.setdefault(name, value) != value:
            contents.tell(file, f"{name} of patient {match[1]} is {about[name]} and {value}", left_out=False)


def rows_of(folder: Folder, file: str, count: int, contents: Contents) -> list[Row]:
    """The endplates of a table; none where it has not ``count`` rows of four numbers and a label."""
    rows = []
    for number, cells in enumerate(folder.rows(file, contents.tell), start=1):
        try:
            x1, y1, x2, y2, label = (float(cell) for cell in cells)
        except ValueError:
            contents.tell(file, f"row {number} is not x1,y1,x2,y2,label; no corner of the film was taken")
            return []
        if label not in LABELS:
            contents.tell(
                file,
                f"row {number}: the label {label:g} is outside 0-4; its corners were taken",
                left_out=False,
            )
        rows.append(Row((x1, y1), (x2, y2), int(label)))
    if len(rows) != count:
        contents.tell(
            file, f"has {len(rows)} rows, not {count}: which endplate is which is not known; none was taken"
        )
        return []
    return rows


def _lateral(folder: Folder, film: FilmFile, file: str, rows: list[Row], contents: Contents) -> FilmFile:
    if not rows:
        return film
    names = zip(LATERAL, rows, strict=True)
    edges = [Edge(vertebra, edge, row.first, row.second) for (vertebra, edge), row in names]
    edges = put_right(edges, file, contents, known_swapped=stem_of(file) in SWAPPED)
    check_order(edges, file, contents)
    check_inside(edges, size_of(folder.at(film.file)), file, contents)
    contents.marks[film.file] = marks_of(edges, FRONT)
    return film if film.spacing else replace(film, spacing=guess_of(edges))


def _spacings(folder: Folder, contents: Contents) -> dict[str, float]:
    """Name of a film without ending -> millimetres a pixel, as the set states them."""
    found: dict[str, float] = {}
    for file in folder.match("pixel_spacing.csv"):
        contents.count("tables of spacing")
        header, rows = folder.table(file, contents.tell)
        name, mm = spelt("filename", header), spelt("pixel_spacing_mm", header)
        if name is None or mm is None:
            contents.tell(file, "the columns filename and pixel_spacing_mm are needed; no spacing was taken")
            continue
        for number, row in enumerate(rows, start=2):
            try:
                value = float(row[mm])
            except (ValueError, KeyError):
                value = 0.0
            if not 0.02 <= value <= 2.0:
                contents.tell(
                    file, f"row {number}: {row.get(mm, '')} mm a pixel cannot be right; it was left out"
                )
                continue
            found[row[name].rpartition("/")[2].rpartition(".")[0].casefold() or row[name].casefold()] = value
    return found


ABSTRACT = "the owners' DenseNet201, by the abstract"
SET = DataSet(
    "buu-lspine",
    Terms(
        "BUU-LSPINE",
        "end-user agreement, no redistribution",
        "MDPI Applied Sciences 2023, 13(15), 8646",
        "2023",
        "Given under the owner's end-user agreement: films, corners and anything that shows a film may not "
        "be passed on. What you signed counts.",
        "BUU-LSPINE, Appl. Sci. 2023, 13, 8646",
    ),
    read,
    (
        Baseline("corners.mean_mm", 4.91, f"{ABSTRACT}, lateral"),
        Baseline("corners.median_px", 9.7, "an open pipeline"),
        Baseline("corners.within_one_percent_of_diagonal", 0.91, "an open pipeline"),
    ),
)
