"""A set that was examined, into a cohort: through the same doors as any other study."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from core.domain import ReaderKind, ReadMode
from core.errors import InputError
from data.datasets.checks import counted
from data.datasets.examine import is_empty, number_of
from data.datasets.frame import Contents, DataSet, Odd
from data.datasets.registry import system_of
from data.datasets.sources import sources_of
from data.ingest.batch import IngestResult
from data.ingest.run import ingest_sources
from data.store.cohort import CohortStore
from data.store.transaction import Transaction
from data.study.settings import LONGEST_NAME, NAME
from data.study.source import SOURCE
from data.tables.import_reads import ReadsRequest, import_reads
from data.tables.import_subjects import SubjectsRequest, import_subjects
from data.tables.plan import Result

NOT_SCORED = "not scored"
SAID_ONCE = 0.5  # share of the films from which a warning is one about the set
NO_SPACING = "the file does not say how many millimetres"  # told of the whole set, with a guess
Progress = Callable[[int, int, str], None]


@dataclass
class Made:
    """What went into the cohort. reads: grades that are stored. already_there: films of an earlier run."""

    films: int = 0
    already_there: int = 0
    subjects: int = 0
    visits: int = 0
    reads: int = 0
    readers: list[str] = field(default_factory=list)
    odd: list[Odd] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def refused_films(self) -> frozenset[str]:
        """Files that are no film of the cohort of their own."""
        return frozenset(odd.file for odd in self.odd if odd.left_out)


def claim(store: CohortStore, one: DataSet, *, actor: str) -> None:
    """Make the cohort known as one of this set, whose terms somebody accepted; done once.

    Who accepted, which words, source and version stay in the audit trail. Raises InputError where the cohort
    holds something else: terms and sources of two sets are not mixed.
    """
    terms = one.terms
    about = {
        "name": one.name,
        "title": terms.title,
        "version": terms.version,
        "source": terms.source,
        "licence": terms.licence,
        "cite": terms.cite,
        "notice": terms.notice,
    }
    wanted = json.dumps(about, sort_keys=True, ensure_ascii=False)
    meta = store.meta()
    stored = json.loads(meta[SOURCE]) if SOURCE in meta else None
    if meta.get(SOURCE) == wanted:
        return
    held = store.query("SELECT (SELECT count(*) FROM main.subject) + (SELECT count(*) FROM main.image) AS n")
    if (stored is not None and stored["name"] != one.name) or (stored is None and held["n"].iloc[0]):
        holds = f"the data set {stored['name']}" if stored else "a study of its own"
        raise InputError(
            f"the cohort {store.path.name}",
            f"it holds {holds}; a set needs a cohort of its own, as its terms go with every figure",
            "give another --cohort",
        )
    details = {"accepted_terms": terms.text, **about}
    with store.write(actor, "data set", f"terms of {terms.title} accepted", details) as transaction:
        _settings(transaction, wanted, terms.title, has_name=bool(meta.get(NAME)))


def _settings(transaction: Transaction, wanted: str, title: str, *, has_name: bool) -> None:
    transaction.set_meta(SOURCE, wanted)
    transaction.set_meta("blinded", "false")  # no set has treatment arms: there is nothing to hide
    if not has_name:
        transaction.set_meta(NAME, title[:LONGEST_NAME])


def make_cohort(
    store: CohortStore,
    one: DataSet,
    folder: Path,
    contents: Contents,
    *,
    actor: str,
    workers: int = 2,
    progress: Progress | None = None,
) -> Made:
    """Subjects, visits, reads of each reader and films. Running it again goes on where it stopped."""
    claim(store, one, actor=actor)
    made = Made()
    _import_subjects(store, contents, made, actor)
    _import_reads(store, one, contents, made, actor)
    sources = list(sources_of(folder, contents.films, one.name))
    result = ingest_sources(store, sources, progress, workers=workers, actor=actor)
    _films(made, result)
    return made


def _import_subjects(store: CohortStore, contents: Contents, made: Made, actor: str) -> None:
    visits = sorted(
        {(film.subject, film.visit) for film in contents.films}
        | {(grade.subject, grade.visit) for grade in contents.grades}
    )
    subjects = sorted({*contents.patients, *(subject for subject, _ in visits)})
    if not subjects:
        return
    rows = [{"subject": subject, **contents.patients.get(subject, {})} for subject in subjects]
    people = pd.DataFrame(rows).astype(object)
    people.index = pd.RangeIndex(1, len(people) + 1)
    places = [
        {
            "subject": subject,
            "visit": visit,
            "visit_order": contents.order.get((subject, visit), 1),
            **({"day": contents.days[subject, visit]} if (subject, visit) in contents.days else {}),
        }
        for subject, visit in visits
    ]
    when = pd.DataFrame(places)
    when.index = pd.RangeIndex(1, len(when) + 1)
    visits_table = when if places else None
    known = {"subject", "sex", "centre"}
    named = {name: name for name in people.columns if name not in known}
    request = SubjectsRequest(mapping=named, confirmed=tuple(named))
    result = import_subjects(store, people, visits_table, request, actor=actor)
    made.subjects, made.visits = result.accepted["subject"], result.accepted["visit"]
    for refused in result.refused:
        made.odd.append(Odd(f"patient in row {refused['row']}", refused["reason"]))


def _import_reads(store: CohortStore, one: DataSet, contents: Contents, made: Made, actor: str) -> None:
    system = system_of(one.name)
    if system is None or not contents.grades:
        return
    sites = system.sites_of_set(one.name)
    table = pd.DataFrame(
        {
            "subject": [grade.subject for grade in contents.grades],
            "visit": [grade.visit for grade in contents.grades],
            "site": [sites[grade.site] for grade in contents.grades],
            "reader": [grade.reader for grade in contents.grades],
            "grade": [number_of(grade.grade) for grade in contents.grades],
            "reason": [NOT_SCORED if is_empty(grade.grade) else None for grade in contents.grades],
        }
    ).astype({"grade": "Int64"})
    table.index = pd.RangeIndex(1, len(table) + 1)
    request = ReadsRequest(system.name, kind=ReaderKind.HUMAN, read_mode=ReadMode.SINGLE)
    result: Result = import_reads(store, table, request, source=one.name, actor=actor)
    made.reads = len(table) - len(result.refused)
    made.readers = sorted(set(table["reader"]))
    for refused in result.refused:
        grade = contents.grades[refused["row"] - 1]
        reason = f"{grade.site} of {grade.subject} ({grade.visit}): {refused['reason']}"
        made.odd.append(Odd(grade.file, reason))


def _films(made: Made, result: IngestResult) -> None:
    made.films, made.already_there = result.ingested, result.already_there - len(result.duplicates)
    made.odd += [Odd(row["file"], row["reason"]) for row in result.refused]
    made.odd += [
        Odd(row["file"], f"{row['how']} as {row['same_as']}; it was taken once") for row in result.duplicates
    ]
    held = {row["file"]: row["reason"] for row in result.held}
    made.odd += [
        Odd(file, f"held back until released ({reason}); see: sharpline release", left_out=False)
        for file, reason in held.items()
    ]
    flagged = [(row["file"], text) for row in result.flagged for text in row["warnings"]]
    warnings = [(file, text) for file, text in flagged if not text.startswith(NO_SPACING)]
    made.notes += _common(warnings, result.ingested)
    common = set(_counted(warnings, result.ingested))
    made.odd += [
        Odd(file, text, left_out=False)
        for file, text in warnings
        if text not in common and held.get(file) != text
    ]
    made.odd += [
        Odd(film["file"] or f"image {film['image'][:12]}", film["reason"], left_out=False)
        for film in result.unassigned
    ]


def _counted(warnings: Sequence[tuple[str, str]], films: int) -> dict[str, int]:
    """Warnings that most films have."""
    counts = Counter(text for _, text in warnings)
    return {text: count for text, count in counts.items() if count > SAID_ONCE * films}


def _common(warnings: Sequence[tuple[str, str]], films: int) -> list[str]:
    return [f"{counted(count, 'film')}: {text}" for text, count in _counted(warnings, films).items()]


def as_json(contents: Contents, made: Made, one: DataSet) -> dict[str, Any]:
    """What a person or a script is told of it."""
    system = system_of(one.name)
    terms = one.terms
    return {
        "set": one.name,
        "title": terms.title,
        "terms": {"licence": terms.licence, "source": terms.source, "version": terms.version},
        "system": system.name if system else None,
        "found": contents.found,
        "films": made.films,
        "already_there": made.already_there,
        "subjects": made.subjects,
        "visits": made.visits,
        "reads": made.reads,
        "readers": made.readers,
        "odd": [
            {"file": odd.file, "reason": odd.reason, "left_out": odd.left_out}
            for odd in [*contents.odd, *made.odd]
        ],
        "notes": [*contents.notes, *made.notes],
    }
