"""Work handed to a ``sharpline`` command: the uploads in a folder of their own, and the start."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from data.scratch import new_folder
from pages.common.jobs import board
from pages.common.page import Page


def start(page: Page, title: str, arguments: Sequence[str | Path], delivery: Path | None = None) -> None:
    """Start the command over this page's cohort and show it at once."""
    board().start(title, page.path, [str(part) for part in arguments], delivery, actor=page.person)
    st.rerun()


def new_place() -> Path:
    """A folder that only this account can read."""
    return new_folder("delivery")


def kept(uploads: list[Any]) -> Path:
    """A new place with the uploads in its folder ``files``."""
    place = new_place()
    (place / "files").mkdir()
    write_all(uploads, place / "files")
    return place


@contextmanager
def kept_for_now(uploads: list[Any]) -> Iterator[Path]:
    """Likewise, removed at the end."""
    place = kept(uploads)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def write_all(uploads: list[Any], place: Path) -> None:
    """Write the uploads into a folder, each under a name of its own."""
    for number, upload in enumerate(uploads):
        write_one(upload, place, number)


def write_one(upload: Any, place: Path, number: int) -> Path:
    """Write an upload under its own name, with its number before it where that name is taken."""
    name = Path(upload.name).name or f"file_{number}"
    target = place / name if not (place / name).exists() else place / f"{number}_{name}"
    target.write_bytes(upload.getvalue())
    return target
