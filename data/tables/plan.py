"""Tables into the cohort: subjects, visits, covariates, reads.

``import_subjects`` and ``import_reads`` are one transaction each: what can be used goes in together, what
cannot is listed with its row and reason and kept in the table ``refused``. What is there already and equal is
left alone, so the same file can be sent twice; what differs is refused unless a reason for the correction is
given, and then the old row stays and is superseded. ``preview_...`` gives the same result and stores nothing
but the event that somebody looked. The name of a file may be that of a patient: a keyed hash stands for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from core import scores
from core.errors import StoreError
from data.cohort_key import cohort_key
from data.dicom.pseudonyms import CohortKey
from data.store.cohort import CohortStore
from data.store.session import Session
from data.store.transaction import Transaction
from data.tables.columns import recognise
from data.tables.files import ENDINGS, read_table
from data.tables.formats.options import AS_THE_FILE_SAYS, Fits, TableOptions
from data.tables.merge import KEPT_FIELDS, Merge, Refused, in_order, keep_refused, put
from data.tables.spelling import Known

Table = pd.DataFrame | str | Path
SHORT_NUMBER = re.compile(r"\d{1,3}").fullmatch  # "reads_R12.csv"; a longer one may be a patient's
PLAIN_WORDS = frozenset({
    *scores.names(), "table", "tables", "subject", "subjects", "patient", "patients", "visit", "visits",
    "read", "reads", "reread", "rereads", "reader", "readers", "score", "scores", "list", "data", "export",
    "truth", "demographics", "covariates", "allocation", "arms", "schedule", "plan", "adsl", "admiral", "dm",
    "sv", "ex", "qs", "mk", "ophtha", "adqs", "advs", "long", "wide", "corrected", "correction", "final",
    "draft", "new", "old", "baseline", "week", "month", "year", "day", "paired", "main", "study", "sheet",
    "import", "test",
})  # fmt: skip
PREVIEW = "preview"  # the action of its events
COVARIATE_KEYS, COVARIATE_VALUES = ("subject", "visit", "name"), ("number", "text", "unit")


@dataclass(frozen=True)
class Result:
    """What was imported, or in a preview: what would be.

    rows: data rows of the file. stored: rows new in the cohort, by table. accepted: usable rows by table,
    new or not. unchanged: rows that the cohort held already. refused: ``row`` (from 1; None for the whole)
    and ``reason`` each. columns: field -> column of the file. ignored: column -> why it was not used.
    notes: what a person should know. Where known, a refused row has its ``column`` and ``cell`` too.
    unconfirmed: columns that a blinded study takes once a person confirms that they tell no arm.
    blank: of scores, cells that nobody filled in, which become "not scorable". new_subjects: whom the cohort
    did not know.
    """

    rows: int
    stored: dict[str, int]
    accepted: dict[str, int]
    unchanged: int
    refused: Refused
    columns: dict[str, str]
    ignored: dict[str, str]
    notes: list[str] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)
    blank: int = 0
    new_subjects: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """A table as it came: the name that is kept for it, its refused rows, columns whose cells may be kept."""

    name: str
    table: pd.DataFrame
    refused: Refused
    kept: list[str]


@dataclass
class Plan:
    """Merged rows of several tables, ready to be written."""

    merged: dict[str, Merge]
    accepted: dict[str, int]
    refused: Refused
    columns: dict[str, str]
    ignored: dict[str, str]
    notes: list[str]
    files: list[Source]
    meta: dict[str, str] = field(default_factory=dict)
    unconfirmed: list[str] = field(default_factory=list)
    blank: int = 0

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
            self.unconfirmed,
            self.blank,
            self._new_subjects(),
        )

    def _new_subjects(self) -> list[str]:
        """Subjects that the cohort did not know; none where a table of subjects says who there is."""
        is_of_reads = "site_score" in self.merged
        return sorted(self.merged["subject"].insert["subject"]) if is_of_reads else []


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


def kept_columns(columns: Mapping[str, str], also: Iterable[str] = ()) -> list[str]:
    """The columns whose cells may be kept with a refused row. columns: field -> column; also: more fields."""
    return [column for field, column in columns.items() if field in KEPT_FIELDS | set(also)]


def kept_name(key: CohortKey | None, name: str) -> str:
    """What is kept for the name of a file: itself where it holds words of this work and short numbers only.

    Any other may be a person's: of it a keyed hash and the ending stay, and without a key the ending alone.
    """
    name, ending = Path(name).name, Path(name).suffix.lower()
    parts = re.findall(r"[^\W\d_]+|\d+", Path(name).stem.casefold())
    if name.isascii() and all(len(part) == 1 or part in PLAIN_WORDS or SHORT_NUMBER(part) for part in parts):
        return name
    digest = key.digest("table", name).hex()[:12] if key is not None and name else ""
    return f"table {digest}{ending if ending in ENDINGS else ''}".strip()


def key_if_any(store: CohortStore) -> CohortKey | None:
    """The cohort's key, None where the cohort was handed over without it."""
    try:
        return cohort_key(store)
    except StoreError:
        return None


def record_preview(transaction: Transaction, key: CohortKey | None, table: pd.DataFrame, actor: str) -> None:
    """Keep that this person looked at what a table would do; the same look at the same table is kept once."""
    content = pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()
    seen = {"rows": len(table), "content": key.fingerprint(content)[:16] if key else ""}
    before = transaction.query(
        "SELECT details FROM main.event WHERE action = $action AND actor = $actor",
        {"action": PREVIEW, "actor": actor},
    )
    if not any(seen.items() <= json.loads(text).items() for text in before["details"]):
        transaction.note(**seen)


def write_plan(transaction: Transaction, plan: Plan) -> None:
    for name, merged in plan.merged.items():
        put(transaction, name, merged)
    for key, value in plan.meta.items():
        transaction.set_meta(key, value)
    for file in plan.files:
        keep_refused(transaction, file.name, file.table, in_order(file.refused), file.kept)
    transaction.details["stored"] = {name: len(item.insert) for name, item in plan.merged.items()}
