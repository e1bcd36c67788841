"""RAM-W600: wrists, six erosion grades each; side and patient stand in the name, order in time does not.

``JointLocationDetection/images/<stem>.bmp`` with ``Joints.coco.json``, ``BoneSegmentation/images`` with masks
by split, ``<..>BEScoreClassification/<split>/<stem>/<Joint>.bmp`` with ``JointBE_<..>_GT.json``: a list of
``{"identifier": stem, "joints": {"Trapzium": 0}}`` (so spelt). A stem ``0172_0003_L`` is patient, study and
side.
"""

from __future__ import annotations

import re
from typing import Any

from core.errors import InputError
from data.datasets.checks import add_grade, films_and_grades, listed, spelt, stem_of, unknown
from data.datasets.folder import Folder
from data.datasets.frame import (
    SPLITS,
    Baseline,
    Contents,
    DataSet,
    FilmFile,
    Grade,
    Mark,
    Spacing,
    Terms,
)

STEM = re.compile(r"(\d+)_(\d+)_([LR])", re.IGNORECASE)
JOINTS = ("Metacarpal1st", "Trapzium", "Scaphoid", "Lunate", "DistalRadius", "DistalUlna")
ALSO = {"Trapezium": "Trapzium", "1st MC": "Metacarpal1st"}
READER = "RAM-W600"
GUESS = Spacing(0.15, "a secondary source on the hospitals' films of the set")
PATIENT_COLUMNS = {"PatientSex": "sex", "IsRA": "RA", "InstitutionName": "centre"}


def read(folder: Folder) -> Contents:
    """Films, grades, boxes and patients. Raises InputError where nothing of the set is there."""
    contents = Contents()
    splits = _splits(folder, contents)
    films = _films(folder, contents, splits)
    graded = _grades(folder, contents)
    if not films and not graded:
        needed = "JointLocationDetection/images/*.bmp and JointBE_*_GT.json are needed"
        raise InputError(str(folder.path), needed, "give the set's own folder")
    films_and_grades(contents, graded, films)
    _boxes(folder, contents, films)
    _metadata(folder, contents)
    contents.notes.append(
        "whether the numbers of the studies run in time order is not stated: no day is known"
    )
    return contents


def _splits(folder: Folder, contents: Contents) -> dict[str, str]:
    """Stem -> split, that of the scores before that of the masks."""
    splits: dict[str, str] = {}
    for split in SPLITS:
        crops = folder.match(f"*BEScoreClassification/{split}/*/*.bmp")
        contents.count("crops", len(crops))
        for file in crops:
            _note_split(splits, file.split("/")[-2], split, file, contents)
    of_masks: dict[str, str] = {}
    for split in SPLITS:
        masks = folder.match(f"masks/{split}/*.npy")
        contents.count("masks", len(masks))
        for file in masks:
            _note_split(of_masks, stem_of(file), split, file, contents)
    return {**of_masks, **splits}


def _note_split(splits: dict[str, str], stem: str, split: str, file: str, contents: Contents) -> None:
    if splits.setdefault(stem, split) != split:
        contents.tell(file, f"{stem} is in {splits[stem]} as well as in {split}", left_out=False)


def _films(folder: Folder, contents: Contents, splits: dict[str, str]) -> dict[str, str]:
    """Stem -> file. The films of the joints come before the same ones beside the masks."""
    films: dict[str, str] = {}
    for where in ("JointLocationDetection/images", "BoneSegmentation/images", "BoneSegmentation/images/*"):
        here: set[str] = set()
        for file in folder.pictures(where):
            contents.count(f"films in {where.split('/')[0]}")
            stem = stem_of(file)
            match = STEM.fullmatch(stem)
            if match is None:
                contents.tell(file, f"the name {stem} is not PATIENT_STUDY_SIDE; it was left out")
            elif stem in here:
                contents.tell(file, f"the film is there twice (first {films[stem]}); it was left out")
            elif stem not in films:
                films[stem] = file
                subject, visit, side = match[1], f"S{match[2]}", match[3].upper()
                contents.order[subject, visit] = int(match[2])
                split = splits.get(stem, "")
                film = FilmFile(file, subject, visit, "WRIST", "PA", side, split, None, GUESS)
                contents.films.append(film)
                contents.patients.setdefault(subject, {})
            here.add(stem)
    return films


def _grades(folder: Folder, contents: Contents) -> dict[str, str]:
    """Stem -> file of its grades."""
    graded: dict[str, str] = {}
    seen: dict[tuple[str, ...], Grade] = {}
    contents.count("files of grades left aside (_Ori)", len(folder.match("JointBE_*_Ori.json")))
    for file in folder.match("JointBE_*_GT.json"):
        contents.count("files of grades")
        content = folder.json(file, contents.tell)
        if content is not None and not isinstance(content, list):
            contents.tell(file, "a list of films with their joints is needed; it was left out")
        for row in content if isinstance(content, list) else ():
            joints = row.get("joints") if isinstance(row, dict) else None
            stem = str(row.get("identifier", "")) if isinstance(row, dict) else ""
            match = STEM.fullmatch(stem)
            if match is None or not isinstance(joints, dict):
                contents.tell(file, f"{stem or 'a row'} is not identifier and joints; it was left out")
                continue
            graded.setdefault(stem, file)
            _of_film(file, match, joints, contents, seen)
    return graded


def _of_film(
    file: str,
    stem: re.Match[str],
    joints: dict[str, Any],
    contents: Contents,
    seen: dict[tuple[str, ...], Grade],
) -> None:
    subject, visit, side = stem[1], f"S{stem[2]}", stem[3].upper()
    contents.patients.setdefault(subject, {})
    contents.order[subject, visit] = int(stem[2])
    there = set()
    for word, grade in joints.items():
        joint = _joint(word)
        if joint is None:
            contents.tell(file, f"{stem[0]}: {unknown(word, JOINTS, 'joint')}")
            continue
        if joint != word:
            contents.tell(file, f"{stem[0]}: {word} was taken for {joint}", left_out=False)
        there.add(joint)
        add_grade(contents, Grade(subject, visit, f"{side} {joint}", grade, READER, file), seen)
    missing = [joint for joint in JOINTS if joint not in there]
    if missing:
        contents.tell(file, f"{stem[0]}: no grade of {listed(missing)}", left_out=False)


def _joint(word: str) -> str | None:
    return spelt(word, JOINTS) or ALSO.get(spelt(word, ALSO) or "")


def _boxes(folder: Folder, contents: Contents, films: dict[str, str]) -> None:
    for file in folder.match("Joints*.coco.json"):
        contents.count("files of boxes")
        content = folder.json(file, contents.tell)
        try:
            names = {one["id"]: str(one["name"]) for one in content["categories"]}
            images = {one["id"]: stem_of(str(one["file_name"])) for one in content["images"]}
            rows = [
                (images[b["image_id"]], names[b["category_id"]], b["bbox"]) for b in content["annotations"]
            ]
        except (TypeError, KeyError):
            if content is not None:
                contents.tell(file, "images, annotations and categories of COCO are needed; no box was taken")
            continue
        for stem, name, box in rows:
            joint, match = _joint(name), STEM.fullmatch(stem)
            if stem not in films or match is None:
                contents.tell(file, f"{stem} has a box and no film; the box was left out")
            elif joint is not None and len(box) == 4:
                x, y, width, height = (float(value) for value in box)
                mark = Mark(f"{match[3].upper()} {joint}", (x, y, width, height))
                contents.marks.setdefault(films[stem], []).append(mark)


def _metadata(folder: Folder, contents: Contents) -> None:
    for file in folder.match("Metadata.xlsx"):
        contents.count("tables")
        for row in folder.workbook(file, contents.tell):
            subject = str(row.get("NormalizedPatientID") or "").strip()
            subject = subject if subject in contents.patients else subject.zfill(4)
            if subject not in contents.patients:
                contents.tell(file, f"patient {subject} has no film and no grades", left_out=False)
                continue
            about = contents.patients[subject]
            for column, name in PATIENT_COLUMNS.items():
                value = row.get(column)
                if value is not None and str(value).strip() and about.setdefault(name, value) != value:
                    contents.tell(
                        file, f"{column} of patient {subject} is {about[name]} and {value}", left_out=False
                    )


SET = DataSet(
    "ram-w600",
    Terms(
        "RAM-W600",
        "CC BY 4.0",
        "huggingface.co, TokyoTechMagicYang/RAM-W600 (doi:10.57967/hf/5328)",
        "as downloaded",
        "Creative Commons Attribution 4.0: use, change and share it if you name its authors, say what you "
        "changed and link the licence. Read the owner's card: it counts, not this sentence.",
        "Yang S, et al. RAM-W600, NeurIPS 2025, arXiv:2507.05193",
    ),
    read,
    (
        Baseline("present.balanced_accuracy", 0.5264, "best of the owner's table, MobileViT (second hand)"),
        Baseline("present.f1", 0.1240, "best F1 of the owner's table (second hand)"),
    ),
)
