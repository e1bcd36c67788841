"""Films into the cohort: delivered files are read in worker processes, stored under their hash, written down.

A film's files are complete before its row is committed, and rows are committed some dozens at a time. So
killing the process at any moment loses nothing committed; running it again goes on where it stopped and ends
in the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.domain import Viewer
from data.cohort_key import cohort_key
from data.ingest.assign_images import assign_images
from data.ingest.batch import BatchWriter, IngestResult
from data.ingest.image_map import ImageMap, read_image_map
from data.ingest.outcomes import outcomes
from data.ingest.placing import place_by_map
from data.ingest.read_file import Reading
from data.ingest.sources import Source, find_sources
from data.ingest.staging import staging_folder
from data.queries.stacks import stacks_with
from data.store.cohort import CohortStore

Progress = Callable[[int, int, str], None]  # files done, files in all, name of the last one


def ingest(
    store: CohortStore,
    paths: Sequence[Path | str],
    progress: Progress | None = None,
    map_file: Path | str | None = None,
    workers: int = 2,
    *,
    actor: str = "sharpline ingest",
    show_dates: bool = False,
) -> IngestResult:
    """Take DICOM files, folders, zips or a DICOMDIR into the cohort.

    workers: reading processes; 0 reads in this process. map_file: see ``data.ingest.image_map``. show_dates:
    the result names the delivered date of films without patient or visit, which is stored nowhere.
    Raises InputError for a path or map that cannot be used, StoreError for the cohort.
    """
    image_map = read_image_map(map_file) if map_file is not None else None
    return ingest_sources(
        store, find_sources(paths), progress, image_map, workers, actor=actor, show_dates=show_dates
    )


def ingest_sources(
    store: CohortStore,
    sources: Sequence[Source],
    progress: Progress | None = None,
    image_map: ImageMap | None = None,
    workers: int = 2,
    *,
    actor: str = "sharpline ingest",
    show_dates: bool = False,
) -> IngestResult:
    """The same for sources that are listed already, each of which opens as a DICOM file."""
    known = _known_deliveries(store)
    key = cohort_key(store)
    result = IngestResult(found=len(sources))
    with staging_folder(store.folder) as staging:
        reading = Reading(key, staging, store.folder, known, _recorded(store), image_map)
        writer = BatchWriter(store, reading, actor, result)
        for done, (source, outcome) in enumerate(outcomes(sources, reading, workers), start=1):
            writer.take(source, outcome)
            if progress is not None:
                progress(done, len(sources), source.name)
        writer.commit()
    if image_map is not None and image_map.of_stored.rows:
        place_by_map(store, image_map.of_stored, actor=actor)
    assigned = assign_images(store, actor=actor, key=key)
    for film in assigned.unassigned:
        date = {"date": writer.taken.get(film["image"])} if show_dates else {}
        result.unassigned.append(film | {"file": writer.names.get(film["image"])} | date)
    odd = [(film["image"], film["reason"]) for film in assigned.notes] + list(assigned.shared_studies.items())
    here = sorted((writer.names[image], reason) for image, reason in odd if image in writer.names)
    result.flagged += [{"file": file, "warnings": [reason]} for file, reason in here]
    result.series = [stack.row() for stack in stacks_with(store, Viewer(), list(writer.names))]
    result.unassigned.sort(key=lambda film: (film["file"] is None, film["file"] or film["image"]))
    return result


def _known_deliveries(store: CohortStore) -> dict[str, str]:
    frame = store.query("SELECT fingerprint, image FROM main.delivery WHERE superseded_by IS NULL")
    return dict(zip(frame["fingerprint"], frame["image"], strict=True))


def _recorded(store: CohortStore) -> dict[str, dict[str, Any]]:
    """What the cohort says of each image, so that a preview made anew says no other."""
    names = (
        "spacing_row_mm", "spacing_column_mm", "modality", "body_part", "view", "laterality", "preview_hash",
    )  # fmt: skip
    frame = store.query(f"SELECT image, {', '.join(names)} FROM main.image WHERE superseded_by IS NULL")
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return {str(row.pop("image")): {str(name): value for name, value in row.items()} for row in rows}
