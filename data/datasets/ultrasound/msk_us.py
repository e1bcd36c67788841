"""MSK ultrasound: pictures of joints, grey scale and power Doppler, with grades of the synovium from 0 to 3.

``labels_with_splits.csv`` (``eco_id, joint_type, tipo_imagen, eg_sinovial, pd_sinovial, bone_erosion,
split``) and ``pos1/<eco_id>.png`` or ``.bmp``. An id with a ``d`` at its end is the Doppler picture of the id
without. Neither the patient nor the side is stated, nor the number of a finger: so a scan is a patient
of its own, and its grades, which no site of a score could hold, become properties of it.
"""

from __future__ import annotations

import re

from core.errors import InputError
from data.datasets.checks import spelt, stem_of, unknown
from data.datasets.folder import Folder
from data.datasets.frame import BASELINE, Contents, DataSet, FilmFile, Terms

TABLE = "labels_with_splits.csv"
JOINTS = {
    "MCF": "HAND",
    "IFP": "HAND",
    "MTF": "FOOT",
    "Radiocubital distal": "WRIST",
    "Radiocarpiana": "WRIST",
    "Intercarpiana": "WRIST",
}
KINDS = {"Modo B": "B mode", "Power Doppler": "power Doppler"}
VALUES = {
    "eg_sinovial": ("grey scale grade", range(4)),
    "pd_sinovial": ("power Doppler grade", range(4)),
    "bone_erosion": ("bone erosion", range(2)),
}
NEEDED = ("eco_id", "joint_type", "tipo_imagen")
_DOPPLER = re.compile(r"\w*\dd", re.IGNORECASE)
NOTES = (
    "the patient is not stated: a scan (an id, with and without its d) is taken as a patient of its own, so "
    "one patient may be on both sides of a split",
    "neither the side nor the number of a finger or toe is stated: grades become properties of the scan, and "
    "are of no site of the score; 'sharpline ingest --map' states joint and side where they are known",
)


def read(folder: Folder) -> Contents:
    """Pictures and their labels. Raises InputError where nothing of the set is there."""
    contents = Contents()
    tables = folder.match(TABLE)
    pictures = {stem_of(file): file for file in folder.pictures("pos1")}
    if not tables or not pictures:
        raise InputError(str(folder.path), f"{TABLE} and pos1/*.png are needed", "give the set's own folder")
    contents.count("pictures", len(pictures))
    header, rows = folder.table(tables[0], contents.tell)
    names = {name: spelt(name, header) for name in (*NEEDED, *VALUES, "split")}
    missing = [name for name in NEEDED if names[name] is None]
    if missing:
        raise InputError(
            f"{TABLE} without the column {', '.join(missing)}", "it is needed", "download it again"
        )
    labelled: set[str] = set()
    for number, row in enumerate(rows, start=2):
        said = {name: row.get(str(column), "").strip() for name, column in names.items()}
        _row(tables[0], number, said, pictures, labelled, contents)
    for stem in sorted(pictures.keys() - labelled):
        contents.tell(pictures[stem], f"has no row in {TABLE}; it was left out")
    contents.notes += NOTES
    return contents


def _row(
    file: str,
    number: int,
    said: dict[str, str],
    pictures: dict[str, str],
    labelled: set[str],
    contents: Contents,
) -> None:
    scan, picture = said["eco_id"], pictures.get(said["eco_id"])
    where = f"row {number} ({scan or 'no id'})"
    if picture is None or scan in labelled:
        why = "is there twice" if scan in labelled else "its picture is missing from pos1"
        contents.tell(file, f"{where}: {why}; it was left out")
        return
    joint, kind = spelt(said["joint_type"], JOINTS), spelt(said["tipo_imagen"], KINDS)
    of_scan = scan[:-1] if _DOPPLER.fullmatch(scan) else scan
    labelled.add(scan)
    if joint is None or kind is None:
        words, known, what = (
            (said["joint_type"], list(JOINTS), "joint_type") if joint is None
            else (said["tipo_imagen"], list(KINDS), "tipo_imagen")
        )  # fmt: skip
        contents.tell(picture, f"{where}: {unknown(words, known, what)}")
        return
    contents.films.append(
        FilmFile(
            picture, of_scan, BASELINE, JOINTS[joint], split=_split(said["split"], where, file, contents),
            modality="US", words=f"{joint} {KINDS[kind]}",
        )
    )  # fmt: skip
    _properties(file, where, of_scan, joint, said, contents)


def _split(text: str, where: str, file: str, contents: Contents) -> str:
    """-1 is held out, folds from 0 on are for training."""
    if not text:
        return ""
    if re.fullmatch(r"-1(\.0)?", text):
        return "test"
    if re.fullmatch(r"\d+(\.0)?", text):
        return "train"
    contents.tell(file, f"{where}: the split {text} is not known", left_out=False)
    return ""


def _properties(
    file: str, where: str, scan: str, joint: str, said: dict[str, str], contents: Contents
) -> None:
    about = contents.patients.setdefault(scan, {"joint": joint})
    for column, (name, allowed) in VALUES.items():
        text = said[column].removesuffix(".0")
        if not text:
            continue
        if not text.isdigit() or int(text) not in allowed:
            contents.tell(
                file, f"{where}: {column} {text} is outside {allowed[0]}-{allowed[-1]}; it was left out"
            )
        elif about.setdefault(name, int(text)) != int(text):
            contents.tell(
                file, f"{where}: a second {column} of {scan}, {text}, contradicts the first; it was left out"
            )


SET = DataSet(
    "msk-us",
    Terms(
        "MSK ultrasound (GuiBerm/msk-ultrasound-cv)",
        "private; not to be passed on",
        "github.com/GuiBerm/msk-ultrasound-cv",
        "as given by its owner",
        "The pictures are private. Use them only as their owner allowed you to, and pass nothing on.",
        "GuiBerm/msk-ultrasound-cv",
    ),
    read,
)
