"""Tables into the cohort: subjects, visits, covariates, reads.

``import_subjects`` and ``import_reads`` are one transaction each: what can be used goes in together, what
cannot is listed with its row and reason and kept in the table ``refused``. What is there already and equal is
left alone, so the same file can be sent twice; what differs is refused unless a reason for the correction is
given, and then the old row stays and is superseded. ``preview_...`` gives the same result without writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from data.store.session import Session
from data.store.transaction import Transaction
from data.tables.columns import recognise
from data.tables.files import read_table
from data.tables.formats.options import AS_THE_FILE_SAYS, Fits, TableOptions
from data.tables.merge import Merge, Refused, in_order, keep_refused, put
from data.tables.spelling import Known

Table = pd.DataFrame | str | Path
COVARIATE_KEYS, COVARIATE_VALUES = ("subject", "visit", "name"), ("number", "text", "unit")


@dataclass(frozen=True)
class Result:
    """What was imported, or in a preview: what would be.

    rows: data rows of the file. stored: rows new in the cohort, by table. accepted: usable rows by table,
    new or not. unchanged: rows that the cohort held already. refused: ``row`` (from 1; None for the whole)
    and ``reason`` each. columns: field -> column of the file. ignored: column -> why it was not used.
    notes: what a person should know. Where known, a refused row has its ``column`` and ``cell`` too.
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
class Plan:
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


def known_in_cohort(session: Session) -> Known:
    meta = session.query("SELECT key, value FROM main.meta WHERE key LIKE '%_are_listed'")
    listed = dict(zip(meta["key"], meta["value"], strict=True))
    subjects = session.query("SELECT DISTINCT subject FROM main.subject WHERE superseded_by IS NULL")
    visits = session.query(
        "SELECT visit FROM (SELECT visit, min(visit_order) AS place FROM main.visit "
        "WHERE superseded_by IS NULL GROUP BY visit "
        "UNION SELECT DISTINCT visit, NULL FROM main.site_score WHERE superseded_by IS NULL) "
        "WHERE visit IS NOT NULL GROUP BY visit ORDER BY min(place) NULLS LAST, visit"
    )
    readers = session.query("SELECT DISTINCT reader FROM main.reader WHERE superseded_by IS NULL")
    stored = session.query("SELECT subject, visit, day FROM main.visit WHERE superseded_by IS NULL")
    return Known(
        frozenset(subjects["subject"]),
        tuple(visits["visit"]),
        listed.get("subjects_are_listed") == "true",
        listed.get("visits_are_listed") == "true",
        tuple(readers["reader"]),
        stored,
    )


def has_fields(
    fields: Mapping[str, tuple[str, ...]],
    needed: Iterable[str],
    patterns: Mapping[str, tuple[str, ...]] | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Fits:
    """Whether a header has columns for these fields, by the names that are recognised or were said."""

    def fits(names: Sequence[str]) -> bool:
        said = {column: name for column, name in (mapping or {}).items() if column in names}
        return recognise([name for name in names if name], fields, said, patterns).has(*needed)

    return fits


def opened(
    table: Table, source: str, reading: TableOptions = AS_THE_FILE_SAYS, fits: Fits | None = None
) -> tuple[pd.DataFrame, str]:
    """The table and its name; reading and fits as in ``read_table``."""
    if isinstance(table, pd.DataFrame):
        return table, source or "table"
    return read_table(table, reading, fits), source or Path(table).name


def write_plan(transaction: Transaction, plan: Plan) -> None:
    for name, merged in plan.merged.items():
        put(transaction, name, merged)
    for key, value in plan.meta.items():
        transaction.set_meta(key, value)
    for source, table, refused in plan.files:
        keep_refused(transaction, source, table, in_order(refused))
    transaction.details["stored"] = {name: len(item.insert) for name, item in plan.merged.items()}
