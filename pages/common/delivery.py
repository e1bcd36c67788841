"""Work handed to a ``sharpline`` command: the uploads in a folder of their own, and the start."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.common.jobs import board
from pages.common.opening import Page


def start(page: Page, title: str, arguments: Sequence[str | Path], delivery: Path | None = None) -> None:
    """Start the command over this page's cohort and show it at once."""
    board().start(title, page.path, [str(part) for part in arguments], delivery)
    st.rerun()


def kept(uploads: list[Any]) -> Path:
    """The uploads in a folder of their own that only this account can read."""
    place = Path(tempfile.mkdtemp(prefix="sharpline_delivery_"))
    (place / "files").mkdir()
    write_all(uploads, place / "files")
    return place


def write_all(uploads: list[Any], place: Path) -> None:
    for number, upload in enumerate(uploads):
        name = Path(upload.name).name or f"file_{number}"
        target = place / name
        if target.exists():
            target = place / f"{number}_{name}"
        target.write_bytes(upload.getvalue())
