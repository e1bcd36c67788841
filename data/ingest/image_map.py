"""A map file: which subject and visit delivered images belong to, in the words of the study team.

A CSV with the columns ``subject`` and, where known, ``visit``, and at least one that finds the image:
``file`` (name or pattern such as ``site03/*/lumbar*``), ``patient`` (patient number in the files), ``study``
(study UID), ``image`` (id of a film that is in the cohort). Of slices it may also state the ``sequence`` and
the ``region`` of the spine, of ultrasound the ``joint``, ``side``, ``mode`` and ``view``, which counts more
than what the files say.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from core.errors import InputError
from core.imaging.sequences import REGIONS, SEQUENCES
from core.imaging.ultrasound.terms import STATED as OF_ULTRASOUND
from core.names import plain, tidy

FINDERS = ("file", "patient", "study", "image")
PATTERN = "*?["
_NAMES = {
    "file": ("file", "filename", "file_name", "pattern", "path"),
    "patient": ("patient", "patient_id", "patientid", "patient_number"),
    "study": ("study", "study_uid", "studyinstanceuid"),
    "image": ("image", "image_id", "film"),
    "subject": ("subject", "subject_id", "usubjid", "subjid"),
    "visit": ("visit", "visit_id", "timepoint", "time_point"),
    "sequence": ("sequence",),
    "region": ("region",),
    "joint": ("joint",),
    "side": ("side", "laterality"),
    "mode": ("mode",),
    "view": ("view",),
}
OF_SLICES = {"sequence": SEQUENCES, "region": REGIONS}
STATED = {**OF_SLICES, **OF_ULTRASOUND}
COLUMNS = {"side": "laterality"}  # of the table ``image``, where they have another name


@dataclass(frozen=True)
class MapRow:
    """What a row says. image: a film of the cohort, which no delivered file can be. number: row of the file,
    from 1. sequence, region: as ``core.imaging.sequences`` names them. joint, side, mode, view: as
    ``core.imaging.ultrasound.terms`` does."""

    file: str
    patient: str
    study: str
    subject: str
    visit: str
    image: str = ""
    number: int = 0
    sequence: str = ""
    region: str = ""
    joint: str = ""
    side: str = ""
    mode: str = ""
    view: str = ""

    @property
    def stated(self) -> dict[str, str]:
        """What it says of an image, by the names of the columns here."""
        return {name: value for name in STATED if (value := str(getattr(self, name)))}

    def matches(self, *, file: str, patient: str, study: str, exactly: bool = True) -> bool:
        """True where every finder of the row that is filled in agrees.

        exactly: False lets case, blanks and invisible characters of the patient number aside.
        """
        if self.image:
            return False
        same = self.patient == patient.strip() if exactly else plain(self.patient) == plain(patient)
        if self.patient and not same:
            return False
        if self.study and self.study != study:
            return False
        return not self.file or _file_matches(self.file, file)


@dataclass(frozen=True)
class ImageMap:
    """The rows of a map file, the most specific ones first."""

    rows: tuple[MapRow, ...]

    @property
    def of_stored(self) -> ImageMap:
        """The rows that name films of the cohort."""
        return ImageMap(tuple(row for row in self.rows if row.image))

    def find(self, *, file: str, patient: str, study: str) -> tuple[str | None, str | None]:
        """Subject and visit of an image; (None, None) where no row fits.

        The first fitting row counts; rows with more finders, and names before patterns, stand first. A
        patient number in another case counts where no row has it as it is and all such rows say the same.
        """
        row = self.row_of(file=file, patient=patient, study=study)
        return (None, None) if row is None else (row.subject or None, row.visit or None)

    def row_of(self, *, file: str, patient: str, study: str) -> MapRow | None:
        """The row that counts for an image (``find``); None where no row fits."""
        for row in self.rows:
            if row.matches(file=file, patient=patient, study=study):
                return row
        near = [
            row for row in self.rows if row.matches(file=file, patient=patient, study=study, exactly=False)
        ]
        return near[0] if len({(row.patient, row.subject) for row in near}) == 1 else None


def stated_of(said: Mapping[str, str], modality: str) -> dict[str, str]:
    """What a row states of an image of this modality, by columns of the table ``image``; none of films."""
    names = OF_SLICES if modality in ("MR", "CT") else OF_ULTRASOUND if modality == "US" else {}
    return {COLUMNS.get(name, name): value for name, value in said.items() if name in names}


def read_image_map(path: Path | str) -> ImageMap:
    """Read a map file (CSV, comma or semicolon).

    Raises InputError where it is missing, has no subject column or no column that finds an image.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"--map {path}", "no such file", "check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--map {path}", "a CSV file in UTF-8 is needed", "save it as such") from error
    lines = text.splitlines()
    separator = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    table = list(csv.reader(lines, delimiter=separator))
    columns = _columns(table[0] if table else [], path)
    rows = [
        _row(cells, columns, number)
        for number, cells in enumerate(table[1:], start=1)
        if any(cell.strip() for cell in cells)
    ]
    _check_contradictions(rows, path)
    useful = [row for row in rows if (row.subject or row.visit or row.stated) and any(_finders(row))]
    if not useful:
        raise InputError(
            f"--map {path}", "no row of it names both an image and a subject", "fill in at least one row"
        )
    return ImageMap(tuple(sorted(useful, key=_how_general)))


def _columns(header: list[str], path: Path) -> dict[str, int]:
    given = [name.strip().casefold().replace(" ", "_") for name in header]
    columns = {
        meaning: next(given.index(name) for name in names if name in given)
        for meaning, names in _NAMES.items()
        if any(name in given for name in names)
    }
    if "subject" not in columns or not any(finder in columns for finder in FINDERS):
        raise InputError(
            f"--map {path} with the columns {', '.join(header) or '(none)'}",
            "subject, and one of file, patient, study or image are needed (visit where known)",
            "name the columns so",
        )
    return columns


def _check_contradictions(rows: list[MapRow], path: Path) -> None:
    """Raises InputError where two rows find the same images and say different things of them."""
    first: dict[tuple[str, ...], int] = {}
    for place, row in enumerate(rows):
        finders = (composed(row.file), row.patient, row.study, row.image)
        before = rows[int(first.setdefault(finders, place))]
        names = ("subject", "visit", *STATED)
        says = [(getattr(row, name), getattr(before, name)) for name in names]
        if any(finders) and any(one and two and one != two for one, two in says):
            raise InputError(
                f"--map {path}: rows {before.number} and {row.number} name the same images and contradict "
                "each other",
                "one of them can be right",
                "delete the other",
            )


def _row(cells: list[str], columns: dict[str, int], number: int) -> MapRow:
    def cell(meaning: str) -> str:
        at = columns.get(meaning)
        return tidy(cells[at]) if at is not None and at < len(cells) else ""

    found = {name: cell(name) for name in (*FINDERS, "subject", "visit")}
    return MapRow(**found, number=number, **{name: _stated(name, cell(name), number) for name in STATED})


def _stated(name: str, given: str, number: int) -> str:
    """The name as the program spells it. Raises InputError for one that it does not know."""
    known = {one.casefold(): one for one in STATED[name]}
    if given and given.casefold() not in known:
        raise InputError(
            f"--map, row {number}: {name} {given}",
            f"one of {', '.join(STATED[name])} is needed",
            "choose one",
        )
    return known.get(given.casefold(), "")


def _finders(row: MapRow) -> tuple[str, ...]:
    return row.file, row.patient, row.study, row.image


def _how_general(row: MapRow) -> tuple[int, bool, int]:
    return -sum(map(bool, _finders(row))), any(sign in row.file for sign in PATTERN), -len(row.file)


def _file_matches(pattern: str, name: str) -> bool:
    """A name or pattern fits the whole relative name, its end, or the bare file name; case does not count."""
    pattern, name = composed(pattern), unicodedata.normalize("NFC", name).casefold()
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"*/{pattern}")


def composed(name: str) -> str:
    """A file name as names are compared: one form of accents, small letters, / between folders."""
    return unicodedata.normalize("NFC", name).replace("\\", "/").casefold()
