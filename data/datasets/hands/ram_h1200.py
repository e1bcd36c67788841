"""RAM-H1200: films of one hand each from six centres, sixteen erosion and fifteen narrowing grades a hand.

``Segmentation/<split>/<stem>.bmp`` are the films, ``<..>_BE_Scoring/<split>/_annotation_be_scores.json`` and
``<..>_JSN_Scoring/..`` the grades (``{"<stem>.bmp": {"BE_R": 0}}``), beside them a crop of each joint. A stem
``JP_SCGH_P0029_20121201_5835_L`` says country, centre, patient, date, study and side: visits are linked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.errors import InputError
from data.datasets.checks import (
    add_grade,
    by_height,
    films_and_grades,
    number_visits,
    spelt,
    stem_of,
    unknown,
)
from data.datasets.folder import Folder
from data.datasets.frame import SPLITS, Contents, DataSet, FilmFile, Grade, Mark, Terms

STEM = re.compile(r"([A-Z]{2,3}_[A-Za-z0-9]+_P\d+)_(\d{8})_(\d+)_([LR])", re.IGNORECASE)
READER = "RAM-H1200"
KINDS = (
    ("BE", "*_BE_Scoring/{split}/_annotation*be*.json", "R U IP L MCP-T MCP-I MCP-M MCP-R MCP-S CMC-T PIP-I "
     "PIP-M PIP-R PIP-S S Tm"),
    ("JSN", "*_JSN_Scoring/{split}/_annotation*jsn*.json", "MCP-T MCP-I MCP-M MCP-R MCP-S PIP-I PIP-M PIP-R "
     "PIP-S CMC-M CMC-R CMC-S SC SR STT"),
)  # fmt: skip
SHOWN_MM, SURE = 230.0, 0.25
HOW = "a hand with its wrist fills the height of a film, about 230 mm"
PATIENT_COLUMNS = {"Sex": "sex", "isRA": "RA"}


@dataclass(frozen=True)
class Stem:
    """What the name of a film says."""

    text: str
    subject: str
    taken: date
    study: int
    side: str

    @property
    def occasion(self) -> tuple[date, int]:
        return self.taken, self.study


@dataclass
class _Found:
    """Films and grades by stem, before visits are numbered. grades: stem -> key -> (grade, file)."""

    films: dict[str, tuple[str, str]] = field(default_factory=dict)
    grades: list[tuple[str, str, Any, str]] = field(default_factory=list)
    stems: dict[str, Stem] = field(default_factory=dict)
    crops: dict[tuple[str, str], str] = field(default_factory=dict)


def stem_says(text: str) -> Stem | None:
    """The parts of a stem; None where it is none, or its date is no date."""
    match = STEM.fullmatch(text)
    if match is None:
        return None
    try:
        taken = date.fromisoformat(match[2])
    except ValueError:
        return None
    return Stem(text, match[1], taken, int(match[3]), match[4].upper())


def read(folder: Folder) -> Contents:
    """Films, grades, patients and visits. Raises InputError where nothing of the set is there."""
    contents, found = Contents(), _Found()
    for split in SPLITS:
        _films(folder, split, contents, found)
        for kind, pattern, names in KINDS:
            for file in folder.match(pattern.format(split=split)):
                _scores(folder, file, f"{kind}_", names.split(), contents, found)
    if not found.films and not found.grades:
        raise InputError(
            str(folder.path), "Segmentation/train/*.bmp and *_Scoring are needed", "give the set's own folder"
        )
    _collect(folder, contents, found)
    _metadata(folder, contents, found)
    return contents


def _films(folder: Folder, split: str, contents: Contents, found: _Found) -> None:
    for file in folder.pictures(f"Segmentation/{split}"):
        contents.count("films")
        stem = stem_of(file)
        if _known(stem, file, contents, found) is None:
            continue
        if stem in found.films:
            contents.tell(file, f"the film is there twice (first {found.films[stem][0]}); it was left out")
            continue
        found.films[stem] = (file, split)


def _known(stem: str, file: str, contents: Contents, found: _Found) -> Stem | None:
    """What a stem says; where it says nothing, that is told and it is left out."""
    if stem not in found.stems:
        says = stem_says(stem)
        if says is None:
            contents.tell(
                file, f"the name {stem} is not COUNTRY_CENTRE_PATIENT_DATE_STUDY_SIDE; it was left out"
            )
            return None
        found.stems[stem] = says
    return found.stems[stem]


def _scores(
    folder: Folder, file: str, prefix: str, names: list[str], contents: Contents, found: _Found
) -> None:
    contents.count("files of grades")
    content = folder.json(file, contents.tell)
    if not isinstance(content, dict):
        if content is not None:
            contents.tell(file, "film -> grades is needed; it was left out")
        return
    known, here = [prefix + name for name in names], file.rpartition("/")[0]
    crops = {name.casefold(): name for name in folder.match(f"{here}/*/*.bmp")}
    contents.count("crops", len(crops))
    for film, grades in content.items():
        stem = stem_of(film) if "." in film else film
        if not isinstance(grades, dict) or _known(stem, file, contents, found) is None:
            if not isinstance(grades, dict):
                contents.tell(file, f"{film}: key -> grade is needed; it was left out")
            continue
        for word, grade in grades.items():
            key = spelt(word, known)
            if key is None:
                contents.tell(file, f"{film}: {unknown(word, known, 'site')}")
                continue
            if key != word:
                contents.tell(file, f"{film}: {word} was taken for {key}", left_out=False)
            found.grades.append((stem, key, grade, file))
            crop = crops.get(f"{here}/{stem}/{key.removeprefix(prefix)}.bmp".casefold())
            if crop:
                found.crops[stem, key] = crop
        missing = [key for key in known if key not in grades and spelt(key, grades) is None]
        if missing:
            contents.tell(file, f"{film}: no grade of {', '.join(missing)}", left_out=False)


def _collect(folder: Folder, contents: Contents, found: _Found) -> None:
    """Visits in order of date, then films and grades with their visits."""
    occasions: dict[str, set[tuple[Any, ...]]] = {}
    for says in found.stems.values():
        occasions.setdefault(says.subject, set()).add(says.occasion)
    visits = number_visits(contents, occasions)
    for (subject, occasion), visit in visits.items():
        first = min(occasions[subject])[0]
        contents.days[subject, visit] = (occasion[0] - first).days
    for stem, (file, split) in found.films.items():
        says = found.stems[stem]
        visit, guess = visits[says.subject, says.occasion], by_height(folder.at(file), SHOWN_MM, HOW, SURE)
        contents.films.append(
            FilmFile(file, says.subject, visit, "HAND", "PA", says.side, split, says.taken, guess)
        )
    _collect_grades(contents, found, visits)
    graded = {stem: file for stem, _, _, file in found.grades}
    films_and_grades(contents, graded, {stem: file for stem, (file, _) in found.films.items()})
    for subject in occasions:
        contents.patients.setdefault(subject, {"centre": subject.split("_")[1]})


def _collect_grades(
    contents: Contents, found: _Found, visits: Mapping[tuple[str, tuple[Any, ...]], str]
) -> None:
    """Grades with their visits, and where the crops of graded joints lie."""
    seen: dict[tuple[str, ...], Grade] = {}
    for stem, key, value, file in found.grades:
        says, site = found.stems[stem], f"{found.stems[stem].side} {key}"
        grade = Grade(says.subject, visits[says.subject, says.occasion], site, value, READER, file)
        add_grade(contents, grade, seen)
    for (stem, key), crop in found.crops.items():
        if stem in found.films:
            mark = Mark(f"{found.stems[stem].side} {key}", crop=crop)
            contents.marks.setdefault(found.films[stem][0], []).append(mark)


def _metadata(folder: Folder, contents: Contents, found: _Found) -> None:
    """Sex and diagnosis from the workbook, joined by the stem without its side."""
    by_film = {stem.rpartition("_")[0]: says for stem, says in found.stems.items()}
    for file in folder.match("Metadata.xlsx"):
        contents.count("tables")
        for row in folder.workbook(file, contents.tell):
            stem = str(row.get("Mapped Image Stem") or "").strip()
            says = by_film.get(stem) or by_film.get(stem.rpartition("_")[0])
            if says is None:
                contents.tell(
                    file, f"{stem or 'a row without stem'} has no film and no grades", left_out=False
                )
                continue
            _patient(file, row, says, contents)


def _patient(file: str, row: Mapping[str, Any], says: Stem, contents: Contents) -> None:
    about = contents.patients[says.subject]
    for column, name in PATIENT_COLUMNS.items():
        value = row.get(column)
        if value is None or str(value).strip() == "":
            continue
        if about.setdefault(name, value) != value:
            contents.tell(
                file, f"{column} of patient {says.subject} is {about[name]} and {value}", left_out=False
            )
    number = str(row.get("Normalized PatientID") or "").strip()
    if number and not says.subject.casefold().endswith(number.casefold()):
        contents.tell(file, f"{says.text} is of patient {number} here; its name was followed", left_out=False)


SET = DataSet(
    "ram-h1200",
    Terms(
        "RAM-H1200",
        "CC BY 4.0",
        "huggingface.co, TokyoTechMagicYang/RAM-H1200-v1",
        "v1",
        "Creative Commons Attribution 4.0: use, change and share it if you name its authors, say what you "
        "changed and link the licence. Read the owner's card: it counts, not this sentence.",
        "RAM-H1200-v1, TokyoTechMagicYang",
    ),
    read,
)
