"""A small file that is made once: complete or not at all, readable by its owner only."""

from __future__ import annotations

import os
from pathlib import Path


def make_once(path: Path, content: bytes) -> None:
    """Write the file unless there is one; one that another process made first stays."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # the other one counts
    finally:
        draft.unlink()
