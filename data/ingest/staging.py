"""A folder beside the cohort where one import keeps its files until their rows are committed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.scratch import remove_left_behind


@contextmanager
def staging_folder(folder: Path) -> Iterator[Path]:
    """A folder on the same disk for films that are not committed yet; what dead processes left is removed."""
    area = folder / ".staging"
    area.mkdir(parents=True, exist_ok=True)
    remove_left_behind(area)
    here = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=area))
    try:
        yield here
    finally:
        shutil.rmtree(here, ignore_errors=True)
