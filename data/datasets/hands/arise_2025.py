"""ARISE-2025: films of both hands, three experts a joint.

``jpeg/<patient>.jpeg``; ``scores.csv`` with an unnamed index and ``patient_id, hand, joint, finger, disease
(JSN or erosion), score, expert_id``, empty where it was not scored; ``bboxes.csv`` with ``xcenter, ycenter,
dx, dy`` in pixels; ``split_info.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from core.errors import InputError
from data.datasets.checks import add_grade, by_height, stem_of, unknown
from data.datasets.folder import Folder
from data.datasets.frame import BASELINE, Baseline, Contents, DataSet, FilmFile, Grade, Mark, Terms

HANDS = ("left", "right")
DISEASES = ("erosion", "JSN")
NEEDED = ("patient_id", "hand", "joint", "finger", "disease", "score", "expert_id")
BOX = ("patient_id", "hand", "joint", "finger", "xcenter", "ycenter", "dx", "dy")
EXPERTS = 3
SHOWN_MM, SURE = 240.0, 0.25
HOW = "hands with their wrists fill the height of a film, about 240 mm"


def read(folder: Folder) -> Contents:
    """Films, grades of each expert and boxes. Raises InputError where nothing of the set is there."""
    contents = Contents()
    splits = _splits(folder, contents)
    films: dict[str, str] = {}
    for file in folder.pictures("jpeg"):
        contents.count("films")
        subject = stem_of(file)
        if subject in films:
            contents.tell(file, f"the film is there twice (first {films[subject]}); it was left out")
            continue
        films[subject] = file
        guess = by_height(folder.at(file), SHOWN_MM, HOW, SURE)
        split = splits.get(subject, "")
        contents.films.append(FilmFile(file, subject, BASELINE, "HAND", "PA", "B", split, None, guess))
        contents.patients[subject] = {}
    graded = _scores(folder, contents)
    if not films and not graded:
        raise InputError(
            str(folder.path), "jpeg/*.jpeg and scores.csv are needed", "give the set's own folder"
        )
    for subject, file in graded.items():
        contents.patients.setdefault(subject, {})
        if subject not in films:
            contents.tell(
                file, f"film of patient {subject} is missing; the grades were taken", left_out=False
            )
    for subject, file in films.items():
        if graded and subject not in graded:
            contents.tell(file, "no grades stand anywhere for this film", left_out=False)
    _boxes(folder, contents, films)
    return contents


def _splits(folder: Folder, contents: Contents) -> dict[str, str]:
    splits: dict[str, str] = {}
    for file in folder.match("split_info.json"):
        content = folder.json(file, contents.tell)
        for split, subjects in content.items() if isinstance(content, dict) else ():
            for subject in map(str, subjects if isinstance(subjects, list) else ()):
                if splits.setdefault(subject, split) != split:
                    reason = (
                        f"patient {subject} is in {splits[subject]} and in {split}; in labels he is in test"
                    )
                    contents.tell(file, reason, left_out=False)
                    splits[subject] = "test"
    return splits


def site_of(row: Mapping[str, str]) -> str:
    """The set's words for a site, without the disease: ``left PIP 2``."""
    hand, joint = row["hand"].strip().casefold(), row["joint"].strip()
    finger = row["finger"].strip().removesuffix(".0")
    return " ".join(part for part in (hand, joint, finger) if part)


def _scores(folder: Folder, contents: Contents) -> dict[str, str]:
    """Patient -> file of his grades."""
    graded: dict[str, str] = {}
    seen: dict[tuple[str, ...], Grade] = {}
    for file in folder.match("scores.csv"):
        contents.count("tables of grades")
        header, rows = folder.table(file, contents.tell)
        missing = [name for name in NEEDED if name not in header]
        if missing:
            contents.tell(file, f"lacks the column {', '.join(missing)}; no grade was taken")
            continue
        experts: dict[tuple[str, str], set[str]] = {}
        for number, row in enumerate(rows, start=2):
            disease = next(
                (one for one in DISEASES if one.casefold() == row["disease"].strip().casefold()), ""
            )
            if not disease or row["hand"].strip().casefold() not in HANDS:
                word = row["hand"] if disease else row["disease"]
                contents.tell(file, f"row {number}: {unknown(word, (*DISEASES, *HANDS), 'disease or hand')}")
                continue
            subject, site = row["patient_id"].strip(), f"{site_of(row)} {disease}"
            graded.setdefault(subject, file)
            experts.setdefault((subject, site), set()).add(row["expert_id"].strip())
            score = row["score"].strip().removesuffix(".0")
            value = "" if score.casefold() in ("nan", "none", "null") else score
            reader = f"expert {row['expert_id'].strip()}"
            add_grade(contents, Grade(subject, BASELINE, site, value, reader, file), seen)
        _few_experts(file, experts, contents)
    return graded


def _few_experts(file: str, experts: Mapping[tuple[str, str], set[str]], contents: Contents) -> None:
    for (subject, site), found in experts.items():
        if len(found) != EXPERTS:
            reason = f"{site} of patient {subject} has rows of {len(found)} experts, not {EXPERTS}"
            contents.tell(file, reason, left_out=False)


def _boxes(folder: Folder, contents: Contents, films: Mapping[str, str]) -> None:
    middles: dict[str, dict[str, list[float]]] = {}
    for file in folder.match("bboxes.csv"):
        header, rows = folder.table(file, contents.tell)
        missing = [name for name in BOX if name not in header]
        if missing:
            contents.tell(file, f"lacks the column {', '.join(missing)}; no box was taken")
            continue
        for number, row in enumerate(rows, start=2):
            try:
                x, y, dx, dy = (float(row[name]) for name in BOX[4:])
            except ValueError:
                contents.tell(
                    file, f"row {number}: xcenter, ycenter, dx and dy are not numbers; it was left out"
                )
                continue
            subject = row["patient_id"].strip()
            if subject not in films:
                contents.tell(file, f"row {number}: patient {subject} has no film; it was left out")
                continue
            marks = contents.marks.setdefault(films[subject], [])
            marks += [
                Mark(f"{site_of(row)} {disease}", (x - dx / 2, y - dy / 2, dx, dy)) for disease in DISEASES
            ]
            hand = row["hand"].strip().casefold()
            middles.setdefault(subject, {}).setdefault(hand, []).append(x)
        _swapped(file, middles, contents)


def _swapped(file: str, middles: Mapping[str, Mapping[str, list[float]]], contents: Contents) -> None:
    """Tell of boxes of one hand that lie on the other hand's side of the film."""
    for subject, hands in middles.items():
        if set(hands) != set(HANDS):
            continue
        centre = {hand: median(found) for hand, found in hands.items()}
        border = sum(centre.values()) / 2
        is_first = centre["left"] < border
        wrong = sum(
            (x < border) != (is_first == (hand == "left")) for hand, found in hands.items() for x in found
        )
        if wrong:
            reason = f"patient {subject}: {wrong} boxes lie on the other hand's side; are sides swapped?"
            contents.tell(file, reason, left_out=False)


OWN = "the owner's baseline model, by the name of its checkpoint"
SET = DataSet(
    "arise-2025",
    Terms(
        "ARISE-2025 (hackathon of MTUCI and AIRI)",
        "not stated where it was read",
        "kaggle.com, hackathon of March 2025; github.com, mtuciru/ARISE-2025",
        "2025",
        "No licence was seen. What you accepted when you joined the competition counts; without one, nothing "
        "of it may be passed on.",
        "ARISE-2025, MTUCI and AIRI",
    ),
    read,
    (Baseline("accuracy.jsn", 0.617, OWN), Baseline("accuracy.erosion", 0.413, OWN)),
)
