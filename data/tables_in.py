"""Tables into the cohort: subjects, visits, covariates, reads.

``take_subjects`` and ``take_reads`` are one transaction each: what can be used goes in together, what cannot
is listed with its row and reason and kept in the table ``refused``. What is there already and equal is left
alone, so the same file can be sent twice; what differs is refused unless a reason for the correction is
given, and then the old row stays and is superseded. ``preview_...`` says the same without writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from core import scores
from core.domain import ReaderKind, ReadMode
from core.errors import InputError
from core.tables import read_table
from data import reads_in, subjects_in, visits_in
from data.merging import Merge, Refused, in_order, keep_refused, merge, put
from data.pseudonyms import CohortKey, open_key
from data.reads_in import Known, Reading
from data.store import CohortStore, Session, Transaction, current_actor

Table = pd.DataFrame | str | Path
COVARIATE_KEYS, COVARIATE_VALUES = ("subject", "visit", "name"), ("number", "text", "unit")


@dataclass(frozen=True)
class Result:
    """What was taken, or in a preview: what would be.

    rows: data rows of the file. stored: rows new in the cohort, by table. accepted: usable rows by table,
    new or not. unchanged: rows that the cohort held already. refused: ``row`` (from 1; None for the whole)
    and ``reason`` each. columns: field -> column of the file. ignored: column -> why it was not used.
    notes: what a person should know.
    """

    rows: int
    stored: dict[str, int]
    accepted: dict[str, int]
    unchanged: int
    refused: Refused
    columns: dict[str, str]
    ignored: dict[str, str]
    notes: list[str] = field(default_factory=list)


@dataclass
class _Plan:
    """Merged rows of several tables, ready to be written."""

    merged: dict[str, Merge]
    accepted: dict[str, int]
    refused: Refused
    columns: dict[str, str]
    ignored: dict[str, str]
    notes: list[str]
    files: list[tuple[str, pd.DataFrame, Refused]]  # name, table, its refused rows
    meta: dict[str, str] = field(default_factory=dict)

    def result(self, rows: int) -> Result:
        return Result(
            rows,
            {name: len(item.insert) for name, item in self.merged.items()},
            self.accepted,
            sum(item.unchanged for item in self.merged.values()),
            in_order(self.refused),
            self.columns,
            self.ignored,
            self.notes,
        )


# -- reads -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReadsRequest:
    """Who gave the scores of a table, and how.

    reader, campaign, read, visit: where the table has no such column. read_mode: ``""`` takes the
    campaign's own, for a new one ``paired``. correct: why stored grades may be replaced, ``""`` for never.
    """

    system: str
    reader: str = ""
    campaign: str = ""
    read: int | None = None
    visit: str = ""
    read_mode: str = ""
    kind: str = ReaderKind.HUMAN
    correct: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)


def preview_reads(store: CohortStore, table: Table, request: ReadsRequest, source: str = "") -> Result:
    """What ``take_reads`` would do with this table, without doing it."""
    frame, name = _opened(table, source)
    found = _parse_reads(store, frame, request)
    with store.reading() as session:
        return _plan_reads(session, found, frame, name, request).result(len(frame))


def take_reads(
    store: CohortStore, table: Table, request: ReadsRequest, *, source: str = "", actor: str = ""
) -> Result:
    """Stores the scores of a table (long or wide); reader and campaign are made where they are new.

    table: a frame (index = row number) or a CSV, XLSX or Parquet file; source: its name, for the trail.
    Raises InputError for a table without the columns needed, or a reader or campaign of another kind.
    """
    frame, name = _opened(table, source)
    found = _parse_reads(store, frame, request)  # before the write: while it lasts, others wait
    details = {"source": name, "system": request.system, "reader": request.reader}
    with store.write(actor or current_actor(), "reads", request.correct, details) as transaction:
        plan = _plan_reads(transaction, found, frame, name, request)
        _write(transaction, plan)
    return plan.result(len(frame))


def _parse_reads(store: CohortStore, table: pd.DataFrame, request: ReadsRequest) -> reads_in.Reads:
    with store.reading() as session:
        known = _known(session)
    reading = Reading(request.reader, request.campaign, request.read, request.visit)
    return reads_in.read_reads(table, scores.get(request.system), reading, known, request.mapping)


def _plan_reads(
    session: Session, found: reads_in.Reads, table: pd.DataFrame, name: str, request: ReadsRequest
) -> _Plan:
    system = scores.get(request.system)
    merged = merge(
        session,
        "site_score",
        found.rows,
        reads_in.KEYS,
        ("grade", "reason"),
        correct=bool(request.correct),
        fills_gaps=False,
    )
    notes: list[str] = []
    refused = found.refused + merged.refused
    return _Plan(
        merged={
            "reader": _new_readers(session, found.rows, request.kind),
            "campaign": _new_campaigns(session, found.rows, system.name, request.read_mode, notes),
            "subject": _new_subjects(session, found.rows),
            "site_score": merged,
        },
        accepted={"site_score": len(found.rows) - len(merged.refused)},
        refused=refused,
        columns=found.columns,
        ignored=found.ignored,
        notes=notes,
        files=[(name, table, refused)],
    )


def _known(session: Session) -> Known:
    meta = session.query("SELECT key, value FROM main.meta WHERE key LIKE '%_are_listed'")
    listed = dict(zip(meta["key"], meta["value"], strict=True))
    subjects = session.query("SELECT DISTINCT subject FROM main.subject WHERE superseded_by IS NULL")
    visits = session.query(
        "SELECT visit FROM (SELECT visit, min(visit_order) AS place FROM main.visit "
        "WHERE superseded_by IS NULL GROUP BY visit "
        "UNION SELECT DISTINCT visit, NULL FROM main.site_score WHERE superseded_by IS NULL) "
        "WHERE visit IS NOT NULL GROUP BY visit ORDER BY min(place) NULLS LAST, visit"
    )
    return Known(
        frozenset(subjects["subject"]),
        tuple(visits["visit"]),
        listed.get("subjects_are_listed") == "true",
        listed.get("visits_are_listed") == "true",
    )


def _new_readers(session: Session, rows: pd.DataFrame, kind: str) -> Merge:
    """Readers that the cohort lacks. Raises InputError where a known one is of another kind."""
    kind = ReaderKind(kind).value
    wanted = pd.DataFrame({"reader": rows["reader"].drop_duplicates()}).assign(kind=kind)
    known = session.current("reader", wanted[["reader"]])
    for reader, before in zip(known["reader"], known["kind"], strict=True):
        if before != kind:
            raise InputError(
                f"scores of reader {reader} as {kind}",
                f"{reader} is a {before} reader in this cohort",
                f"give --kind {before}, or another name",
            )
    return _only_new(wanted, ~wanted["reader"].isin(known["reader"]))


def _new_campaigns(
    session: Session, rows: pd.DataFrame, system: str, read_mode: str, notes: list[str]
) -> Merge:
    """Campaigns that the cohort lacks. Raises InputError where a known one has another read mode."""
    wanted = pd.DataFrame({"campaign": rows["campaign"].drop_duplicates()}).assign(system=system)
    known = session.current("campaign", wanted[["campaign", "system"]])
    for campaign, before in zip(known["campaign"], known["read_mode"], strict=True):
        if read_mode and before != ReadMode(read_mode).value:
            raise InputError(
                f"campaign {campaign} with read mode {read_mode}",
                f"its films were read in mode {before}",
                "give that mode, or another campaign",
            )
    is_new = ~wanted["campaign"].isin(known["campaign"])
    if is_new.any() and not read_mode:
        notes.append(
            f"no read mode given: campaign {wanted.loc[is_new, 'campaign'].iloc[0]} is taken as paired"
        )
    return _only_new(wanted.assign(read_mode=ReadMode(read_mode or ReadMode.PAIRED).value), is_new)


def _new_subjects(session: Session, rows: pd.DataFrame) -> Merge:
    wanted = pd.DataFrame({"subject": rows["subject"].drop_duplicates()})
    known = session.current("subject", wanted)
    return _only_new(wanted, ~wanted["subject"].isin(known["subject"]))


def _only_new(rows: pd.DataFrame, is_new: pd.Series) -> Merge:
    return Merge(rows[is_new], rows.iloc[:0], 0, [])


# -- subjects and visits -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SubjectsRequest:
    """What a person says about a table of subjects and one of visits.

    correct: why stored values may be replaced, ``""`` for never. mapping: column -> field or covariate name.
    """

    correct: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    visit_mapping: Mapping[str, str] = field(default_factory=dict)


def preview_subjects(
    store: CohortStore,
    subjects: Table,
    visits: Table | None = None,
    request: SubjectsRequest = SubjectsRequest(),
) -> Result:
    """What ``take_subjects`` would do with these tables, without doing it."""
    parsed = _parse_subjects(store, subjects, visits, "", request)
    with store.reading() as session:
        return _plan_subjects(session, parsed, request).result(len(parsed.table))


def take_subjects(
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
        _write(transaction, plan)
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


def _parse_subjects(
    store: CohortStore, subjects: Table, visits: Table | None, source: str, request: SubjectsRequest
) -> _Parsed:
    table, name = _opened(subjects, source)
    found = subjects_in.read_subjects(table, request.mapping)
    key = _key(store)
    if visits is None:
        return _Parsed(key, table, name, found)
    visits_table, visits_name = _opened(visits, "")
    with store.reading() as session:
        known = _known(session).subjects | set(found.rows["subject"])
    dated = zip(found.rows["subject"], found.rows["baseline_date"], strict=True)
    baseline = {subject: day for subject, day in dated if day}
    read = visits_in.read_visits(visits_table, sorted(known), baseline, request.visit_mapping)
    return _Parsed(key, table, name, found, visits_table, visits_name, read)


def _key(store: CohortStore) -> CohortKey:
    """The cohort's key; a new one may be made only while no film is stored under an older one."""
    with store.reading() as session:
        has_films = session.value("SELECT 1 FROM main.image LIMIT 1") is not None
    return open_key(store.path, may_create=not has_films)


def _plan_subjects(session: Session, parsed: _Parsed, request: SubjectsRequest) -> _Plan:
    found = parsed.found
    rows = _years_agree(session, found, bool(request.correct))
    moved = rows.assign(baseline_date=pd.Series(_moved(rows, parsed.key), index=rows.index, dtype=object))
    fills = {"correct": bool(request.correct), "fills_gaps": True}
    people = merge(session, "subject", moved, ("subject",), subjects_in.FIELDS, **fills)
    covariates = merge(session, "covariate", found.covariates, COVARIATE_KEYS, COVARIATE_VALUES, **fills)
    refused = found.refused + people.refused + covariates.refused
    plan = _Plan(
        merged={"subject": people, "covariate": covariates},
        accepted={
            "subject": len(rows) - len(people.refused),
            "visit": 0,
            "covariate": len(found.covariates) - len(covariates.refused),
        },
        refused=refused,
        columns=found.columns,
        ignored=found.ignored,
        notes=[],
        files=[(parsed.name, parsed.table, refused)],
        meta={"subjects_are_listed": "true"} if len(rows) else {},
    )
    if parsed.visits is not None and parsed.visits_table is not None:
        _add_visits(session, plan, parsed.visits, parsed.visits_table, parsed.visits_name, fills)
    return plan


def _add_visits(
    session: Session,
    plan: _Plan,
    found: visits_in.Visits,
    table: pd.DataFrame,
    name: str,
    fills: Mapping[str, bool],
) -> None:
    merged = merge(session, "visit", found.rows, ("subject", "visit"), visits_in.FIELDS, **fills)
    by_visit = merge(session, "covariate", found.covariates, COVARIATE_KEYS, COVARIATE_VALUES, **fills)
    refused = [
        item | {"reason": f"visits: {item['reason']}"}
        for item in found.refused + merged.refused + by_visit.refused
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
    plan.files.append((name, table, refused))
    if len(found.rows):
        plan.meta["visits_are_listed"] = "true"


def _years_agree(session: Session, found: subjects_in.Subjects, correct: bool) -> pd.DataFrame:
    """The subjects, years of birth left out that are one off a known one: one of the two comes from an age.

    A correction overrules this, but for years that are themselves worked out from an age.
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


# -- both --------------------------------------------------------------------------------------------------


def _opened(table: Table, source: str) -> tuple[pd.DataFrame, str]:
    """The table and its name."""
    if isinstance(table, pd.DataFrame):
        return table, source or "table"
    return read_table(table), source or Path(table).name


def _write(transaction: Transaction, plan: _Plan) -> None:
    for name, merged in plan.merged.items():
        put(transaction, name, merged)
    for key, value in plan.meta.items():
        transaction.set_meta(key, value)
    for source, table, refused in plan.files:
        keep_refused(transaction, source, table, in_order(refused))
    transaction.details["stored"] = {name: len(item.insert) for name, item in plan.merged.items()}
