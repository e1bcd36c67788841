"""A folder beside the cohort where one import keeps its files until their rows are committed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staging_folder(folder: Path) -> Iterator[Path]:
    """A folder on the same disk for films that are not committed yet; what dead processes left is removed."""
    area = folder / ".staging"
    area.mkdir(parents=True, exist_ok=True)
    for left in area.iterdir():
        if not _is_alive(left.name.split("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    here = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=area))
    try:
        yield here
    finally:
        shutil.rmtree(here, ignore_errors=True)


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
