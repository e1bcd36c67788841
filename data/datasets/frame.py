"""What every open data set is to the program: its terms, and what its reader finds in a folder.

A set is one module that describes its owner's layout; who reads it never opens an address. What differs from
the layout is told by file (``Odd``), and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from data.datasets.folder import Folder

SPLITS = ("train", "val", "test")
BASELINE = "BL"  # the visit of a set whose films are not linked in time


@dataclass(frozen=True)
class Terms:
    """Whose the set is and what may be done with it, in the words a person accepts.

    licence: ``?`` where it was not read. source: where the owner publishes it; nothing is fetched. cite: what
    the owner asks to be cited.
    """

    title: str
    licence: str
    source: str
    version: str
    text: str
    cite: str = ""

    @property
    def notice(self) -> str:
        """The sentence that every figure and export made from the set carries."""
        cite = f" Cite: {self.cite}." if self.cite else ""
        return f"Made from {self.title} ({self.version}; {self.source}; terms: {self.licence}).{cite}"


@dataclass(frozen=True)
class Odd:
    """A file that is not as the layout says. left_out: it, or what the reason names of it, was not taken."""

    file: str
    reason: str
    left_out: bool = True


@dataclass(frozen=True)
class Spacing:
    """Millimetres a pixel. how: where the number is from. is_stated: the set itself states it of this film;
    else it is a guess, ``sure`` says how good: the proportion by which it may be off.
    """

    mm: float
    how: str
    is_stated: bool = False
    sure: float | None = None

    @property
    def words(self) -> str:
        if self.is_stated:
            return f"{self.mm:.3g} mm a pixel ({self.how})"
        within = "" if self.sure is None else f", within {self.sure:.0%}"
        return f"about {self.mm:.2g} mm a pixel{within} (a guess: {self.how})"


@dataclass(frozen=True)
class FilmFile:
    """One film of a set. file: its path within the folder, ``/`` between. subject, visit: in the set's names.

    split: of the owner, ``""`` where there is none. taken: its date where the set states it. shows: what it
    shows, in words that a header would have (``HAND``, ``PA``, ``L``). slices: of a volume, 0 for a film;
    sequence: how it was taken. modality: a DICOM code; a picture of ultrasound may be in colour. words: a
    description of what it shows.
    """

    file: str
    subject: str
    visit: str = BASELINE
    body_part: str = ""
    view: str = ""
    side: str = ""
    split: str = ""
    taken: date | None = None
    spacing: Spacing | None = None
    slices: int = 0
    sequence: str = ""
    modality: str = "DX"
    words: str = ""


@dataclass(frozen=True)
class Grade:
    """One grade of one reader. site: in the set's own words. grade: None where it was not scored. file: where
    it stands.
    """

    subject: str
    visit: str
    site: str
    grade: Any
    reader: str
    file: str


@dataclass(frozen=True)
class Mark:
    """A place on a film: a box (x, y, width, height in its pixels) around one site, or a point.

    site: in the set's own words. crop: a file that shows the box, where the set gives no numbers.
    """

    site: str
    box: tuple[float, float, float, float] | None = None
    crop: str = ""


@dataclass
class Contents:
    """What a folder holds, as far as it could be understood.

    patients: subject -> what else is known (``sex``, ``centre``, covariates). days: (subject, visit) -> day
    from the first film. order: (subject, visit) -> place in the set's order. marks: file of a film -> places
    on it. found: kinds of files and how many. notes: what is so of the whole set.
    """

    films: list[FilmFile] = field(default_factory=list)
    grades: list[Grade] = field(default_factory=list)
    patients: dict[str, dict[str, Any]] = field(default_factory=dict)
    days: dict[tuple[str, str], int] = field(default_factory=dict)
    order: dict[tuple[str, str], int] = field(default_factory=dict)
    marks: dict[str, list[Mark]] = field(default_factory=dict)
    odd: list[Odd] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def tell(self, file: str, reason: str, *, left_out: bool = True) -> None:
        """Note something odd about a file."""
        self.odd.append(Odd(file, reason, left_out))

    def count(self, kind: str, number: int = 1) -> None:
        """Count files of one kind."""
        self.found[kind] = self.found.get(kind, 0) + number


@dataclass(frozen=True)
class Baseline:
    """A published figure of others on this set. what: the figure's name, as our own is called."""

    what: str
    value: float
    of: str


@dataclass(frozen=True)
class DataSet:
    """A set by its name on the command line. read: what a folder holds; it raises InputError where the folder
    is none of this set. baselines: published figures.
    """

    name: str
    terms: Terms
    read: Callable[[Folder], Contents]
    baselines: tuple[Baseline, ...] = ()
