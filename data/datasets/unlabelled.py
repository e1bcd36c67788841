"""NHANES hands and spines: public-use films without grades.

The owner's names of files were not seen, so every film below the folder is taken: its name is the
participant. A folder whose name says cervical, lumbar, hand, wrist or knee says what the films show.
"""

from __future__ import annotations

import re

from core.errors import InputError
from data.datasets.checks import stem_of
from data.datasets.folder import PICTURES, Folder
from data.datasets.frame import BASELINE, Contents, DataSet, FilmFile, Spacing, Terms

DICOM = (".dcm", ".dicom", ".ima")
PARTS = (
    (r"cerv|c[-_ ]?spine|neck", "CSPINE", "LATERAL"),
    (r"lumb|l[-_ ]?spine", "LSPINE", "LATERAL"),
    (r"knee", "KNEE", "AP"),
    (r"hand|wrist|h[ae]x", "HAND", "PA"),
)
SIZES = {(1463, 1755): ("CSPINE", "LATERAL"), (2048, 2487): ("LSPINE", "LATERAL")}
SCANNED = Spacing(0.175, "NHANES II films were digitised at 175 micrometres", is_stated=True)


def read(folder: Folder) -> Contents:
    """All films. Raises InputError where there is none."""
    contents = Contents()
    first: dict[str, str] = {}
    for file in folder.files:
        ending = "." + file.rpartition(".")[2].casefold() if "." in file.rpartition("/")[2] else ""
        if ending not in (*PICTURES, *DICOM):
            contents.count("other files")
            continue
        contents.count("films")
        subject = stem_of(file)
        if subject in first:
            contents.tell(file, f"a film of this name is there already ({first[subject]}); it was left out")
            continue
        first[subject] = file
        part, view = _shows(folder, file, ending)
        if not part and ending in PICTURES:
            contents.tell(file, "neither folder nor size says what it shows", left_out=False)
        is_scan = ending in PICTURES and part in ("CSPINE", "LSPINE")
        side = "B" if part == "HAND" else ""
        spacing = SCANNED if is_scan and _size(folder, file) in SIZES else None
        contents.films.append(FilmFile(file, subject, BASELINE, part, view, side, spacing=spacing))
        contents.patients[subject] = {}
    if not contents.films:
        raise InputError(
            str(folder.path), "DICOM files or pictures of films are needed", "unpack the downloads"
        )
    contents.notes.append("unlabelled: no grade is published")
    return contents


def _shows(folder: Folder, file: str, ending: str) -> tuple[str, str]:
    for pattern, part, view in PARTS:
        if re.search(pattern, file.casefold()):
            return part, view
    return SIZES.get(_size(folder, file), ("", "")) if ending in PICTURES else ("", "")


def _size(folder: Folder, file: str) -> tuple[int, int]:
    from data.datasets.spine.corners import size_of

    return size_of(folder.at(file)) or (0, 0)


SET = DataSet(
    "nhanes",
    Terms(
        "NHANES II and III X-ray films (CDC, NLM)",
        "US public-use data",
        "wwwn.cdc.gov/nchs/data/nhanes3/48a; NLM for NHANES II",
        "as downloaded",
        "Public-use data of the US National Center for Health Statistics: for statistical analysis and "
        "reporting only; no attempt to learn who a participant is. Read the owner's data use restrictions.",
        "National Center for Health Statistics, NHANES",
    ),
    read,
)
