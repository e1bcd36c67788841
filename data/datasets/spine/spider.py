"""SPIDER: sagittal lumbar MRI with gradings of discs and endplates.

``images/<patient>_{t1,t2,t2_SPACE}.mha``, ``overview.csv`` (``new_file_name, subset``) and
``radiological_gradings.csv`` (``Patient, IVD label, Modic, UP endplate, ..., Pfirrman grade``, so spelt);
discs count from the lowest, 1, upwards. Its gradings are of no score of this program: Modic type and
Pfirrmann grade of each disc become properties of the patient.
"""

from __future__ import annotations

import re

from core.errors import InputError
from data.datasets.checks import listed, spelt, stem_of
from data.datasets.folder import Folder
from data.datasets.frame import BASELINE, Contents, DataSet, FilmFile, Terms
from data.datasets.volumes import slices_of
from data.dicom.read import Refusal

NAME = re.compile(r"(\d+)_(t1|t2_SPACE|t2)", re.IGNORECASE)
SPLITS = {"training": "train", "validation": "val", "test": "test"}
KEPT = {"Modic": ("Modic type", range(4)), "Pfirrman grade": ("Pfirrmann grade", range(1, 6))}
NEEDED = ("Patient", "IVD label", *KEPT)


def read(folder: Folder) -> Contents:
    """Volumes and gradings. Raises InputError where nothing of the set is there."""
    contents = Contents()
    splits = _splits(folder, contents)
    there = set()
    for file in folder.match("images/*.mha"):
        contents.count("volumes")
        stem = stem_of(file)
        match = NAME.fullmatch(stem)
        if match is None:
            contents.tell(file, f"the name {stem} is not PATIENT_SEQUENCE; it was left out")
            continue
        there.add(stem)
        try:
            slices = slices_of(folder.at(file))
        except (Refusal, OSError) as problem:
            contents.tell(file, f"{problem}; it was left out")
            continue
        split, sequence = splits.get(stem, ""), match[2].upper().replace("_", " ")
        film = FilmFile(file, match[1], BASELINE, "LSPINE", split=split, slices=slices, sequence=sequence)
        contents.films.append(film)
        contents.patients.setdefault(match[1], {})
    _gradings(folder, contents)
    if not contents.films and not contents.patients:
        needed = "images/*.mha and radiological_gradings.csv are needed"
        raise InputError(str(folder.path), needed, "give the set's own folder")
    missing = sorted(splits.keys() - there)
    if missing:
        file = folder.match("overview.csv")[0]
        contents.tell(file, f"volumes that are missing: {listed(missing)}", left_out=False)
    return contents


def _splits(folder: Folder, contents: Contents) -> dict[str, str]:
    """Stem of a volume -> split."""
    found: dict[str, str] = {}
    for file in folder.match("overview.csv"):
        header, rows = folder.table(file, contents.tell)
        if not {"new_file_name", "subset"} <= set(header):
            contents.tell(file, "the columns new_file_name and subset are needed; no split was taken")
            continue
        for row in rows:
            subset = row["subset"].strip().casefold()
            if subset not in SPLITS:
                contents.tell(
                    file, f"{row['new_file_name']}: the subset {subset!r} is not known", left_out=False
                )
            found[row["new_file_name"].strip()] = SPLITS.get(subset, "")
    return found


def _gradings(folder: Folder, contents: Contents) -> None:
    for file in folder.match("radiological_gradings.csv"):
        contents.count("tables of gradings")
        header, rows = folder.table(file, contents.tell)
        names = {name: spelt(name, header) for name in NEEDED}
        missing = [name for name, found in names.items() if found is None]
        if missing:
            contents.tell(file, f"lacks the column {', '.join(missing)}; no grading was taken")
            continue
        contents.notes.append("gradings of discs become properties of the patient: no score here has them")
        for number, row in enumerate(rows, start=2):
            values = {name: row.get(str(column), "").strip() for name, column in names.items()}
            _disc(file, number, values, contents)


def _disc(file: str, number: int, values: dict[str, str], contents: Contents) -> None:
    patient, disc = values["Patient"], values["IVD label"].removesuffix(".0")
    if disc == "0" or not disc.isdigit() or not patient:
        contents.tell(file, f"row {number}: no disc has the label {disc or '(empty)'}; it was left out")
        return
    about = contents.patients.setdefault(patient, {})
    for column, (name, allowed) in KEPT.items():
        text = values[column].removesuffix(".0")
        if not text:
            continue
        if not text.isdigit() or int(text) not in allowed:
            reason = f"{column} {text} is outside {allowed[0]}-{allowed[-1]}; it was left out"
            contents.tell(file, f"row {number}: {reason}")
        elif about.setdefault(f"{name}, disc {disc}", int(text)) != int(text):
            contents.tell(
                file, f"row {number}: a second {column} of disc {disc} of {patient}; it was left out"
            )


SET = DataSet(
    "spider",
    Terms(
        "SPIDER, lumbar spine MRI",
        "not read",
        "doi:10.5281/zenodo.10159290",
        "as downloaded",
        "The owner's licence was not read here. Read it before you use, publish or pass on anything.",
        "SPIDER, Zenodo 10159290",
    ),
    read,
)
