"""A written phantom study into a cohort, through the same doors as any other study."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.domain import ReaderKind, ReadMode, Role, Viewer
from core.errors import InputError
from data.ingest.batch import IngestResult
from data.ingest.run import Progress, ingest
from data.phantom.generators import generators
from data.phantom.images_out import image_path
from data.phantom.schedule import PlannedFilm
from data.phantom.study import ABOUT, CAMPAIGNS, PHANTOM, Study, StudyPlan
from data.store.cohort import CohortStore
from data.study.held_films import held_films, release
from data.study.settings import NAME
from data.tables.import_reads import ReadsRequest, import_reads
from data.tables.import_subjects import SubjectsRequest, import_subjects
from data.tables.plan import Result

ACTOR = "sharpline demo"
STUDY_KEY = "phantom_study"  # which study the cohort holds, in its settings
TRUTH = "truth"
SAID = "the file says so"  # in the reason why a picture is held whose tags tell of text in it
SCREEN = "phantom ultrasound: the screen names settings and a joint, nobody is named"
COVARIATES = {"HLA-B27": "HLA-B27"}  # kept also in a study so small that all are positive


@dataclass
class Imported:
    """What was imported. reads: rows of all readers; refused: file, row and reason.

    ingested, already_there: of films. stacks: series of slices; slices_ingested, slices_already_there: of
    their slices. scans_ingested, scans_already_there: of ultrasound.
    held: films, slices and scans with text in their pixels that wait for a person, by file and reason.
    released: scans that were held for the texts of their screens, which name nobody.
    """

    subjects: int = 0
    visits: int = 0
    reads: int = 0
    ingested: int = 0
    already_there: int = 0
    stacks: int = 0
    slices_ingested: int = 0
    slices_already_there: int = 0
    scans_ingested: int = 0
    scans_already_there: int = 0
    released: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, str]] = field(default_factory=list)


def mark(store: CohortStore, plan: StudyPlan, *, blinded: bool) -> None:
    """Make the cohort known as this phantom study, arms open unless ``blinded``; done once.

    Raises InputError where the cohort holds something else.
    """
    wanted = json.dumps(plan.about(), sort_keys=True)
    meta = store.meta()
    if meta.get(STUDY_KEY) == wanted:
        return
    subjects = store.query("SELECT count(*) AS n FROM main.subject")["n"].iloc[0]
    images = store.query("SELECT count(*) AS n FROM main.image")["n"].iloc[0]
    if STUDY_KEY in meta or subjects or images:
        holds = "another phantom study" if STUDY_KEY in meta else "a study of its own"
        raise InputError(
            f"the cohort {store.path.name}",
            f"it holds {holds}; the demo needs a new one",
            "give another --cohort, or the options that this one was made with",
        )
    with store.write(ACTOR, "phantom study", PHANTOM) as transaction:
        transaction.set_meta(STUDY_KEY, wanted)
        transaction.set_meta("phantom", "true")
        transaction.set_meta(NAME, f"Phantom study {plan.seed}")
        if not blinded:
            transaction.set_meta("blinded", "false")


def import_tables(store: CohortStore, folder: Path) -> Imported:
    """Subjects and visits; of each system the reads of its readers, and the truth as a consensus reader."""
    imported = Imported()
    request = SubjectsRequest(mapping=COVARIATES)
    subjects = import_subjects(store, folder / "subjects.csv", folder / "visits.csv", request, actor=ACTOR)
    imported.subjects, imported.visits = subjects.accepted["subject"], subjects.accepted["visit"]
    _refused(imported, "subjects.csv", subjects)
    readers = _readers(folder)
    for system, generator in generators().items():
        for reader in readers.get(system, generator.readers):
            for name, campaign in (
                (f"reads{generator.tag}_{reader}.csv", CAMPAIGNS[1]),
                (f"rereads{generator.tag}_{reader}.csv", CAMPAIGNS[2]),
            ):
                if (folder / name).is_file():
                    result = _import(store, folder / name, system, reader, campaign, ReaderKind.HUMAN)
                    imported.reads += result.rows - len(result.refused)
                    _refused(imported, name, result)
        name = f"truth{generator.tag}.csv"
        if (folder / name).is_file():
            truth = _import(store, folder / name, system, TRUTH, TRUTH, ReaderKind.CONSENSUS)
            _refused(imported, name, truth)
    return imported


def _readers(folder: Path) -> dict[str, list[str]]:
    """System -> its readers, of systems that have others than the shipped ones."""
    about = folder / ABOUT
    said = json.loads(about.read_text(encoding="utf-8")) if about.is_file() else {}
    return {system: [one["name"] for one in errors] for system, errors in said.get("readers", ())}


def import_films(
    store: CohortStore,
    study: Study,
    folder: Path,
    imported: Imported,
    *,
    workers: int = 2,
    progress: Progress | None = None,
) -> Imported:
    """All films of the study, those sent by mistake as well."""
    result = _ingest(store, study.films, folder, imported, workers, progress)
    imported.ingested, imported.already_there = result.ingested, result.already_there
    return imported


def import_stacks(
    store: CohortStore,
    study: Study,
    folder: Path,
    imported: Imported,
    *,
    workers: int = 2,
    progress: Progress | None = None,
) -> Imported:
    """All slices of all stacks of the study, those sent by mistake as well."""
    result = _ingest(store, study.stacks, folder, imported, workers, progress)
    folders = [image_path(folder, one) for one in study.stacks]
    imported.stacks = sum(one.is_dir() for place in folders for one in place.iterdir())
    imported.slices_ingested, imported.slices_already_there = result.ingested, result.already_there
    return imported


def import_scans(
    store: CohortStore,
    study: Study,
    folder: Path,
    imported: Imported,
    *,
    workers: int = 2,
    progress: Progress | None = None,
) -> Imported:
    """All ultrasound of the study, sent by mistake as well; what names nobody is released.

    Text on a screen that is not read as settings holds a scan back. A phantom's screen names settings and
    joints; only the worksheet that is sent by mistake names a (made-up) person, says so in its tags, and
    stays held.
    """
    if not study.scans:
        return imported
    result = _ingest(store, study.scans, folder, imported, workers, progress)
    imported.scans_ingested, imported.scans_already_there = result.ingested, result.already_there
    held = held_films(store, Viewer(Role.MANAGER))
    waits = held[held["modality"] == "US"]
    harmless = waits[~waits["held"].str.contains(SAID, regex=False)]
    if len(harmless):
        release(store, harmless["image"].tolist(), reason=SCREEN, actor=ACTOR)
    named = {row["file"] for row in result.held if SAID in row["reason"]}
    ours = {image_path(folder, one).name for one in study.scans}
    imported.held = [row for row in imported.held if row["file"] not in ours or row["file"] in named]
    imported.released = len(harmless)
    return imported


def _ingest(
    store: CohortStore,
    images: list[PlannedFilm],
    folder: Path,
    imported: Imported,
    workers: int,
    progress: Progress | None,
) -> IngestResult:
    if not images:
        return IngestResult()
    paths = [image_path(folder, one) for one in images]
    result = ingest(store, paths, progress, workers=workers, actor=ACTOR)
    imported.refused += [
        {"file": row["file"], "row": None, "reason": row["reason"]} for row in result.refused
    ]
    imported.held += [{"file": row["file"], "reason": row["reason"]} for row in result.held]
    return result


def _import(
    store: CohortStore, path: Path, system: str, reader: str, campaign: str, kind: ReaderKind
) -> Result:
    request = ReadsRequest(system, reader=reader, campaign=campaign, read_mode=ReadMode.PAIRED, kind=kind)
    return import_reads(store, path, request, actor=ACTOR)


def _refused(imported: Imported, name: str, result: Result) -> None:
    imported.refused += [{"file": name, **row} for row in result.refused]
