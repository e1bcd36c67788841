"""A preview of delivered files before they are imported: what would be refused, and why.

Reads headers only, so that hundreds of files take seconds; pixels are decoded when a film is imported, and a
damaged picture is refused then. Files are listed and read in a process of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from core.errors import InputError
from data.dicom.classify import classify
from data.dicom.read import Refusal, quiet, read_dicom
from data.ingest.nifti import volume_as_dicom
from data.ingest.sources import Source, find_sources
from data.ingest.workers import answers

MOST = 200
COLUMNS = ("file", "would be", "reason", "modality", "body part", "view", "subject", "visit")
TAKEN, REFUSED = "taken", "refused"
_READERS = 1


def look_at(paths: Sequence[Path | str], *, most: int = MOST) -> tuple[pd.DataFrame, int]:
    """The first ``most`` files, one row each, and how many there are in all.

    Columns: see ``COLUMNS``; subject and visit are those of the Clinical Trial tags, empty where there are
    none. Names and dates of patients are not read. Raises InputError for a path that does not exist.
    """
    sources, count = _listed(paths, most)
    rows = [
        said.value or {"file": source.name, "would be": REFUSED, "reason": said.reason}
        for source, said in answers(preview_row, None, sources, _READERS)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).fillna(""), count


def _listed(paths: Sequence[Path | str], most: int) -> tuple[list[Source], int]:
    given = tuple(Path(path).expanduser().absolute() for path in paths)
    ((_, said),) = answers(first_sources, most, [given], _READERS)
    if isinstance(said.value, InputError):
        raise said.value
    if said.reason:
        raise InputError(", ".join(map(str, paths)), "the files in there cannot be listed", said.reason)
    sources, count = said.value
    return sources, count


def first_sources(paths: Sequence[Path], most: int) -> tuple[list[Source], int] | InputError:
    """The first files of a delivery and how many there are; the error of a path that does not exist."""
    try:
        found = find_sources(paths)
    except InputError as error:
        return error
    return found[:most], len(found)


def preview_row(source: Source, _: None) -> dict[str, str]:
    """What a file says of itself, or why it would be refused."""
    try:
        with source.open() as delivered, quiet():
            stream = volume_as_dicom(delivered, source.name)[0]
            dataset = read_dicom(stream).dataset
            found = classify(dataset)
            return {
                "file": source.name,
                "would be": TAKEN,
                "modality": found.modality,
                "body part": found.body_part,
                "view": found.view,
                "subject": str(dataset.get("ClinicalTrialSubjectID", "") or ""),
                "visit": str(dataset.get("ClinicalTrialTimePointID", "") or ""),
            }
    except Refusal as refusal:
        return {"file": source.name, "would be": REFUSED, "reason": str(refusal)}
