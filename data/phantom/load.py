"""A written phantom study into a cohort, through the same doors as any other study."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.domain import ReaderKind, ReadMode
from core.errors import InputError
from data.ingest.run import ingest
from data.phantom.generators import generators
from data.phantom.study import CAMPAIGNS, PHANTOM, Study, StudyPlan, film_path
from data.store.cohort import CohortStore
from data.study.settings import NAME
from data.tables.import_reads import ReadsRequest, import_reads
from data.tables.import_subjects import SubjectsRequest, import_subjects
from data.tables.plan import Result

ACTOR = "sharpline demo"
STUDY_KEY = "phantom_study"  # which study the cohort holds, in its settings
TRUTH = "truth"
COVARIATES = {"HLA-B27": "HLA-B27"}  # kept also in a study so small that all are positive


@dataclass
class Imported:
    """What was imported. reads: rows of both readers; refused: file, row and reason."""

    subjects: int = 0
    visits: int = 0
    reads: int = 0
    ingested: int = 0
    already_there: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)


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
    """Subjects and visits; of each system the reads of both readers, and the truth as a consensus reader."""
    imported = Imported()
    request = SubjectsRequest(mapping=COVARIATES)
    subjects = import_subjects(store, folder / "subjects.csv", folder / "visits.csv", request, actor=ACTOR)
    imported.subjects, imported.visits = subjects.accepted["subject"], subjects.accepted["visit"]
    _refused(imported, "subjects.csv", subjects)
    for system, generator in generators().items():
        for reader in generator.readers:
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


def import_films(
    store: CohortStore,
    study: Study,
    folder: Path,
    imported: Imported,
    *,
    workers: int = 2,
    progress: Callable[[int, int, str], None] | None = None,
) -> Imported:
    """All films of the study, those sent by mistake as well."""
    paths = [film_path(folder, film) for film in study.films]
    result = ingest(store, paths, progress, workers=workers, actor=ACTOR)
    imported.ingested, imported.already_there = result.ingested, result.already_there
    imported.refused += [
        {"file": row["file"], "row": None, "reason": row["reason"]} for row in result.refused
    ]
    return imported


def _import(
    store: CohortStore, path: Path, system: str, reader: str, campaign: str, kind: ReaderKind
) -> Result:
    request = ReadsRequest(system, reader=reader, campaign=campaign, read_mode=ReadMode.PAIRED, kind=kind)
    return import_reads(store, path, request, actor=ACTOR)


def _refused(imported: Imported, name: str, result: Result) -> None:
    imported.refused += [{"file": name, **row} for row in result.refused]
