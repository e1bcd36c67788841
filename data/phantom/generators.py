"""Which generator draws the films, truth and readings of which scoring system in a phantom study.

Each is a ``GENERATOR`` in a module of its own: those listed here, and those that other packages give under
the entry-point group ``sharpline.phantoms``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from core.errors import InputError
from core.plugins import installed
from data.phantom.reader_spreads import ErrorOf
from data.phantom.schedule import Patients, PlannedFilm
from data.phantom.seeds import StudySeed

if TYPE_CHECKING:
    import numpy as np
    from pydicom.dataset import Dataset

OURS = (
    "data.phantom.spine.generator",
    "data.phantom.hands.generator",
    "data.phantom.mri.generator",
    "data.phantom.ultrasound.generator",
)
GROUP = "sharpline.phantoms"


class Part(Protocol):
    """One system's part of a study as numbers: its films or stacks, the true states and the readings.

    Tables have one row a site (``subject, visit, site, feature, grade, reason``; feature where it is needed).
    """

    @property
    def films(self) -> list[PlannedFilm]:
        """Its films (or stacks) by patient and visit, those sent by mistake as well."""

    def states(self, film: PlannedFilm) -> Mapping[str, Any]:
        """True state of every site at the visit of a film, as ``Generator.render`` takes it."""

    def reads(self, reader: str, read: int) -> pd.DataFrame:
        """Paired reads of one reader over all films; read: 1, or 2 for a second session."""

    def truth(self) -> pd.DataFrame:
        """True grades at every visit that took place, films or not."""


class StackWriter(Protocol):
    """Writes what was rendered as series of slices, a folder each, under ``folder``.

    Returns a row for each series: its folder under ``folder``, ``series_uid``, and more that tells it apart.
    """

    def __call__(
        self,
        rendered: Any,
        folder: Path,
        *,
        subject: str,
        visit: str,
        study_date: str,
        uid_seed: int,
        protocol: str,
    ) -> dict[str, dict[str, Any]]: ...


class FilmWriter(Protocol):
    """Writes what was rendered as one file of its own kind, where it is no radiograph. Returns its UID."""

    def __call__(
        self,
        rendered: Any,
        path: Path,
        /,
        *,
        subject: str,
        visit: str,
        study_date: str,
        uid_seed: int,
        protocol: str,
    ) -> str: ...


@dataclass(frozen=True)
class Generator:
    """How the films, or the stacks of slices, of one scoring system are drawn.

    system: name of the scoring system. shows: what its films show, for help texts.
    views: of its films, first the one that comes first in a DICOM study; no other generator has them.
    wrong_kinds: kinds of film that a scorer has to refuse.
    readers: who reads. tag: what the names of its tables carry, such as ``_toy`` in ``truth_toy.csv``.
    labels, label_columns: name and columns of the table of what is where on the films.
    part: its part of a study of these patients.
    render: study, domain, film, states -> the film as ``dicom_out.write_dicom`` takes it, rows of its labels.
    dicom_tags: writes body part, view, side and description of a rendered film into its data set.
    readers_like: readers of these errors, as ``Part.reads`` takes them; None where its readers err otherwise.
    write_stacks: writes what ``render`` gave as series of slices; None where it is a film, one file.
    write_film: writes what ``render`` gave as one file; None where that is a radiograph.
    folder: where those files go, and the name of the table of them.
    rereads: every which patient is read a second time, and the first of them.
    """

    system: str
    shows: str
    views: tuple[str, ...]
    wrong_kinds: tuple[str, ...]
    readers: tuple[str, ...]
    tag: str
    labels: str
    label_columns: tuple[str, ...]
    part: Callable[[Patients], Part]
    render: Callable[[StudySeed, str, PlannedFilm, Mapping[str, Any]], tuple[Any, list[dict[str, Any]]]]
    dicom_tags: Callable[[Dataset, Any, np.random.Generator], None] | None = None
    readers_like: Callable[[Sequence[ErrorOf]], tuple[Any, ...]] | None = None
    write_stacks: StackWriter | None = None
    write_film: FilmWriter | None = None
    folder: str = "films"
    rereads: tuple[int, int] = (6, 2)

    @property
    def draws_stacks(self) -> bool:
        """Whether it draws series of slices, and not films."""
        return self.write_stacks is not None


@cache
def generators() -> dict[str, Generator]:
    """Every generator by its system, ours first. Looked up once.

    Raises InputError where two draw the same system, views or tables.
    """
    ours = [("Sharpline", import_module(name).GENERATOR) for name in OURS]
    found: dict[str, Generator] = {}
    taken: set[str] = set()
    for package, one in [*ours, *installed(GROUP, Generator)]:
        names = {f"the system {one.system}", f"tables named {one.labels}", f"tables marked {one.tag!r}"}
        names |= {f"the view {view}" for view in one.views}
        if clash := sorted(taken & names):
            raise InputError(
                f"the phantom generator of {package}",
                f"another one has {clash[0]}",
                "rename it, or uninstall one of the two packages",
            )
        taken |= names
        found[one.system] = one
    return found


def systems() -> tuple[str, ...]:
    """The systems that there are phantom films for, ours first."""
    return tuple(generators())


def of_view(view: str) -> Generator:
    """The generator that draws films of this view. Raises KeyError where none does."""
    return {name: one for one in generators().values() for name in one.views}[view]
