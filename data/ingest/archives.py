"""Zip archives: what is in them (one archive inside another, not deeper), and one file of them unpacked.

A file of an archive is known by its position, since two may have one name. Nothing is unpacked by its name,
nothing larger than it claims, and no archive to more than its budget.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from data.dicom.read import Refusal
from data.ingest.worker import OUR_DISK

LARGEST_MEMBER = (1 << 30) + (64 << 20)  # bytes of one file in an archive, unpacked
LARGEST_ARCHIVE = 200 << 30  # bytes of all files of one archive, unpacked
LARGEST_INNER = 1 << 30  # bytes of an archive inside an archive
LARGEST_RATIO = 1000  # unpacked / packed of one file over a megabyte: more is an attack, no film
BUDGET, BUDGET_RATIO = (
    1 << 30,
    100,
)  # all files of an archive: this many bytes, and so many times its own size
LARGEST_LIST = 64 << 20  # bytes of an archive's list of files: more takes memory before anything is known
IN_MEMORY = 32 << 20  # bytes of one file that are unpacked into memory, not onto the disk
MAX_MEMBERS = 1_000_000
_OFFICE_FILES = ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF")
_OFFICE = "is a spreadsheet or document (Office file), not a DICOM image"
_TOO_LARGE = "the archive claims to be larger than any delivery; it was not opened"
_OVER_BUDGET = "the archive unpacks to more than 100 times its size; from here on it was not opened"
_DAMAGED = "the archive is damaged or cut short"

Way = tuple[int, ...]  # position in the archive, then in the archive at that position


@dataclass(frozen=True)
class Member:
    """One file of an archive. name: as it stands there; way: where; problem: why it is not opened."""

    name: str
    way: Way
    size: int = 0
    problem: str = ""


def is_zip(path: Path) -> bool:
    """Whether a plain file begins and ends like a zip archive."""
    try:
        with open_plain(path) as stream:
            return stream.read(4) == b"PK\x03\x04" and zipfile.is_zipfile(stream)
    except (OSError, ValueError):
        return False


def members_of(path: Path) -> Iterator[Member]:
    """The files of an archive, sorted by name; one member without a way where it cannot be opened at all."""
    try:
        with open_plain(path) as stream:
            budget = _Budget(BUDGET + BUDGET_RATIO * path.stat().st_size)
            yield from _members(stream, "", (), budget)
    except Exception as error:  # a damaged archive can fail in any way
        if _is_ours(error):
            raise
        yield Member("", (), problem=_why_not_unpacked(error))


def unpacked(path: Path, way: Way) -> BinaryIO:
    """One file of an archive, to be closed by the caller. Raises Refusal, OSError for a fault of our disk."""
    try:
        archive = _archive(str(path), path.stat().st_mtime_ns, way[:-1])
        return _unpack(archive, archive.infolist()[way[-1]], LARGEST_MEMBER)
    except (Refusal, MemoryError):
        raise
    except Exception as error:  # likewise
        if _is_ours(error):
            raise
        raise Refusal(_why_not_unpacked(error)) from error


def open_plain(path: Path) -> BinaryIO:
    """A plain file, opened to be read. Raises OSError for a pipe or a device, which would never end."""
    stream = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 (handed to the caller)
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return stream


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class _Budget:
    """Bytes that all files of one delivered archive may still unpack to."""

    def __init__(self, left: int) -> None:
        self._left = left

    def takes(self, size: int) -> bool:
        if size > self._left:
            self._left = 0
            return False
        self._left -= size
        return True


def _members(stream: BinaryIO, prefix: str, outer: Way, budget: _Budget) -> Iterator[Member]:
    """The files of an archive. An Office file is a zip by its form, and one file by its meaning."""
    if _size_of_list(stream) > LARGEST_LIST:
        yield Member(prefix, outer, problem=_TOO_LARGE)
        return
    with zipfile.ZipFile(stream) as archive:
        infos = [(info.filename, at, info) for at, info in enumerate(archive.infolist()) if not info.is_dir()]
        if any(name in _OFFICE_FILES for name, _, _ in infos):
            yield Member(prefix, outer, problem=_OFFICE)
        elif len(infos) > MAX_MEMBERS or sum(info.file_size for *_, info in infos) > LARGEST_ARCHIVE:
            yield Member(prefix, outer, problem=_TOO_LARGE)
        else:
            for name, at, info in sorted(infos, key=lambda one: one[:2]):
                inside = f"{prefix}/{name}" if prefix else name
                yield from _member(archive, info, inside, (*outer, at), budget)


def _member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, way: Way, budget: _Budget
) -> Iterator[Member]:
    problem = _problem_of(info)
    if not problem and not budget.takes(info.file_size):
        problem = _OVER_BUDGET
    if problem or len(way) > 1 or not info.filename.lower().endswith(".zip"):
        yield Member(name, way, info.file_size, problem)
    elif info.file_size > LARGEST_INNER:
        yield Member(name, way, problem="is a very large archive inside an archive; unpack it first")
    else:
        yield from _inner(archive, info, name, way, budget)


def _inner(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, way: Way, budget: _Budget
) -> Iterator[Member]:
    try:
        with _unpack(archive, info, LARGEST_INNER) as stream:
            yield from list(_members(stream, name, way, budget))
    except Exception as error:  # likewise
        if _is_ours(error):
            raise
        yield Member(name, way, problem=_why_not_unpacked(error))


def _problem_of(info: zipfile.ZipInfo) -> str:
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    if info.filename.startswith(("/", "\\")) or ".." in parts or (parts and parts[0].endswith(":")):
        return "its name leads out of the archive (path traversal); it was not opened"
    if info.flag_bits & 1:
        return "is encrypted; unpack it with its password first"
    if info.file_size > LARGEST_MEMBER:
        return f"claims to unpack to {info.file_size / 2**30:.1f} GB; it was not opened"
    if info.file_size > 1 << 20 and info.file_size > LARGEST_RATIO * max(info.compress_size, 1):
        return "unpacks to more than 1000 times its size (a zip bomb); it was not opened"
    return ""


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, largest: int) -> BinaryIO:
    """The file in memory, or on the disk where it is large: without a name there, so that nothing stays."""
    if info.file_size > largest:
        raise Refusal("unpacks to more than it may; it was not opened")
    with archive.open(info) as packed:  # gives no more than it claims, and checks its sum at the end
        if info.file_size <= IN_MEMORY:
            return io.BytesIO(packed.read())
        out = tempfile.TemporaryFile()  # noqa: SIM115 (handed to the caller)
        try:
            shutil.copyfileobj(packed, out, 1 << 20)
        except BaseException:
            out.close()
            raise
        out.seek(0)
        return out  # type: ignore[return-value]


@lru_cache(maxsize=2)
def _archive(path: str, changed: int, inner: Way) -> zipfile.ZipFile:
    """The opened archive, or the one inside it, kept for the next member."""
    outer = zipfile.ZipFile(path)
    if not inner:
        return outer
    with outer:
        return zipfile.ZipFile(_unpack(outer, outer.infolist()[inner[0]], LARGEST_INNER))


def _size_of_list(stream: BinaryIO) -> int:
    """Bytes of the list of files at the end of an archive, as that end says; 0 where it has none."""
    end = stream.seek(0, 2)
    stream.seek(max(0, end - 65_557))
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        return 0
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    longer = tail.rfind(b"PK\x06\x06", 0, at)  # its form for archives over 4 GB
    return (
        int.from_bytes(tail[longer + 40 : longer + 48], "little")
        if size == 0xFFFFFFFF and longer >= 0
        else size
    )


def _is_ours(error: Exception) -> bool:
    """True where this machine is at fault (its disk is full), not the archive."""
    return isinstance(error, OSError) and error.errno in OUR_DISK and not isinstance(error, PermissionError)


def _why_not_unpacked(error: Exception) -> str:
    if isinstance(error, Refusal):
        return str(error)
    if isinstance(error, NotImplementedError):
        return "is packed in a way that cannot be unpacked here; pack it as an ordinary zip"
    if isinstance(error, RuntimeError) and "password" in str(error):
        return "is encrypted; unpack it with its password first"
    if isinstance(error, FileNotFoundError):
        return "the file is no longer there"
    if isinstance(error, PermissionError):
        return "the file may not be read by this account"
    return _DAMAGED
