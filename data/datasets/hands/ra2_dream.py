"""RA2-DREAM: hands and feet, one film a limb, all sites of hands and feet graded; visits are not linked.

Films ``UAB001-LH.jpg`` (``-RH``, ``-LF``, ``-RF``); ``training.csv`` with one row a patient, a column a site
(``LH_mcp_E__2``) and the sums ``Overall_Tol, Overall_erosion, Overall_narrowing``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.errors import InputError
from data.datasets.checks import add_grade, by_height, listed, spelt, stem_of
from data.datasets.folder import Folder
from data.datasets.frame import BASELINE, Baseline, Contents, DataSet, FilmFile, Grade, Terms

FILM = re.compile(r"(.+)-([LR])([HF])", re.IGNORECASE)
SITE = re.compile(r"[LR][HF]_[a-z]+_[EJ]__\w+", re.IGNORECASE)
LIMBS = ("LH", "RH", "LF", "RF")
LIMB_WORDS = {"H": ("HAND", "PA"), "F": ("FOOT", "AP")}
SHOWN_MM = {"H": 230.0, "F": 270.0}
SURE = 0.25
READER = "RA2-DREAM"
KEY = "Patient_ID"
SUMS = {"Overall_Tol": "EJ", "Overall_erosion": "E", "Overall_narrowing": "J"}
SPLIT_WORDS = (("train", "train"), ("leader", "val"), ("val", "val"), ("test", "test"), ("final", "test"))
COUNT = 86  # sites of hands and feet


def read(folder: Folder) -> Contents:
    """Films and grades. Raises InputError where nothing of the set is there."""
    contents = Contents()
    splits: dict[str, str] = {}
    seen: dict[tuple[str, ...], Grade] = {}
    for file in folder.match("*.csv"):
        header, rows = folder.table(file, contents.tell)
        key = spelt(KEY, header)
        if key is not None:
            contents.count("tables of grades")
            _table(file, header, rows, key, contents, seen, splits)
    _films(folder, contents, splits)
    if not contents.films and not contents.grades:
        raise InputError(
            str(folder.path),
            "training.csv and films such as X-LH.jpg are needed",
            "give the set's own folder",
        )
    _missing_films(contents)
    return contents


def _table(
    file: str,
    header: list[str],
    rows: list[dict[str, str]],
    key: str,
    contents: Contents,
    seen: dict[tuple[str, ...], Grade],
    splits: dict[str, str],
) -> None:
    sites = [name for name in header if SITE.fullmatch(name)]
    strange = [name for name in header if name not in sites and name != key and spelt(name, SUMS) is None]
    if strange:
        contents.tell(file, f"no site of the set: column {listed(strange)}")
    if len(sites) < COUNT:
        contents.tell(
            file, f"has {len(sites)} of {COUNT} columns of sites; the others are missing", left_out=False
        )
    split = next((split for word, split in SPLIT_WORDS if word in file.casefold()), "")
    for number, row in enumerate(rows, start=2):
        subject = row.get(key, "").strip()
        if not subject:
            contents.tell(file, f"row {number} has no {KEY}; it was left out")
            continue
        if splits.setdefault(subject, split) != split:
            contents.tell(
                file,
                f"patient {subject} is in {splits[subject]} and in {split or 'no split'}",
                left_out=False,
            )
        contents.patients.setdefault(subject, {})
        for site in sites:
            add_grade(contents, Grade(subject, BASELINE, site, row.get(site, ""), READER, file), seen)
        _check_sums(file, row, sites, subject, contents)


def _check_sums(
    file: str, row: Mapping[str, str], sites: list[str], subject: str, contents: Contents
) -> None:
    """Tell where a stated sum is not that of the grades."""
    for name, letters in SUMS.items():
        stated = _number(row.get(name, ""))
        grades = [
            _number(row[site]) for site in sites if site.split("_")[2].upper() in letters and site in row
        ]
        if stated is None or None in grades or not grades:
            continue
        total = sum(grade for grade in grades if grade is not None)
        if total != stated:
            reason = (
                f"{name} of {subject} is {stated:g}, but its grades sum to {total:g}; the grades were taken"
            )
            contents.tell(file, reason, left_out=False)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _films(folder: Folder, contents: Contents, splits: Mapping[str, str]) -> None:
    first: dict[str, str] = {}
    for file in folder.pictures(""):
        match = FILM.fullmatch(stem_of(file))
        if match is None:
            contents.tell(file, "the name does not end in -LH, -RH, -LF or -RF; it was left out")
            continue
        contents.count("films")
        stem = stem_of(file).casefold()
        if stem in first:
            contents.tell(file, f"the film is there twice (first {first[stem]}); it was left out")
            continue
        first[stem] = file
        side, limb = match[2].upper(), match[3].upper()
        part, view = LIMB_WORDS[limb]
        what = "a hand with its wrist" if limb == "H" else "a foot"
        how = f"{what} fills the height of a film, about {SHOWN_MM[limb]:.0f} mm"
        guess = by_height(folder.at(file), SHOWN_MM[limb], how, SURE)
        split = splits.get(match[1], "")
        contents.films.append(FilmFile(file, match[1], BASELINE, part, view, side, split, None, guess))
        if contents.patients and match[1] not in contents.patients:
            contents.tell(file, f"patient {match[1]} has no row of grades", left_out=False)


def _missing_films(contents: Contents) -> None:
    """Tell of patients with grades and not all four films."""
    there: dict[str, set[str]] = {}
    for film in contents.films:
        there.setdefault(film.subject, set()).add(stem_of(film.file)[-2:].upper())
    for grade in {grade.subject: grade for grade in contents.grades}.values():
        missing = [limb for limb in LIMBS if limb not in there.get(grade.subject, set())]
        if missing:
            reason = f"patient {grade.subject} has no film of {', '.join(missing)}; the grades were taken"
            contents.tell(grade.file, reason, left_out=False)


PARTICIPANT = "one participant's (DeepRA), by the challenge's own weights"
SET = DataSet(
    "ra2-dream",
    Terms(
        "RA2-DREAM Challenge data",
        "registered access, no redistribution",
        "synapse.org, syn20545111",
        "2020",
        "Access by registration and the owner's data use agreement; this program assumes that films, grades "
        "and anything that shows a film may not be passed on. What you agreed to with the owner counts.",
        "Sun D, et al. JAMA Netw Open 2022, RA2-DREAM Challenge",
    ),
    read,
    (
        Baseline("weighted_error.total", 1.456, PARTICIPANT),
        Baseline("weighted_error.jsn", 1.358, PARTICIPANT),
        Baseline("weighted_error.erosion", 1.404, PARTICIPANT),
    ),
)
