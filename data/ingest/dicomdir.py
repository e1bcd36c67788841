"""The files that a DICOMDIR names: those that are there, and those that are missing or lie outside of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom

from data.dicom.inflate import refuse_inflation
from data.dicom.read import quiet
from data.ingest.archives import open_plain

LARGEST = 64 << 20  # bytes of an index: a hundred thousand films need less
_OUTSIDE = "DICOMDIR names a file outside its folder; it was not opened"
_LINK = "is a link to a file outside this folder"
_MISSING = "is named in DICOMDIR but is not there; ask the site for it"
_DAMAGED = "this DICOMDIR is damaged or names no files; give the folder"


@dataclass(frozen=True)
class Named:
    """One file that a DICOMDIR names, where it lies or should lie, and the ``problem`` with it."""

    name: str
    path: Path
    problem: str = ""


def is_dicomdir(path: Path) -> bool:
    """A file named DICOMDIR (in any case, also DICOMDIR.dcm) that begins like DICOM, or cannot be read."""
    if path.name.upper().split(".")[0] != "DICOMDIR" or not path.is_file():
        return False
    try:
        with open_plain(path) as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return True


def named_in(path: Path, root: Path) -> Iterator[Named]:
    """What a DICOMDIR names, each once, by names relative to ``root``; itself where it names nothing."""
    inside = path.parent.relative_to(root).as_posix()
    prefix = "" if inside == "." else f"{inside}/"
    try:
        with quiet():
            names = sorted(set(_referenced(path)))
    except PermissionError:
        yield Named(f"{prefix}{path.name}", path, problem="this DICOMDIR may not be read by this account")
        return
    except Exception:  # a damaged index can fail in any way
        names = []
    if not names:
        yield Named(f"{prefix}{path.name}", path, problem=_DAMAGED)
    for parts in names:
        yield _named(path.parent, parts, prefix)


def _referenced(path: Path) -> Iterator[tuple[str, ...]]:
    with open_plain(path) as stream:
        if os.fstat(stream.fileno()).st_size > LARGEST:
            return
        refuse_inflation(stream)
        dataset = pydicom.dcmread(stream)
        for record in dataset.get("DirectoryRecordSequence") or []:
            parts = record.get("ReferencedFileID")
            if parts:
                yield (parts,) if isinstance(parts, str) else tuple(str(part) for part in parts)


def _named(folder: Path, parts: tuple[str, ...], prefix: str) -> Named:
    name = prefix + "/".join(parts)
    if any(part in {"", ".", ".."} or "/" in part or "\\" in part or "\0" in part for part in parts):
        return Named(name, folder / name.replace("/", "|").replace("\0", "|"), problem=_OUTSIDE)
    try:
        path = _as_written(folder, parts)
    except OSError:  # a name that no file can have
        path = None
    if path is None:
        return Named(name, folder.joinpath(*parts), problem=_MISSING)
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        return Named(name, path, problem=_LINK)
    return Named(name, path)


def _as_written(folder: Path, parts: tuple[str, ...]) -> Path | None:
    """The file, also where the disc's names differ in case or carry a version (``IM1;1``)."""
    here = folder
    for part in parts:
        straight = here / part
        if straight.exists():
            here = straight
            continue
        wanted = part.casefold()
        names = (
            {entry.name.casefold().split(";")[0]: entry for entry in here.iterdir()} if here.is_dir() else {}
        )
        if wanted not in names:
            return None
        here = names[wanted]
    return here if here.is_file() else None
