"""Labels of a set for ``train`` and ``evaluate``: COCO folders ``train``, ``val`` and ``test``, by patient.

The owner's splits are kept; a patient of several is in the strictest (test before val before train), and a
set without splits is split by a hash of the patient. So no patient is on both sides. Where a set gives no
boxes but a crop of each joint, the crop is looked for in the film, pixel by pixel.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.errors import InputError
from core.scores.system import ScoreSystem
from data.datasets.checks import strictest
from data.datasets.examine import is_empty, number_of
from data.datasets.frame import SPLITS, Contents, DataSet, FilmFile, Mark
from data.datasets.pictures import grey_pixels
from data.datasets.registry import system_of
from data.dicom.read import Refusal

ANNOTATIONS, ABOUT = "annotations.json", "data_set.json"
NOT_GRADED, GRADED = "not graded", "none"  # category of a box: nothing special is said of it
SHARES = (("test", 0.2), ("val", 0.1), ("train", 1.0))  # of patients, where the owner has no splits
Box = tuple[float, float, float, float]
Progress = Callable[[int, int, str], None]


@dataclass
class Written:
    """films: split -> films with labels. boxes: of all of them. unplaced: crops that lie nowhere."""

    films: dict[str, int] = field(default_factory=dict)
    boxes: int = 0
    unplaced: int = 0
    notes: list[str] = field(default_factory=list)


def split_of_patients(films: list[FilmFile]) -> dict[str, str]:
    """Subject -> ``train``, ``val`` or ``test``, one for all of his films."""
    given: defaultdict[str, set[str]] = defaultdict(set)
    for film in films:
        given[film.subject].add(film.split)
    has_splits = any(split for splits in given.values() for split in splits)
    return {
        subject: (strictest(splits - {""}) or "train") if has_splits else _by_hash(subject)
        for subject, splits in given.items()
    }


def _by_hash(subject: str) -> str:
    place = int.from_bytes(hashlib.sha256(subject.encode()).digest()[:6], "big") / 2**48
    border = 0.0
    for split, share in SHARES:
        border += share
        if place < border:
            return split
    return SPLITS[0]


def check_labels(one: DataSet, contents: Contents, out: Path) -> ScoreSystem:
    """The system that the labels are for. Raises InputError where the set gives no place for a label, or the
    folder is neither new nor one of this set.
    """
    system = system_of(one.name)
    if system is None or not contents.marks:
        why = "it gives no place of a named site" if system is None else "none of its places is in the folder"
        raise InputError(f"--labels for {one.name}", f"labels need boxes or corners; {why}", "leave it out")
    mark = out / ABOUT
    whose = json.loads(mark.read_text(encoding="utf-8")).get("name") if mark.is_file() else None
    if whose != one.name and out.is_dir() and any(out.iterdir()):
        raise InputError(f"--labels {out}", "a new folder, or one of this set, is needed", "give another")
    return system


def write_labels(
    one: DataSet,
    folder: Path,
    contents: Contents,
    out: Path,
    *,
    without: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> Written:
    """Write the labels of films with places into a folder that is new or of this set.

    without: files that are left out. Raises InputError as ``check_labels``.
    """
    system = check_labels(one, contents, out)
    _say_whose(out, one)
    maker = _Maker(one, system, folder, contents, out)
    splits = split_of_patients(contents.films)
    rows: dict[str, list[tuple[dict[str, Any], list[dict[str, Any]]]]] = {split: [] for split in SPLITS}
    for done, film in enumerate(contents.films, start=1):
        has_places = film.file not in without and contents.marks.get(film.file)
        row = maker.film(film, splits[film.subject]) if has_places else None
        if row is not None:
            rows[splits[film.subject]].append(row)
        if progress is not None:
            progress(done, len(contents.films), film.file)
    for split, found in rows.items():
        if found:
            _write(found, maker.names, out / split, one)
            maker.written.films[split] = len(found)
    return maker.written


def _say_whose(out: Path, one: DataSet) -> None:
    out.mkdir(parents=True, exist_ok=True)
    terms = one.terms
    about = {"name": one.name, "notice": terms.notice, "licence": terms.licence, "terms": terms.text}
    (out / ABOUT).write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")


class _Maker:
    """Rows of films and boxes, one film at a time."""

    def __init__(
        self, one: DataSet, system: ScoreSystem, folder: Path, contents: Contents, out: Path
    ) -> None:
        self._one, self._system, self._folder, self._contents, self._out = one, system, folder, contents, out
        self._sites = system.sites_of_set(one.name)
        self._grades = _truth(contents, self._sites)
        self.names = (GRADED,) if contents.grades else (NOT_GRADED,)
        self.written = Written()

    def film(self, film: FilmFile, split: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """The row of a film and those of its boxes; its pixels are written. None where it has no box."""
        try:
            with (self._folder / film.file).open("rb") as stream:
                pixels = grey_pixels(stream)
        except (Refusal, OSError):
            return None  # why is said where the film itself is read
        boxes = self._boxes(film, pixels)
        if not boxes:
            return None
        name = f"{film.subject}_{film.visit}_{film.file.rpartition('/')[2].rpartition('.')[0]}.png"
        path = self._out / split / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        self.written.boxes += len(boxes)
        return self._about(film, name, pixels), boxes

    def _about(self, film: FilmFile, name: str, pixels: np.ndarray) -> dict[str, Any]:
        spacing = film.spacing
        region = next((self._system.by_code[code].region for code in self._codes(film)), "")
        return {
            "file_name": name,
            "width": int(pixels.shape[1]),
            "height": int(pixels.shape[0]),
            "patient": film.subject,
            "visit": film.visit,
            "view": {"hand": "hands", "foot": "feet"}.get(region, region),
            "kind": "good",
            "spacing_mm": [spacing.mm, spacing.mm] if spacing else None,
            "shown_spacing_mm": [spacing.mm, spacing.mm] if spacing and spacing.is_stated else None,
            "spacing_is": spacing.words if spacing else "not known",
            "source": film.file,
        }

    def _codes(self, film: FilmFile) -> list[str]:
        marks = self._contents.marks.get(film.file, [])
        return [self._sites[mark.site] for mark in marks if mark.site in self._sites]

    def _boxes(self, film: FilmFile, pixels: np.ndarray) -> list[dict[str, Any]]:
        """One box a unit where a unit has one place for all that is graded, else one a site."""
        found: dict[str, dict[str, Any]] = {}
        for mark in self._contents.marks[film.file]:
            code = self._sites.get(mark.site)
            box = self._place(mark, pixels) if code is not None else None
            if code is None or box is None:
                continue
            site = self._system.by_code[code]
            is_joint = len(self._system.features) > 1
            row = found.setdefault(
                site.unit if is_joint else code,
                {
                    "category_id": 1,
                    "bbox": [float(value) for value in box],
                    "attributes": {"unit": site.unit},
                },
            )
            grade = self._grades.get((film.subject, film.visit, code))
            if is_joint:
                row["attributes"][site.feature] = grade
            else:
                row["attributes"] |= {"site": code, "visible": True}
        return list(found.values())

    def _place(self, mark: Mark, pixels: np.ndarray) -> Box | None:
        if mark.box is not None or not mark.crop:
            return mark.box
        try:
            with (self._folder / mark.crop).open("rb") as stream:
                place = place_of(grey_pixels(stream), pixels)
        except (Refusal, OSError) as error:
            self._contents.tell(mark.crop, f"{error}; no box was made of it")
            return None
        if place is None:
            self.written.unplaced += 1
            self._contents.tell(mark.crop, "this crop lies nowhere in its film; no box was made of it")
        return place


def place_of(crop: np.ndarray, film: np.ndarray) -> Box | None:
    """Where a crop lies in its film, pixel for pixel; None where it does not, or lies at several places."""
    rows, columns = crop.shape
    if crop.dtype != film.dtype or rows > film.shape[0] or columns > film.shape[1]:
        return None
    found = list(_places(crop, film))
    return (float(found[0][1]), float(found[0][0]), float(columns), float(rows)) if len(found) == 1 else None


def _places(crop: np.ndarray, film: np.ndarray) -> Iterator[tuple[int, int]]:
    """Row and column of every place, at most two; found by the bytes of the crop's most telling row."""
    rows, columns = crop.shape
    telling = int(np.argmax(crop.std(axis=1)))
    wanted, content = crop[telling].tobytes(), film.tobytes()
    width, item, at, count = film.shape[1], film.dtype.itemsize, -1, 0
    while count < 2 and (at := content.find(wanted, at + 1)) >= 0:
        row, column = divmod(at // item, width)
        row -= telling
        if at % item or row < 0 or row + rows > film.shape[0] or column + columns > width:
            continue
        if np.array_equal(film[row : row + rows, column : column + columns], crop):
            count += 1
            yield row, column


def _truth(contents: Contents, sites: Mapping[str, str]) -> dict[tuple[str, str, str], int]:
    """(subject, visit, site) -> grade: of several readers the mean, rounded, a half upwards."""
    given: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for grade in contents.grades:
        value = None if is_empty(grade.grade) else number_of(grade.grade)
        if value is not None:
            given[grade.subject, grade.visit, sites[grade.site]].append(value)
    return {key: int(np.floor(np.mean(values) + 0.5)) for key, values in given.items()}


def _write(
    rows: list[tuple[dict[str, Any], list[dict[str, Any]]]], names: tuple[str, ...], out: Path, one: DataSet
) -> None:
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for number, (image, found) in enumerate(rows, start=1):
        images.append({"id": number, **image})
        for box in found:
            area = box["bbox"][2] * box["bbox"][3]
            boxes.append({"id": len(boxes) + 1, "image_id": number, "area": area, "iscrowd": 0, **box})
    terms = one.terms
    info = {
        "description": f"{terms.title}: films and labels of its owner",
        "phantom": False,
        "data_set": one.name,
        "title": terms.title,
        "source": terms.source,
        "version": terms.version,
        "licence": terms.licence,
        "notice": terms.notice,
    }
    categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    content = {"info": info, "images": images, "annotations": boxes, "categories": categories}
    part = out / f".{ANNOTATIONS}.part"
    part.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    os.replace(part, out / ANNOTATIONS)
