"""Import a table of reader scores: preview what would be stored and refused, then store it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from core import scores
from core.domain import ReaderKind, ReadMode
from core.errors import InputError
from data.store.cohort import CohortStore, current_actor
from data.store.session import Session
from data.tables import reads
from data.tables.formats.options import AS_THE_FILE_SAYS, TableOptions
from data.tables.merge import Merge, merge
from data.tables.plan import (
    PREVIEW,
    Plan,
    Result,
    Source,
    Table,
    kept_columns,
    kept_name,
    key_if_any,
    known_in_cohort,
    opened,
    record_preview,
    write_plan,
)
from data.tables.reads import Reading
from data.tables.values import located


@dataclass(frozen=True)
class ReadsRequest:
    """Who gave the scores of a table, and how.

    reader, campaign, read, visit: where the table has no such column. read_mode: ``""`` takes the
    campaign's own, for a new one ``paired``. correct: why stored grades may be replaced, ``""`` for never.
    reading: how the file is to be read. skips_blanks: cells that nobody filled in are left out (not read)
    instead of stored as not scorable.
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
    reading: TableOptions = AS_THE_FILE_SAYS
    skips_blanks: bool = False


def preview_reads(
    store: CohortStore, table: Table, request: ReadsRequest, source: str = "", *, actor: str = ""
) -> Result:
    """What ``import_reads`` would do with this table, without doing it; that somebody looked is kept."""
    frame, name = opened(table, source, request.reading, reads.fitting(request.system, request.mapping))
    found = _parse_reads(store, frame, request)
    key = key_if_any(store)
    details = {"of": "reads", "source": kept_name(key, name), "system": request.system}
    actor = actor or current_actor()
    with store.write(actor, PREVIEW, details=details) as transaction:
        plan = _plan_reads(transaction, found, frame, details["source"], request)
        record_preview(transaction, key, frame, actor)
    return plan.result(len(frame))


def import_reads(
    store: CohortStore, table: Table, request: ReadsRequest, *, source: str = "", actor: str = ""
) -> Result:
    """Stores the scores of a table (long or wide); reader and campaign are made where they are new.

    table: a frame (index = row number) or a CSV, XLSX or Parquet file; source: its name, for the trail.
    Raises InputError for a table without the columns needed, or a reader or campaign of another kind.
    """
    frame, name = opened(table, source, request.reading, reads.fitting(request.system, request.mapping))
    found = _parse_reads(store, frame, request)  # before the write: while it lasts, others wait
    kept = kept_name(key_if_any(store), name)
    details = {"source": kept, "system": request.system, "reader": request.reader}
    with store.write(actor or current_actor(), "reads", request.correct, details) as transaction:
        plan = _plan_reads(transaction, found, frame, kept, request)
        write_plan(transaction, plan)
    return plan.result(len(frame))


def _parse_reads(store: CohortStore, table: pd.DataFrame, request: ReadsRequest) -> reads.Reads:
    with store.reading() as session:
        known = known_in_cohort(session)
    reading = Reading(request.reader, request.campaign, request.read, request.visit)
    found = reads.read_reads(
        table, scores.get(request.system), reading, known, request.mapping, request.reading
    )
    return found.without_blanks if request.skips_blanks else found


def _plan_reads(
    session: Session, found: reads.Reads, table: pd.DataFrame, name: str, request: ReadsRequest
) -> Plan:
    system = scores.get(request.system)
    merged = merge(
        session,
        "site_score",
        found.rows,
        reads.KEYS,
        ("grade", "reason"),
        correct=bool(request.correct),
        fills_gaps=False,
    )
    notes = list(found.notes)
    refused = found.refused + merged.refused
    return Plan(
        merged={
            "reader": _new_readers(session, found.rows, request.kind),
            "campaign": _new_campaigns(session, found.rows, system.name, request.read_mode, notes),
            "subject": _new_subjects(session, found.rows),
            "site_score": merged,
        },
        accepted={"site_score": len(found.rows) - len(merged.refused)},
        refused=located(refused, table, found.columns),
        columns=found.columns,
        ignored=found.ignored,
        notes=notes,
        files=[Source(name, table, refused, kept_columns(found.columns, system.codes))],
        blank=int(found.is_blank.sum()),
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
            f"no read mode given: campaign {wanted.loc[is_new, 'campaign'].iloc[0]} is assumed to be paired"
        )
    return _only_new(wanted.assign(read_mode=ReadMode(read_mode or ReadMode.PAIRED).value), is_new)


def _new_subjects(session: Session, rows: pd.DataFrame) -> Merge:
    wanted = pd.DataFrame({"subject": rows["subject"].drop_duplicates()})
    known = session.current("subject", wanted)
    return _only_new(wanted, ~wanted["subject"].isin(known["subject"]))


def _only_new(rows: pd.DataFrame, is_new: pd.Series) -> Merge:
    return Merge(rows[is_new], rows.iloc[:0], 0, [])
