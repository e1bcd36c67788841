"""Where delivered files come from: single files, folders, zip archives (one inside another), a DICOMDIR.

Everything is listed first, in an order that is the same everywhere; reading comes later, in any process.
What cannot be read, or must not be, is listed with its problem: nothing is left out without a word.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import InputError
from data.dicom.read import Refusal
from data.ingest.archives import Way, is_zip, members_of, open_plain, unpacked
from data.ingest.dicomdir import is_dicomdir, named_in
from data.ingest.worker import OUR_DISK

_NOT_PLAIN = "is not a plain file"
_LINK_OUT = "is a link to a {} outside this folder"
_NOT_ALLOWED = "the {} may not be read by this account"
_UNREADABLE = "the {} cannot be read ({})"


@dataclass(frozen=True)
class Source:
    """One delivered file.

    name: what a person calls it, relative to what was given, ``/`` between folders and archives.
    path: the file, or the archive that holds it; way: positions inside the archive, at most two.
    size: bytes, 0 where not known yet. problem: why it cannot even be opened, ``""`` where it can.
    """

    name: str
    path: Path
    way: Way = ()
    size: int = 0
    problem: str = ""

    def open(self) -> BinaryIO:
        """The content, to be closed by the caller. Raises Refusal, OSError where our disk is at fault."""
        if self.problem:
            raise Refusal(self.problem)
        if self.way:
            return unpacked(self.path, self.way)
        try:
            return open_plain(self.path)
        except FileNotFoundError as error:
            raise Refusal("the file is no longer there") from error
        except PermissionError as error:
            raise Refusal(_NOT_ALLOWED.format("file")) from error
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in OUR_DISK:
                raise
            raise Refusal(_UNREADABLE.format("file", getattr(error, "strerror", "") or error)) from error


def find_sources(paths: Sequence[Path | str]) -> list[Source]:
    """Every file to examine, in a fixed order, none twice.

    A DICOMDIR stands for the files that it names (those that are missing are listed as such); in a folder it
    is only an index. Raises InputError for a path that does not exist.
    """
    found: list[Source] = []
    seen: set[tuple[str, Way]] = set()
    for given in paths:
        for source in _expand(existing(given)):
            key = (_place(source), source.way)
            if key not in seen:
                seen.add(key)
                found.append(source)
    return found


def _place(source: Source) -> str:
    """Where the file lies. What is missing, or a link that is not followed, stands for itself."""
    if source.problem:
        return os.path.join(os.path.realpath(source.path.parent), source.path.name)
    return os.path.realpath(source.path)


def existing(given: Path | str) -> Path:
    """The path of a file or folder that is there. Raises InputError."""
    path = Path(given).expanduser()
    try:
        path.lstat()
    except PermissionError:
        raise InputError(f"{given}", "this account may not look there", "check its permissions") from None
    except (OSError, ValueError):
        raise InputError(f"{given}", "no such file or folder", "check the path") from None
    return path


def _expand(path: Path) -> Iterator[Source]:
    """What a path stands for. A link that a person names is followed."""
    if path.is_dir():
        yield from _folder(path)
    elif not path.is_file():
        yield Source(path.name, path, problem=_NOT_PLAIN)
    elif is_dicomdir(path):
        yield from _of_dicomdir(path, path.parent)
    else:
        yield from _file(path, path.name)


def _folder(folder: Path) -> Iterator[Source]:
    """All files below, sorted; links that lead out of the folder are not followed."""
    closed: list[OSError] = []
    root = os.path.realpath(folder)
    for here, folders, files in os.walk(folder, onerror=closed.append):
        folders.sort()
        for name in folders:
            path = Path(here) / name
            if path.is_symlink() and not _is_within(path, root):
                yield Source(_relative(path, folder), path, problem=_LINK_OUT.format("folder"))
        for name in sorted(files):
            yield from _in_folder(Path(here) / name, folder, root)
    for error in closed:
        yield _closed_folder(error, folder)


def _in_folder(path: Path, folder: Path, root: str) -> Iterator[Source]:
    if path.is_symlink() and not _is_within(path, root):
        yield Source(_relative(path, folder), path, problem=_LINK_OUT.format("file"))
    elif not path.is_file():
        yield Source(_relative(path, folder), path, problem=_NOT_PLAIN)
    elif is_dicomdir(path):
        # only what it names and the folder does not hold: the rest is found by walking
        yield from (source for source in _of_dicomdir(path, folder) if source.problem)
    else:
        yield from _file(path, _relative(path, folder))


def _closed_folder(error: OSError, folder: Path) -> Source:
    path = Path(error.filename or folder)
    name = _relative(path, folder) if path != folder else folder.name
    if isinstance(error, PermissionError):
        return Source(name, path, problem=_NOT_ALLOWED.format("folder"))
    return Source(name, path, problem=_UNREADABLE.format("folder", error.strerror or error))


def _file(path: Path, name: str) -> Iterator[Source]:
    if not is_zip(path):
        yield Source(name, path)
        return
    for member in members_of(path):
        inside = f"{name}/{member.name}" if member.name else name
        yield Source(inside, path, member.way, member.size, member.problem)


def _of_dicomdir(path: Path, root: Path) -> Iterator[Source]:
    for named in named_in(path, root):
        yield Source(named.name, named.path, problem=named.problem)


def _is_within(path: Path, root: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(root)


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
