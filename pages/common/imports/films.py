"""Films: a preview of a delivery, then its import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.common import guards
from pages.common.imports.scans import scans
from pages.common.imports.uploads import kept, kept_for_now, start
from pages.common.imports.waiting import waiting
from pages.common.page import Page
from pages.common.provenance import download
from pages.common.shown_table import show_table


def films(page: Page) -> None:
    """DICOM files, zips or a folder: a preview first, then the import; then whose they are."""
    st.markdown(
        "DICOM files, zip archives or a DICOMDIR. Names, dates and identifiers of patients are removed on "
        "import; the uploads are deleted when it has ended. Up to 256 MB at a time; a larger delivery by its "
        "folder, here or with `sharpline ingest`."
    )
    uploads = st.file_uploader("Drop files here", accept_multiple_files=True, key="film_uploads")
    folder = ""
    if _is_local():  # a path is for whoever sits at this machine
        folder = st.text_input(
            "Or a file or folder on this machine", key="film_folder", placeholder="/data/delivery"
        )
    mapped = st.file_uploader(
        "Map file (CSV: file, patient or study to subject and visit), if needed", key="film_map"
    )
    buttons = st.container(horizontal=True)
    wanted = bool(uploads or folder)
    if buttons.button("Preview", disabled=not wanted, icon=":material/visibility:"):
        _preview(uploads, folder)
    if buttons.button("Import", disabled=not wanted, type="primary", icon=":material/download:"):
        delivery = kept(uploads) if uploads or mapped else None
        paths: list[str | Path] = [delivery / "files"] if uploads and delivery else []
        paths += [folder] if folder else []
        options: list[str | Path] = ["--show-dates"]
        if mapped and delivery:
            (delivery / "map.csv").write_bytes(mapped.getvalue())
            options += ["--map", delivery / "map.csv"]
        start(page, f"Films ({_named(uploads) or folder})", ["ingest", *paths, *options], delivery)
    waiting(page)
    scans(page)


def _named(uploads: list[Any]) -> str:
    """The uploads in a title: a single one by its name."""
    return uploads[0].name if len(uploads) == 1 else f"{len(uploads)} files" if uploads else ""


def _is_local() -> bool:
    return st.get_option("server.address") in ("localhost", "127.0.0.1", "::1")


def _preview(uploads: list[Any], folder: str) -> None:
    from data.ingest.preview import MOST, REFUSED, look_at

    with kept_for_now(uploads) as place, guards.errors_shown():
        paths: list[str | Path] = [folder] if folder else []
        paths += [place / "files"] if uploads else []
        rows, count = look_at(paths)
    refused = int((rows["would be"] == REFUSED).sum())
    more = f" (the first {MOST} of {count})" if count > len(rows) else ""
    files = f"{len(rows)} file" + ("" if len(rows) == 1 else "s")
    st.markdown(f"**{files}**{more}: {len(rows) - refused} would be imported, {refused} refused.")
    loose = int(((rows["would be"] != REFUSED) & ((rows["subject"] == "") | (rows["visit"] == ""))).sum())
    if loose:
        st.markdown(
            f"{loose} of them without trial tags that name patient and visit: after the import they are "
            "listed here with a picture, to be given to a patient."
        )
    show_table(rows.sort_values("would be", kind="stable"))
    st.caption("Only headers are read here. A damaged picture is found, and refused, during the import.")
    download(rows, "preview")
