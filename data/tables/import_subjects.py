"""Import tables of subjects and visits: preview what would be stored and refused, then store it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, TypeVar

import pandas as pd

from core.errors import InputError
from data.cohort_key import cohort_key
from data.dicom.pseudonyms import CohortKey
from data.store.cohort import CohortStore, current_actor
from data.store.held_covariates import CONFIRMED, as_setting
from data.store.session import Session
from data.store.treatment_names import GOES_WITH_ARM, LOOKS_LIKE_TREATMENT, NOT_CONFIRMED, why_held
from data.tables import subjects as subjects_in
from data.tables import visits as visits_in
from data.tables.columns import SUBJECTS, VISITS, VISITS_BY_PATTERN, recognise
from data.tables.formats.options import AS_THE_FILE_SAYS, TableOptions
from data.tables.merge import Merge, merge
from data.tables.plan import (
    COVARIATE_KEYS,
    COVARIATE_VALUES,
    PREVIEW,
    Plan,
    Result,
    Source,
    Table,
    has_fields,
    kept_columns,
    kept_name,
    known_in_cohort,
    opened,
    record_preview,
    write_plan,
)
from data.tables.spelling import spell_subjects
from data.tables.values import located, ready_to_import

WHY_HELD_BACK = {
    LOOKS_LIKE_TREATMENT: "held back in a blinded study: {reason}; rename it in the table if it does not",
    GOES_WITH_ARM: "held back in a blinded study: {reason}",
    NOT_CONFIRMED: "held back in a blinded study: {reason}; confirm it with --confirm '{column}'",
}
Told = TypeVar("Told", subjects_in.Subjects, visits_in.Visits)
ARM_NOT_COMPARED = (
    "the study is blinded: arms of patients who have one already were neither compared nor changed; "
    "--correct REASON replaces them"
)


@dataclass(frozen=True)
class SubjectsRequest:
    """What a person says about a table of subjects and one of visits.

    correct: why stored values may be replaced, ``""`` for never. mapping: column -> field or covariate name.
    reading, visit_reading: how the files are to be read.
    confirmed: columns that a person confirms not to show the treatment; a column to which the mapping gives a
    name of its own counts as confirmed too.
    """

    correct: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    visit_mapping: Mapping[str, str] = field(default_factory=dict)
    reading: TableOptions = AS_THE_FILE_SAYS
    visit_reading: TableOptions = AS_THE_FILE_SAYS
    confirmed: tuple[str, ...] = ()


def preview_subjects(
    store: CohortStore,
    subjects: Table,
    visits: Table | None = None,
    request: SubjectsRequest = SubjectsRequest(),
    *,
    actor: str = "",
) -> Result:
    """What ``import_subjects`` would do with these tables, without doing it; that somebody looked is kept."""
    parsed = _parse_subjects(store, subjects, visits, "", request)
    actor = actor or current_actor()
    with store.write(actor, PREVIEW, details={"of": "subjects", "source": parsed.name}) as transaction:
        plan = _plan_subjects(transaction, parsed, request)
        record_preview(transaction, parsed.key, parsed.table, actor)
    return plan.result(len(parsed.table))


def import_subjects(
    store: CohortStore,
    subjects: Table,
    visits: Table | None = None,
    request: SubjectsRequest = SubjectsRequest(),
    *,
    source: str = "",
    actor: str = "",
) -> Result:
    """Stores subjects with their covariates, and their visits.

    subjects, visits: a frame (index = row number) or a file. A value that fills a gap needs no reason; one
    that differs is refused without ``request.correct``. Raises InputError for a table without the columns
    needed.
    """
    parsed = _parse_subjects(store, subjects, visits, source, request)
    details = {"source": parsed.name, "visits": parsed.visits_name}
    with store.write(actor or current_actor(), "subjects", request.correct, details) as transaction:
        plan = _plan_subjects(transaction, parsed, request)
        write_plan(transaction, plan)
    return plan.result(len(parsed.table))


@dataclass(frozen=True)
class _Parsed:
    """Both tables, read before the write begins: while that lasts, others wait."""

    key: CohortKey
    table: pd.DataFrame
    name: str
    found: subjects_in.Subjects
    visits_table: pd.DataFrame | None = None
    visits_name: str = ""
    visits: visits_in.Visits | None = None
    notes: tuple[str, ...] = ()


def _parse_subjects(
    store: CohortStore, subjects: Table, visits: Table | None, source: str, request: SubjectsRequest
) -> _Parsed:
    table, name = opened(
        subjects, source, request.reading, has_fields(SUBJECTS, ("subject",), mapping=request.mapping)
    )
    columns = recognise(table.columns, SUBJECTS, request.mapping)
    ready, notes = ready_to_import(table, columns, request.reading)
    with store.reading() as session:
        cohort = known_in_cohort(session)
    found = spell_subjects(subjects_in.read_subjects(ready, request.mapping), cohort)
    key = cohort_key(store)
    name = kept_name(key, name)
    if visits is None:
        return _Parsed(key, table, name, found, notes=tuple(notes))
    needed = has_fields(VISITS, ("visit",), VISITS_BY_PATTERN, request.visit_mapping)
    visits_table, visits_name = opened(visits, "", request.visit_reading, needed)
    columns = recognise(visits_table.columns, VISITS, request.visit_mapping, VISITS_BY_PATTERN)
    ready_visits, more = ready_to_import(visits_table, columns, request.visit_reading)
    notes += [f"visits: {note}" for note in more]
    known = cohort.subjects | set(found.rows["subject"])
    dated = zip(found.rows["subject"], found.rows["baseline_date"], strict=True)
    baseline = {subject: day for subject, day in dated if day}
    read = visits_in.read_visits(
        ready_visits, sorted(known), baseline, request.visit_mapping, cohort.visits, cohort.stored_visits
    )
    visits_name = kept_name(key, visits_name)
    return _Parsed(key, table, name, found, visits_table, visits_name, read, tuple(notes))


def _plan_subjects(session: Session, parsed: _Parsed, request: SubjectsRequest) -> Plan:
    blinded = session.is_blinded()
    known = set(session.confirmed_covariates()) | _confirmed(parsed, request)
    found, held = _without_held(session, parsed.found, known) if blinded else (parsed.found, {})
    rows = _years_agree(session, found, bool(request.correct))
    moved = rows.assign(baseline_date=pd.Series(_moved(rows, parsed.key), index=rows.index, dtype=object))
    fills: Any = {"correct": bool(request.correct), "fills_gaps": True}
    sealed = ("arm",) if blinded else ()
    people = merge(session, "subject", moved, ("subject",), subjects_in.FIELDS, sealed=sealed, **fills)
    covariates = merge(session, "covariate", found.covariates, COVARIATE_KEYS, COVARIATE_VALUES, **fills)
    refused = found.refused + people.refused + covariates.refused
    plan = Plan(
        merged={"subject": people, "covariate": covariates},
        accepted={
            "subject": len(rows) - len(people.refused),
            "visit": 0,
            "covariate": len(found.covariates) - len(covariates.refused),
        },
        refused=located(refused, parsed.table, found.columns),
        columns=found.columns,
        ignored={**found.ignored, **_said(held)},
        notes=[*parsed.notes, *found.notes, *_about_arms(session, rows, sealed, request)],
        files=[Source(parsed.name, parsed.table, refused, kept_columns(found.columns))],
        meta={"subjects_are_listed": "true"} if len(rows) else {},
        unconfirmed=_unconfirmed(held),
    )
    if parsed.visits is not None and parsed.visits_table is not None:
        visits, held = _without_held(session, parsed.visits, known, rows) if blinded else (parsed.visits, {})
        plan.ignored |= {f"visits: {column}": reason for column, reason in _said(held).items()}
        plan.unconfirmed += _unconfirmed(held)
        _add_visits(session, plan, visits, parsed.visits_table, parsed.visits_name, fills)
    if known - set(session.confirmed_covariates()):
        plan.meta[CONFIRMED] = as_setting(known)
    return plan


def _about_arms(
    session: Session, rows: pd.DataFrame, sealed: tuple[str, ...], request: SubjectsRequest
) -> list[str]:
    """What a person is told where the table's arms were neither compared nor stored."""
    if not sealed or request.correct:
        return []
    given = rows.loc[rows["arm"].notna(), ["subject"]]
    return [ARM_NOT_COMPARED] if session.current("subject", given)["arm"].notna().any() else []


def _confirmed(parsed: _Parsed, request: SubjectsRequest) -> set[str]:
    """Names of covariates that a person confirmed or named. Raises InputError for a column that is none."""
    sources = {**parsed.found.sources, **(parsed.visits.sources if parsed.visits else {})}
    for column in request.confirmed:
        if column not in sources:
            raise InputError(
                f"--confirm {column}",
                f"these columns could become covariates: {', '.join(sources) or 'none'}",
                "name one of them",
            )
    named = {*request.confirmed, *request.mapping, *request.visit_mapping}
    return {name for column, name in sources.items() if column in named and why_held(name, ())}


def _without_held(
    session: Session, found: Told, known: set[str], people: pd.DataFrame | None = None
) -> tuple[Told, dict[str, str]]:
    """What a table says without covariates that may show the arm, and those columns with the reason.

    people: the rows with the arms, where the table itself has none. Arms of the cohort are not looked at
    here: tables could be tried until the answers tell them.
    """
    arms = (found.rows if people is None else people)[["subject", "arm"]]
    by_value = session.goes_with_arm(found.covariates, arms)
    held = {}
    for column, name in found.sources.items():
        reason = why_held(name, known, column) or (GOES_WITH_ARM if name in by_value else "")
        if reason:
            held[column] = reason
    shown = ~found.covariates["name"].isin({found.sources[column] for column in held})
    return replace(found, covariates=found.covariates[shown]), held


def _said(held: Mapping[str, str]) -> dict[str, str]:
    """Why each column is held back, and what to do, for a person."""
    return {
        column: WHY_HELD_BACK[reason].format(reason=reason, column=column) for column, reason in held.items()
    }


def _unconfirmed(held: Mapping[str, str]) -> list[str]:
    return [column for column, reason in held.items() if reason == NOT_CONFIRMED]


def _add_visits(
    session: Session,
    plan: Plan,
    found: visits_in.Visits,
    table: pd.DataFrame,
    name: str,
    fills: Any,
) -> None:
    merged = merge(session, "visit", found.rows, ("subject", "visit"), visits_in.FIELDS, **fills)
    by_visit = merge(session, "covariate", found.covariates, COVARIATE_KEYS, COVARIATE_VALUES, **fills)
    refused = [
        item | {"reason": f"visits: {item['reason']}"}
        for item in located(found.refused + merged.refused + by_visit.refused, table, found.columns)
    ]
    first = plan.merged["covariate"]
    plan.merged["visit"] = merged
    plan.merged["covariate"] = Merge(
        pd.concat([first.insert, by_visit.insert]),
        pd.concat([first.supersede, by_visit.supersede]),
        first.unchanged + by_visit.unchanged,
        [],
    )
    plan.accepted["visit"] = len(found.rows) - len(merged.refused)
    plan.accepted["covariate"] += len(found.covariates) - len(by_visit.refused)
    plan.refused = plan.refused + refused
    plan.columns |= {f"visits: {field}": column for field, column in found.columns.items()}
    plan.ignored |= {f"visits: {column}": reason for column, reason in found.ignored.items()}
    plan.notes += found.notes
    plan.files.append(Source(name, table, refused, kept_columns(found.columns)))
    if len(found.rows):
        plan.meta["visits_are_listed"] = "true"


def _years_agree(session: Session, found: subjects_in.Subjects, correct: bool) -> pd.DataFrame:
    """The subjects, years of birth left out that are one off a known one: one of the two comes from an age.

    A correction overrules this, but for years that are themselves computed from an age.
    """
    known = session.current("subject", found.rows[["subject"]]).set_index("subject")["birth_year"]
    before = found.rows["subject"].map(known).astype("Int64")
    fits = ((before - found.rows["birth_year"]).abs() <= 1).fillna(False)
    if correct:
        fits &= found.is_estimated
    return found.rows.assign(birth_year=found.rows["birth_year"].mask(fits, pd.NA))


def _moved(rows: pd.DataFrame, key: CohortKey) -> list[date | None]:
    """Baseline dates moved to the past as far as the films of the subject are."""
    return [
        day - timedelta(days=key.days_back(subject)) if day else None
        for subject, day in zip(rows["subject"], rows["baseline_date"], strict=True)
    ]
