"""Folders for what is uploaded or made on the way: of this account alone, and gone with who made them.

They lie in one place in the system's temporary folder, each under the number of its process. What a process
left that was killed is removed when the next one starts.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from core.errors import StoreError

USED_BY = "used_by"  # beside the content: the number of another process that still works on it


def area() -> Path:
    """The place of all such folders. Raises StoreError where another account has taken its name."""
    place = Path(tempfile.gettempdir()) / f"sharpline_{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid != os.getuid():
        raise StoreError(
            f"the folder {place}", "it belongs to another account", "set TMPDIR to another place"
        )
    place.chmod(0o700)
    return place


def new_folder(what: str) -> Path:
    """A new folder of this process. what: one word that says what is in it."""
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-{what}-", dir=area()))


def mark_used(folder: Path, process: int) -> None:
    """Note that another process works on the content: it stays while that one lives."""
    (folder / USED_BY).write_text(str(process), encoding="ascii")


def remove_left_behind(place: Path | None = None) -> None:
    """Remove what processes left that live no more, in ``area`` or in another place of such folders."""
    for folder in (area() if place is None else place).iterdir():
        if not is_alive(folder.name.split("-")[0]) and not is_alive(_used_by(folder)):
            shutil.rmtree(folder, ignore_errors=True)


def _used_by(folder: Path) -> str:
    try:
        return (folder / USED_BY).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def is_alive(process: str) -> bool:
    """Whether a process of this number runs."""
    try:
        os.kill(int(process), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
