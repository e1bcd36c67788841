"""A delivery imported in this process, and what the cohort then holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from data.ingest.batch import IngestResult
from data.ingest.run import ingest
from data.store.cohort import CohortStore


def take(store: CohortStore, *paths: Path, **options: Any) -> IngestResult:
    """Import, every file read in this process."""
    return ingest(store, paths, workers=0, **options)


def image_rows(store: CohortStore) -> pd.DataFrame:
    """Current rows of the films."""
    return store.query("SELECT * FROM image WHERE superseded_by IS NULL ORDER BY image")


def image_ids(store: CohortStore) -> list[str]:
    """Their ids."""
    return image_rows(store)["image"].tolist()


def files_of(store: CohortStore) -> dict[str, bytes]:
    """Contents of the files beside the cohort, by name within their folder."""
    folder = store.folder
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
