"""A preview of delivered files before they are imported: what would be refused, and why.

Reads headers only, so that hundreds of files take seconds; pixels are decoded when a film is imported, and a
damaged picture is refused then.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from data.dicom.classify import classify
from data.dicom.read import Refusal, quiet, read_dicom
from data.ingest.sources import Source, find_sources

MOST = 200
COLUMNS = ("file", "would be", "reason", "modality", "body part", "view", "subject", "visit")
TAKEN, REFUSED = "taken", "refused"


def look_at(paths: Sequence[Path | str], *, most: int = MOST) -> tuple[pd.DataFrame, int]:
    """The first ``most`` files, one row each, and how many there are in all.

    Columns: see ``COLUMNS``; subject and visit are those of the Clinical Trial tags, empty where there are
    none. Names and dates of patients are not read. Raises InputError for a path that does not exist.
    """
    sources = find_sources(paths)
    rows = [_row(source) for source in sources[:most]]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).fillna(""), len(sources)


def _row(source: Source) -> dict[str, str]:
    try:
        with source.open() as stream, quiet():
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
