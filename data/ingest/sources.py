"""Where delivered files come from: single files, folders, zip archives (one inside another), a DICOMDIR.

Everything is listed first, in an order that is the same everywhere; reading comes later, in any process.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from core.errors import InputError
from data.dicom.read import Refusal, quiet

LARGEST_MEMBER = 2 << 30  # bytes of one file in an archive, unpacked
LARGEST_ARCHIVE = 200 << 30  # bytes of all files of one archive, unpacked
LARGEST_INNER = 1 << 30  # bytes of an archive inside an archive
LARGEST_RATIO = 1000  # unpacked / packed of one file over a megabyte: more is an attack, no film
MAX_MEMBERS = 1_000_000
_OFFICE = ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF")
_BROKEN = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    OverflowError,
)


@dataclass(frozen=True)
class Source:
    """One delivered file.

    name: what a person calls it, relative to what was given, ``/`` between folders and archives.
    path: the file, or the archive that holds it; members: the way inside, at most two steps.
    problem: why it cannot even be opened, ``""`` where it can.
    """

    name: str
    path: Path
    members: tuple[str, ...] = ()
    problem: str = ""

    def open(self) -> BinaryIO:
        """The content, to be closed by the caller. Raises Refusal."""
        if self.problem:
            raise Refusal(self.problem)
        try:
            if not self.members:
                return open(self.path, "rb")
            return io.BytesIO(_member(self.path, self.members))
        except FileNotFoundError as error:
            raise Refusal("the file is no longer there") from error
        except PermissionError as error:
            raise Refusal("the file may not be read by this account") from error
        except _BROKEN as error:
            raise Refusal(_why_not_unpacked(error)) from error


def find_sources(paths: Sequence[Path | str]) -> list[Source]:
    """Every file to examine, in a fixed order, none twice.

    A DICOMDIR stands for the files that it names (those that are missing are listed as such); in a folder it
    is only an index. Raises InputError for a path that does not exist.
    """
    found: list[Source] = []
    seen: set[tuple[Path, tuple[str, ...]]] = set()
    for given in paths:
        path = Path(given).expanduser()
        if not path.exists():
            raise InputError(f"{given}", "no such file or folder", "check the path")
        for source in _expand(path):
            key = (source.path.resolve(), source.members)
            if key not in seen:
                seen.add(key)
                found.append(source)
    return found


def _expand(path: Path) -> Iterator[Source]:
    if path.is_dir():
        yield from _folder(path)
    elif _is_dicomdir(path):
        yield from _dicomdir(path, path.parent)
    else:
        yield from _file(path, path.name)


def _folder(folder: Path) -> Iterator[Source]:
    """All files below, sorted; links that lead out of the folder are not followed."""
    for here, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(here) / name
            relative = path.relative_to(folder).as_posix()
            if _is_dicomdir(path):
                yield from _missing_of_dicomdir(path, folder)
            elif path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
                yield Source(relative, path, problem="is a link to a file outside this folder")
            elif not path.is_file():
                yield Source(relative, path, problem="is not a plain file")
            else:
                yield from _file(path, relative)


def _file(path: Path, name: str) -> Iterator[Source]:
    if not _is_zip(path):
        yield Source(name, path)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _zip(archive, path, name, ())
    except _BROKEN as error:
        yield Source(name, path, problem=_why_not_unpacked(error))


# -- zip ---------------------------------------------------------------------------------------------------


def _zip(archive: zipfile.ZipFile, path: Path, name: str, outer: tuple[str, ...]) -> Iterator[Source]:
    """The files of an archive, sorted. An Office file is a zip by its form, and one file by its meaning."""
    members = sorted(
        (info for info in archive.infolist() if not info.is_dir()), key=lambda info: info.filename
    )
    if any(info.filename in _OFFICE for info in members):
        yield Source(
            name, path, outer, problem="is a spreadsheet or document (Office file), not a DICOM image"
        )
        return
    if len(members) > MAX_MEMBERS or sum(info.file_size for info in members) > LARGEST_ARCHIVE:
        yield Source(
            name, path, outer, problem="the archive claims to be larger than any delivery; it was not opened"
        )
        return
    for info in members:
        yield from _zip_member(archive, info, path, name, outer)


def _zip_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, name: str, outer: tuple[str, ...]
) -> Iterator[Source]:
    member_name, members = f"{name}/{info.filename}", (*outer, info.filename)
    problem = _problem_of_member(info)
    if problem or outer or not info.filename.lower().endswith(".zip"):
        yield Source(member_name, path, members, problem)
        return
    if info.file_size > LARGEST_INNER:
        yield Source(member_name, path, members, "is a very large archive inside an archive; unpack it first")
        return
    try:
        with zipfile.ZipFile(io.BytesIO(archive.read(info))) as inner:
            yield from _zip(inner, path, member_name, members)
    except _BROKEN as error:
        yield Source(member_name, path, members, _why_not_unpacked(error))


def _problem_of_member(info: zipfile.ZipInfo) -> str:
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    if info.filename.startswith(("/", "\\")) or ".." in parts or (parts and parts[0].endswith(":")):
        return "its name leads out of the archive (path traversal); it was not opened"
    if info.flag_bits & 1:
        return "is encrypted; unpack it with its password first"
    if info.file_size > LARGEST_MEMBER:
        return f"claims to unpack to {info.file_size / 2**30:.0f} GB; it was not opened"
    if info.file_size > 1 << 20 and info.file_size > LARGEST_RATIO * max(info.compress_size, 1):
        return "unpacks to more than 1000 times its size (a zip bomb); it was not opened"
    return ""


def _member(path: Path, members: tuple[str, ...]) -> bytes:
    archive = _archive(str(path), path.stat().st_mtime_ns, members[:-1])
    with archive.open(members[-1]) as stream:
        content = stream.read(LARGEST_MEMBER + 1)
    if len(content) > LARGEST_MEMBER:
        raise Refusal("unpacks to more than it claims (a zip bomb)")
    return content


@lru_cache(maxsize=2)
def _archive(path: str, changed: int, inner: tuple[str, ...]) -> zipfile.ZipFile:
    """The opened archive, or the one inside it, kept for the next member."""
    outer = zipfile.ZipFile(path)
    if not inner:
        return outer
    with outer:
        return zipfile.ZipFile(io.BytesIO(outer.read(inner[0])))


def _is_zip(path: Path) -> bool:
    try:
        with open(path, "rb") as stream:
            return stream.read(4) == b"PK\x03\x04" and zipfile.is_zipfile(path)
    except OSError:
        return False


def _why_not_unpacked(error: Exception) -> str:
    if isinstance(error, NotImplementedError):
        return "is packed in a way that cannot be unpacked here; pack it as an ordinary zip"
    if isinstance(error, RuntimeError) and "password" in str(error):
        return "is encrypted; unpack it with its password first"
    return "the archive is damaged or cut short"


# -- DICOMDIR ------------------------------------------------------------------------------------------------


def _is_dicomdir(path: Path) -> bool:
    """A file named DICOMDIR (in any case, also DICOMDIR.dcm) that begins like DICOM."""
    if path.name.upper().split(".")[0] != "DICOMDIR" or not path.is_file():
        return False
    with open(path, "rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _dicomdir(path: Path, root: Path) -> Iterator[Source]:
    """The files that a DICOMDIR names, those that are missing among them as such."""
    try:
        with quiet():
            names = sorted(set(_referenced(path)))
    except Exception:  # a damaged index can fail in any way
        names = []
    if not names:
        yield Source(path.name, path, problem="this DICOMDIR is damaged or names no files; give the folder")
    for parts in names:
        yield _referenced_source(path, parts, root)


def _missing_of_dicomdir(path: Path, root: Path) -> Iterator[Source]:
    """Only what a DICOMDIR names and the folder does not hold: the rest is found by walking."""
    return (source for source in _dicomdir(path, root) if source.problem)


def _referenced(path: Path) -> Iterator[tuple[str, ...]]:
    import pydicom

    dataset = pydicom.dcmread(path)
    for record in dataset.get("DirectoryRecordSequence") or []:
        parts = record.get("ReferencedFileID")
        if parts:
            yield (parts,) if isinstance(parts, str) else tuple(str(part) for part in parts)


def _referenced_source(dicomdir: Path, parts: tuple[str, ...], root: Path) -> Source:
    folder = dicomdir.parent
    shown = "/".join(parts)
    inside = folder.relative_to(root).as_posix()
    name = shown if inside == "." else f"{inside}/{shown}"
    if any(part in {"", ".", ".."} or "/" in part or "\\" in part for part in parts):
        return Source(name, dicomdir, parts, "DICOMDIR names a file outside its folder; it was not opened")
    path = _as_written(folder, parts)
    if path is None:
        return Source(name, dicomdir, parts, "is named in DICOMDIR but is not there; ask the site for it")
    return Source(name, path)


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
